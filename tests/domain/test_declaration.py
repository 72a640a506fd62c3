"""What content types declare: parameters in every spelling, what is refused, and the same declared again."""

from __future__ import annotations

import pytest

from flowloom.domain import declaration
from flowloom.domain.declaration import Declaration


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/csv", Declaration("text/csv")),
        ("Text/CSV; Charset=UTF-8", Declaration("text/csv", "utf-8")),
        ('text/csv;charset="windows-1252";delimiter=";"', Declaration("text/csv", "windows-1252", ";")),
        ("text/csv; delimiter=';'; quote='\"'", Declaration("text/csv", None, ";")),
        ('text/csv; quote="\'"; header=absent', Declaration("text/csv", None, ",", "'", False)),
        ('text/csv; delimiter="\\""; quote=|', Declaration("text/csv", None, '"', "|")),
        ("text/csv; delimiter=tab", Declaration("text/csv", None, "\t")),
        ('text/csv; delimiter="\\t"', Declaration("text/csv", None, "\t")),
        ("text/csv; delimiter=Semicolon", Declaration("text/csv", None, ";")),
        ("text/tab-separated-values", Declaration("text/tab-separated-values", None, "\t")),
        ("application/xml; charset=latin-1; delimiter=xy", Declaration("application/xml", "latin-1")),
    ],
)
def test_what_is_declared(content_type: str, expected: Declaration) -> None:
    found = declaration.parse(content_type)
    assert found == expected
    assert declaration.parse(found.content_type) == expected


def test_options_go_before_parameters() -> None:
    found = declaration.parse(
        "text/csv; charset=latin-1; delimiter=|", {"delimiter": "tab", "header": "absent"}
    )
    assert found == Declaration("text/csv", "latin-1", "\t", '"', False)


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        *(("charset=klingon", "charset"), ("charset=rot13", "charset"), ("charset=windows-9", "charset")),
        *(("delimiter=;", "delimiter"), ("delimiter=ab", "delimiter"), ("delimiter=x", "delimiter")),
        *(('delimiter="', "delimiter"), ("delimiter='\"'", "delimiter"), ('quote=""', "quote")),
        *(("quote=1", "quote"), ("header=yes", "header")),
    ],
)
def test_what_cannot_be_is_refused_by_name(parameters: str, name: str) -> None:
    with pytest.raises(declaration.Unreadable) as caught:
        declaration.parse(f"text/csv; {parameters}")
    assert caught.value.parameter == name


def test_a_bad_byte_and_a_missing_character_are_named() -> None:
    with pytest.raises(declaration.Unreadable, match=r"0x81 at position 1 is no utf-8"):
        declaration.decode(b"a\x81", "utf-8")
    with pytest.raises(declaration.Unwritable, match=r"'→' is not in windows-1252"):
        declaration.encode("a→", "windows-1252")
