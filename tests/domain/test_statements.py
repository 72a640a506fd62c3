"""Statements: which colons start a parameter, and what drivers are given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom import errors
from flowloom.domain import statements

PARTS = [
    "SELECT ",
    "'",
    '"',
    "`",
    "--",
    "/*",
    "*/",
    "$$",
    "$a$",
    "\\",
    ":a",
    ":b_1",
    "::",
    ":=",
    "%",
    "\n",
    "#",
    "[",
    "E'",
    "]",
]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SELECT :a, :b_1 WHERE x=:a", ("a", "b_1", "a")),
        ("SELECT ':a', \":b\", :c", ("c",)),
        ("SELECT 'it''s :a', :c", ("c",)),
        ("SELECT :a -- :b\n, :c", ("a", "c")),
        ("SELECT /* :a \n */ :c", ("c",)),
        ("SELECT '10:30', t:x, 1:1", ()),
    ],
)
@pytest.mark.parametrize("dialect", ["postgresql", "mysql", "sqlite"])
def test_names(text: str, names: tuple[str, ...], dialect: Any) -> None:
    assert statements.parse(text, dialect).names == names


@pytest.mark.parametrize(
    ("dialect", "text", "names"),
    [
        ("postgresql", "SELECT :a::date, $$ :b $$, $x$ $$:c $x$, E'\\':d', :e", ("a", "e")),
        ("postgresql", "SELECT '\\', :a, x #> :b", ("a", "b")),
        ("mysql", "SELECT '\\':a', `:b`, @x := :c # :d\n, :e", ("c", "e")),
        ("sqlite", "SELECT [a :b], `:c`, :d", ("d",)),
    ],
)
def test_names_of_a_dialect(dialect: Any, text: str, names: tuple[str, ...]) -> None:
    assert statements.parse(text, dialect).names == names


def test_a_driver_is_given_its_placeholders_and_doubled_percent_signs() -> None:
    parsed = statements.parse(" SELECT 100 % :a, '%s' WHERE b LIKE :b; ", "postgresql")
    assert parsed.written("%({name})s") == "SELECT 100 %% %(a)s, '%%s' WHERE b LIKE %(b)s"
    assert parsed.written("%s") == "SELECT 100 %% %s, '%%s' WHERE b LIKE %s"


def test_a_name_without_a_parameter_is_refused() -> None:
    with pytest.raises(errors.Invalid, match="uses :b, which is not among") as caught:
        statements.parse("SELECT :a, :b", "sqlite").require({"a": 1})
    assert list(caught.value.errors) == ["statement"]


@given(st.lists(st.sampled_from(PARTS)), st.sampled_from(["postgresql", "mysql", "sqlite"]))
def test_nothing_of_a_statement_is_lost(parts: list[str], dialect: Any) -> None:
    text = "".join(parts).strip()
    parsed = statements.parse(text, dialect)
    assert parsed.written(":{name}").replace("%%", "%") == text
