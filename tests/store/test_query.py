"""The grammar of a list's query string: whatever comes, it is read within bounds or refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from flowloom import errors
from flowloom.services import runs, tracked_data, versions
from flowloom.store import cursors, query

NAMES = [
    "page",
    "per_page",
    "sort",
    "include",
    "cursor",
    "filter[status]",
    "filter[id]",
    "filter[flow_id]",
    "filter[started_after]",
    "x",
]
VALUES = st.one_of(
    st.text(max_size=12),
    st.integers().map(str),
    st.sampled_from(
        ["id", "-id", "created_at", "-started_at", "steps", "runs,steps", "success,2", "true", "1,2"]
    ),
    st.datetimes().map(str),
    st.builds(cursors.encode, st.integers()),
)


def parsed(
    listing: query.Listing, params: list[tuple[str, str]]
) -> query.Page | errors.BadQuery | errors.Invalid:
    """What a query string asks, or why it is refused."""
    try:
        return query.parse(listing, params)
    except (errors.BadQuery, errors.Invalid) as refused:
        return refused


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(params=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=5))
def test_the_query_grammar(params: list[tuple[str, str]]) -> None:
    """Any query string is read within bounds or refused in words."""
    for listing in (runs.LISTING, versions.LISTING):
        asked = parsed(listing, params)
        if isinstance(asked, errors.FlowloomError):
            assert asked.message.endswith(".")
            continue
        assert asked.page >= 1
        assert 1 <= asked.per_page <= query.MAX_PER_PAGE
        assert asked.sort.removeprefix("-") in {"id", *listing.sorts}
        assert asked.includes <= set(listing.includes)
        assert asked.values.keys() <= listing.filters.keys()
        assert asked.after is None or 0 <= asked.after.id <= query.MAX_ID


@settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(params=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=4))
def test_what_the_grammar_takes_the_database_takes(
    sqlite_template: Path, params: list[tuple[str, str]]
) -> None:
    asked = parsed(runs.LISTING, params)
    if isinstance(asked, errors.FlowloomError):
        return
    engine = create_engine(f"sqlite+pysqlite:///{sqlite_template}")
    with engine.connect() as connection:
        assert query.fetch(connection, runs.LISTING, asked, company_id=1).rows == []
    engine.dispose()


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("page", "give it once"),
        ("per_page", "give it once"),
        ("sort", "give it once"),
        ("cursor", "give it once"),
        ("include", "put its values into one, with commas between"),
        ("filter[status]", "put its values into one, with commas between"),
        ("filter[started_after]", "give it once"),
    ],
)
def test_what_is_given_twice_is_refused(name: str, way: str) -> None:
    """It would be read as its last value only, and nobody would know."""
    with pytest.raises(errors.Invalid) as caught:
        query.parse(runs.LISTING, [(name, "1"), ("x", "1"), (name, "2")])
    assert caught.value.errors == {name: [f"{name} is given 2 times; {way}."]}


def test_what_no_list_knows_may_be_given_twice() -> None:
    assert query.parse(runs.LISTING, [("x", "1"), ("x", "2")]) == query.parse(runs.LISTING, [])
    with pytest.raises(errors.BadQuery, match=r"Unknown filter 'nope'"):
        query.parse(runs.LISTING, [("filter[nope]", "1"), ("filter[nope]", "2")])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a,b", ["a", "b"]),
        (r"a\,b", ["a,b"]),
        (r"a\\,b", ["a\\", "b"]),
        (r"C:\orders, 7\,", [r"C:\orders", "7,"]),
        (",", ["", ""]),
        ("\\", ["\\"]),
    ],
)
def test_a_backslash_makes_a_comma_part_of_a_value(text: str, values: list[str]) -> None:
    assert query.parse(tracked_data.LISTING, [("filter[value]", text)]).values == {"value": values}
