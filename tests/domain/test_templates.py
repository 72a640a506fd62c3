"""Templates: what is filled in, what stays plain text, and that data is never evaluated."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom import errors
from flowloom.domain import templates

SCOPE = templates.Scope(
    variables={"shop": "nl", "limit": 5, "a.b-c": True, "path": "a/b"},
    payload={"id": 7, "name": "Ann & Co", "lines": [{"sku": "a"}, {"sku": "b"}], "none": None},
    now=datetime(2026, 1, 1, tzinfo=UTC),
    meta={"x.y": "m/n"},
)

NASTY = st.lists(
    st.sampled_from(["{{", "}}", "[[", "]]", "shop", "payload", ".id", " ", "x", "{", "]"]), max_size=8
).map("".join)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{{shop}}", "nl"),
        ("{{ limit }}", 5),
        ("{{a.b-c}}", True),
        ("{{nothing}}", None),
        ("[[payload]]", SCOPE.payload),
        ("[[payload.lines.*.sku]]", ["a", "b"]),
        ("[[ payload.id ]]", 7),
        ("[[payload.nothing]]", None),
        ("[[meta.x.y]]", "m/n"),
        ("Order [[payload.id]] of {{shop}}, [[payload.none]]{{nothing}}!", "Order 7 of nl, !"),
        ("x[[payload.lines]]", 'x[{"sku":"a"},{"sku":"b"}]'),
        ("x{{a.b-c}}", "xtrue"),
        ("{{shop", "{{shop"),
        ("[[payload.id", "[[payload.id"),
        ("{{}} {a} [b]", "{{}} {a} [b]"),
        ("[[1,2],[3]]", "[[1,2],[3]]"),
        ('[["a"]]', '[["a"]]'),
    ],
)
def test_value(text: str, value: object) -> None:
    assert templates.compile(text).value(SCOPE) == value


@pytest.mark.parametrize(
    "text", ["[[foo.bar]]", "[[meta]]", "[[payload.]]", "[[payload.a..b]]", "{{two words}}"]
)
def test_bad_templates_name_their_place(text: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        templates.compile_tree({"a": ["ok", text]}, "body")
    assert list(caught.value.errors) == ["body.a.1"]


def test_an_unknown_root_names_what_is_allowed() -> None:
    with pytest.raises(errors.Invalid, match=r"\[\[foo\.bar\]\] is unknown; allowed: \[\[payload\]\]"):
        templates.compile("[[foo.bar]]")


def test_url_encodes_data_but_not_variables() -> None:
    url = templates.compile("https://x/{{path}}/[[payload.name]]?m=[[meta.x.y]]")
    assert url.render_url(SCOPE) == "https://x/a/b/Ann%20%26%20Co?m=m%2Fn"


def test_tree_fills_values_and_leaves_keys() -> None:
    tree = templates.compile_tree({"{{shop}}": ["{{limit}}", 1, None], "n": {"x": "[[payload.id]]!"}})
    assert tree.value(SCOPE) == {"{{shop}}": [5, 1, None], "n": {"x": "7!"}}
    assert tree.variables == {"limit"}
    assert not tree.is_constant


def test_a_constant_tree_is_given_back_as_it_is() -> None:
    value = {"a": ["b", 1]}
    tree = templates.compile_tree(value)
    assert tree.is_constant
    assert tree.value(SCOPE) is value


def test_variables() -> None:
    assert templates.compile("{{a}} [[payload.b]] {{c}}").variables == {"a", "c"}
    assert templates.variables_in(
        {"x": ["{{a}}", {"y": "{{ b }} {{bad name}} [[foo.bar]]"}], "{{k}}": 1}
    ) == {
        "a",
        "b",
    }


@given(NASTY)
def test_values_that_look_like_templates_stay_values(nasty: str) -> None:
    scope = templates.Scope(
        {"v": nasty, "shop": "WRONG"}, {"p": nasty, "id": "WRONG"}, SCOPE.now, {"m": nasty}
    )
    for text in ("{{v}}", "[[payload.p]]", "[[meta.m]]"):
        assert templates.compile(text).value(scope) == nasty
        assert templates.compile(f"<{text}>").render(scope) == f"<{nasty}>"
    assert templates.compile_tree({"a": ["{{v}}"]}).value(scope) == {"a": [nasty]}


@given(NASTY)
def test_any_text_compiles_or_is_invalid(text: str) -> None:
    with contextlib.suppress(errors.Invalid):
        templates.compile(text).value(SCOPE)


@pytest.mark.parametrize("value", [".", ".."])
def test_a_value_cannot_climb_in_the_path_of_a_url(value):
    scope = templates.Scope({"up": value}, {"id": value}, SCOPE.now, {"id": value})
    for url in (
        "/orders/[[payload.id]]/lines",
        "[[meta.id]]",
        "https://x.test/.[[payload.id]]?x=1",
        "/{{up}}/b",
    ):
        with pytest.raises(errors.Invalid, match="cannot be filled in with"):
            templates.compile(url).render_url(scope)
    assert templates.compile("/a?q=[[payload.id]]").render_url(scope) == f"/a?q={value}"
    assert templates.compile("/a#[[meta.id]]").render_url(scope) == f"/a#{value}"
    longer = templates.Scope({}, {"id": f"{value}x"}, SCOPE.now)
    assert templates.compile("/[[payload.id]]/b").render_url(longer) == f"/{value}x/b"
