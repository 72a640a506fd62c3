"""XML: what is read comes back, what is written can be read, and bombs do not go off."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom.domain import declaration, formats, portions, xml_records
from flowloom.domain.declaration import Declaration
from flowloom.domain.payload import compile_path

XML = Declaration("application/xml")
TEXTS = st.text(
    st.one_of(
        st.sampled_from(" <>&'\"\r\n\t]é€"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff", min_codepoint=0x20),
    ),
    max_size=8,
)
NAMES = st.text("abAB_é1.-:", min_size=1, max_size=5).filter(xml_records._is_name)
LEAVES = TEXTS | st.builds(
    lambda attributes, text: {**{f"@{name}": value for name, value in attributes.items()}, "#text": text},
    st.dictionaries(NAMES, TEXTS, min_size=1, max_size=2),
    TEXTS.filter(bool),
)
ELEMENTS = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(
        NAMES, inner | st.lists(inner, min_size=2, max_size=3), min_size=1, max_size=3
    ),
    max_leaves=12,
)


@given(NAMES, ELEMENTS, st.sampled_from(["utf-8", "utf-16", "latin-1", "windows-1252", None]))
def test_what_is_written_is_read_again(name: str, element: Any, charset: str | None) -> None:
    content_type = Declaration("text/xml", charset).content_type
    try:
        raw = formats.encode({name: element}, content_type)
    except declaration.Unwritable:
        assert charset not in ("utf-8", "utf-16", None)  # a name has no other spelling
        return
    assert formats.decode(raw, content_type) == {name: element}


@given(NAMES, ELEMENTS)
def test_without_a_content_type_the_document_says_its_charset(name: str, element: Any) -> None:
    try:
        raw = xml_records.encode({name: element}, Declaration("text/xml", "windows-1252"))
    except declaration.Unwritable:
        return
    assert xml_records.decode(raw, XML) == {name: element}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a/>", {"a": ""}),
        ("<a> x\r\ny </a>", {"a": " x\ny "}),
        ("<a>1<![CDATA[<2>]]><!-- no -->&amp;&#51;<?pi no?></a>", {"a": "1<2>&3"}),
        ("<a b='1'/>", {"a": {"@b": "1"}}),
        ("<a b='1'> x </a>", {"a": {"@b": "1", "#text": " x "}}),
        ("<a>\n  <b>1</b>\n  <c/>\n  <b>2</b>\n</a>", {"a": {"b": ["1", "2"], "c": ""}}),
        ("<p>Hello <b>you</b> there </p>", {"p": {"b": "you", "#text": "Hello  there"}}),
        (
            '<s:E xmlns:s="urn:s" xmlns="urn:d"><s:B x:y="1" xmlns:x="urn:x"/></s:E>',
            {"s:E": {"@xmlns:s": "urn:s", "@xmlns": "urn:d", "s:B": {"@x:y": "1", "@xmlns:x": "urn:x"}}},
        ),
        ("<!DOCTYPE a [<!ELEMENT a ANY>]><a/>", {"a": ""}),
        (" \n", None),
    ],
)
def test_what_is_read(text: str, expected: Any) -> None:
    assert xml_records.read(text) == expected


@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        ('<?xml version="1.0" encoding="windows-1252"?><a>€</a>'.encode("cp1252"), None),
        ("\ufeff<a>€</a>".encode(), None),
        ('<?xml version="1.0" encoding="utf-16"?><a>€</a>'.encode("utf-16"), None),
        ('<?xml version="1.0" encoding="utf-8"?><a>€</a>'.encode("iso-8859-15"), "iso-8859-15"),
    ],
)
def test_character_sets(raw: bytes, charset: str | None) -> None:
    assert xml_records.decode(raw, Declaration("text/xml", charset)) == {"a": "€"}


BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>'
EXTERNAL = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "declares entities"),
        (EXTERNAL, "declares entities"),
        ('<!DOCTYPE a [<!ENTITY % x SYSTEM "http://example.com/x"> %x;]><a/>', "declares entities"),
        ("<!DOCTYPE a SYSTEM 'http://example.com/a.dtd'><a/>", "names another document"),
        ("<!DOCTYPE a [<!ELEMENT a ANY>]><a>&nbsp;</a>", "Line 1 is not valid XML: undefined entity."),
        ("<a>\n<b></a>", "Line 2 is not valid XML: mismatched tag."),
        ("<a/><b/>", "Line 1 is not valid XML"),
        ("<a>&nbsp;</a>", "Line 1 is not valid XML: undefined entity."),
        ("<a", "Line 1 is not valid XML"),
        ("<a>" * 65 + "</a>" * 65, "deeper than 64 levels"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(declaration.Unreadable) as caught:
        xml_records.read(text)
    assert said in caught.value.why


def cut(raw: bytes, *names: str, charset: str | None = None) -> list[object]:
    return list(xml_records.records(io.BytesIO(raw), Declaration("text/xml", charset), names))


@given(
    NAMES,
    NAMES,
    NAMES,
    st.lists(ELEMENTS, max_size=4),
    ELEMENTS,
    st.sampled_from(["utf-8", "utf-16", "windows-1252"]),
)
def test_the_records_of_a_file_are_those_of_the_whole(
    root: str, list_name: str, name: str, every: list[Any], other: Any, charset: str
) -> None:
    """Also where elements of the same names stand elsewhere."""
    before = {} if list_name == "x" else {"x": {name: other}}
    after = {} if list_name == "y" else {"y": {list_name: {name: other}}}
    try:
        raw = xml_records.encode(
            {root: {**before, list_name: {name: every, "z_": other}, **after}},
            Declaration("text/xml", charset),
        )
    except declaration.Unwritable:
        return
    path = compile_path(".".join(part.replace(".", "\\.") for part in (root, list_name, name)))
    assert cut(raw, root, list_name, name) == path.records(xml_records.decode(raw, XML))


def test_the_records_of_lists_that_come_again() -> None:
    raw = b"<a>1<b><c>1</c></b><c>no</c><b x='1'><c><c>2</c></c>.<d><c/></d><c/></b></a>"
    assert cut(raw, "a", "b", "c") == ["1", {"c": "2"}, ""]
    assert cut(raw, "b", "c") == []


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize(
    ("encoding", "head", "charset"),
    [
        ("cp1252", '<?xml version="1.0" encoding="windows-1252"?>', None),
        ("utf-8-sig", "", None),
        ("utf-16", '<?xml version="1.0" encoding="utf-16"?>', None),
        ("iso-8859-15", '<?xml version="1.0" encoding="utf-8"?>', "iso-8859-15"),
    ],
)
def test_character_sets_of_files(
    encoding: str, head: str, charset: str | None, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "CHUNK_BYTES", size)
    raw = f"{head}<a>{'<b>€</b>' * 300}</a>".encode(encoding)
    assert cut(raw, "a", "b", charset=charset) == ["€"] * 300


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "declares entities"),
        (EXTERNAL, "declares entities"),
        ("<a>\n<b></a>", "Line 2 is not valid XML: mismatched tag."),
        ("<a><b>1</b></a><c/>", "Line 1 is not valid XML"),
        ("<a><b>1</b>", "Line 1 is not valid XML"),
        ("", "Line 1 is not valid XML"),
        ("<a>" * 65 + "</a>" * 65, "deeper than 64 levels"),
        ("<a>" + "<b>" * 64 + "</b>" * 64 + "</a>", "deeper than 64 levels"),
    ],
)
def test_files_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(declaration.Unreadable) as caught:
        cut(text.encode(), "a", "b")
    assert said in caught.value.why


@pytest.mark.parametrize(
    "large", [b"<b><c>%b</c></b>", b"<b c='%b'/>", b"<x c='%b'/>", b"<!--%b-->", b"<b>%b"]
)
def test_a_record_that_is_enormous(large: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "MAX_RECORD_BYTES", 300_000)
    small = b"<b>%b</b>" % (b"x" * 1000)
    assert len(cut(b"<a>%b<x>%b</x></a>" % (small * 1000, b"x" * 1_000_000), "a", "b")) == 1000
    with pytest.raises(declaration.Unreadable, match="One record is over 300,000 bytes"):
        cut(b"<a>%b</a>" % large.replace(b"%b", b"x" * 1_000_000), "a", "b")


def test_the_deepest_document_is_read_and_written() -> None:
    text = "<a>" * 64 + "</a>" * 64
    assert xml_records.encode(xml_records.read(text), XML).decode().endswith(text)
    with pytest.raises(declaration.Unwritable, match="64 levels"):
        xml_records.encode({"a": xml_records.read(text)}, XML)


@pytest.mark.parametrize("charset", ["klingon", "rot13"])
def test_a_charset_that_is_none(charset: str) -> None:
    with pytest.raises(declaration.Unreadable, match="no character set"):
        xml_records.decode(f'<?xml version="1.0" encoding="{charset}"?><a/>'.encode(), XML)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"a": {"b": 1, "@c": True, "#text": 2.5, "d": None, "e": []}}, '<a c="true"><b>1</b>2.5<d></d></a>'),
        ([{"a": "1"}, "x"], "<records><record><a>1</a></record><record>x</record></records>"),
        ({"a": "1", "b": "2"}, "<record><a>1</a><b>2</b></record>"),
        ({"a": ["1"]}, "<record><a>1</a></record>"),
        ("x", "<record>x</record>"),
        (
            {"a": {"b": [["1", "2"], ["3"]]}},
            "<a><b><item>1</item><item>2</item></b><b><item>3</item></b></a>",
        ),
        ({"a": '<&>"\r'}, '<a>&lt;&amp;&gt;"&#13;</a>'),
        ({"a": {"@b": '<">\n\t'}}, '<a b="&lt;&quot;&gt;&#10;&#9;"></a>'),
    ],
)
def test_what_is_written(body: Any, text: str) -> None:
    assert xml_records.encode(body, XML).decode() == f'<?xml version="1.0" encoding="utf-8"?>\n{text}'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"a b": "1"}, "'a b' is no name"),
        ({"": "1", "x": ""}, "'' is no name"),
        ({"a": {"1": ""}}, "'1' is no name"),
        ({"a/><b": ""}, "is no name"),
        ({"a": {"@x y": ""}}, "'x y' is no name"),
        ({"a": "\x01"}, r"'a' holds '\x01'"),
        ({"a": {"@b": "\uffff"}}, r"'@b' holds '\uffff'"),
    ],
)
def test_what_cannot_be_written(body: Any, said: str) -> None:
    with pytest.raises(declaration.Unwritable) as caught:
        xml_records.encode(body, XML)
    assert said in caught.value.why
