"""Lists: filters, sorts, includes and pages, declared once per list and turned into cached statements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, TypeVar

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    bindparam,
    func,
    literal_column,
    select,
    type_coerce,
)

from flowloom import errors
from flowloom.domain import timestamp
from flowloom.store import columns, cursors, patterns

PER_PAGE = 15
MAX_PER_PAGE = 100
CAP = 10_000
MAX_VALUES = 1000
MAX_ID = cursors.MAX_ID
# The parameters of every list, and whether one takes several values.
_PARAMETERS = {"page": False, "per_page": False, "sort": False, "include": True, "cursor": False}
# The day before the latest instant a datetime can hold, so that adding to one never overflows.
LATEST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)

Kind = Literal["id", "text", "label", "instant", "boolean", "choice"]
Comparison = Literal["in", "from", "before", "holds"]
T = TypeVar("T")


@dataclass(frozen=True)
class Filter:
    """One `filter[name]`: which column it compares, how, and what its values are."""

    column: ColumnElement[Any]
    kind: Kind
    compare: Comparison = "in"
    choices: Mapping[str, Any] = field(default_factory=dict)
    help: str = ""
    # What a text must look like as a whole; other ones are refused with `help`.
    pattern: str = ""
    # (values, condition): what holds of a column that has one of these values, word for word as an index has it, so
    # that every database sees that it may use that one.
    implied: Sequence[tuple[Collection[Any], str]] = ()
    # Whether it leaves so few rows that an index of the whole list is not worth looking at.
    is_narrow: bool = False


def part_of(text: ColumnElement[Any], what: str = "name") -> Filter:
    """What finds a record by a part of its name."""
    return Filter(text, "text", "holds", help=f"Part of the {what}, in any case of letters")


@dataclass(frozen=True, eq=False)
class Listing:
    """A list of the API. `select` is scoped by bind parameters that the caller gives to `fetch`."""

    select: Select[Any]
    id: ColumnElement[int]
    # The column that says whose rows they are, for a list with narrow filters; else `select` says it.
    owner: ColumnElement[int] | None = None
    sorts: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    filters: Mapping[str, Filter] = field(default_factory=dict)
    includes: tuple[str, ...] = ()
    default_sort: str = "id"
    # The order unless another is asked for, of a list that is narrowed by one of these filters.
    sorts_by_filter: Mapping[str, str] = field(default_factory=dict)
    is_capped: bool = False

    def is_bounded(self, sort: str, names: Collection[str]) -> bool:
        """Whether these filters leave only rows that have a value to sort by."""
        column = self.sorts.get(sort.removeprefix("-"), self.id)
        return any(
            self.filters[name].column is column and self.filters[name].compare != "in" for name in names
        )


@dataclass(frozen=True, slots=True)
class Page:
    """What a caller asked of a list. `values` are the filters' values, by filter name."""

    page: int = 1
    per_page: int = PER_PAGE
    sort: str = "id"
    values: Mapping[str, Any] = field(default_factory=dict)
    includes: frozenset[str] = frozenset()
    after: cursors.Place | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page and how many there are in all (with `is_capped`, at least)."""

    rows: Sequence[Row[Any]]
    total: int
    is_capped: bool = False
    next_cursor: str | None = None


def parse(listing: Listing, params: Sequence[tuple[str, str]]) -> Page:
    """Read a query string. Raises BadQuery for unknown names and Invalid for bad values, and for what is given twice.

    Parameters that no list knows are left alone.
    """
    given = given_once(listing, params)
    values = {}
    for name, text in given.items():
        if name.startswith("filter[") and name.endswith("]"):
            values[name[7:-1]] = _filter_value(listing, name[7:-1], text)
    sort = _sort(listing, given.get("sort") or _default_sort(listing, values))
    return Page(
        page=_whole(given, "page", 1),
        per_page=min(_whole(given, "per_page", PER_PAGE), MAX_PER_PAGE),
        sort=sort,
        values=values,
        includes=read_includes(listing, given.get("include", "")),
        after=_cursor(listing, sort, given, values),
    )


def _default_sort(listing: Listing, names: Collection[str]) -> str:
    chosen = (sort for name, sort in listing.sorts_by_filter.items() if name in names)
    return next(chosen, listing.default_sort)


def given_once(listing: Listing, params: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The parameters by name. Raises Invalid for one of the list's own that is there twice: which one was meant?"""
    given = dict(params)
    if len(given) == len(params):
        return given
    own = {f"filter[{name}]": wanted.compare == "in" for name, wanted in listing.filters.items()}
    takes_several = {**_PARAMETERS, **own}
    for name, count in Counter(name for name, _ in params).items():
        if count > 1 and name in takes_several:
            way = "put its values into one, with commas between" if takes_several[name] else "give it once"
            raise errors.Invalid.field(name, f"{name} is given {count} times; {way}.")
    return given


def refuse_unlisted(params: Sequence[tuple[str, str]], own: Collection[str]) -> None:
    """Raise BadQuery for a filter, sort or include where no list is answered; `own` is what is read there."""
    for name, text in params:
        is_filter = name.startswith("filter[") and name.endswith("]")
        if name not in own and (is_filter or (text and name in ("sort", "include"))):
            noun, shown = ("filter", name[7:-1]) if is_filter else (name, text)
            raise errors.BadQuery(f"Unknown {noun} '{shown[:50]}'; allowed: none here.")


def _whole(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:19]) <= MAX_ID or len(text) > 18:
        raise errors.Invalid.field(name, f"{name} must be a whole number from 1.")
    return int(text)


def _sort(listing: Listing, text: str) -> str:
    allowed = sorted({"id", *listing.sorts})
    if text.removeprefix("-") not in allowed:
        raise errors.BadQuery(
            f"Unknown sort '{text[:50]}'; allowed: {', '.join(allowed)}, each also with '-' before it."
        )
    return text


def read_includes(listing: Listing, text: str) -> frozenset[str]:
    """The names in an `include` parameter. Raises BadQuery for unknown ones."""
    asked = frozenset(name.strip() for name in text.split(",") if name.strip())
    for name in sorted(asked):
        if name not in listing.includes:
            allowed = ", ".join(listing.includes) or "none here"
            raise errors.BadQuery(f"Unknown include '{name[:50]}'; allowed: {allowed}.")
    return asked


def _filter_value(listing: Listing, name: str, text: str) -> Any:
    wanted = listing.filters.get(name)
    if wanted is None:
        allowed = ", ".join(listing.filters) or "none here"
        raise errors.BadQuery(f"Unknown filter '{name[:50]}'; allowed: {allowed}.")
    if "\0" in text:
        raise errors.Invalid.field(f"filter[{name}]", "The value holds a NUL character.")
    read = _READERS[wanted.kind]
    if wanted.compare == "holds":
        return patterns.holding(read(f"filter[{name}]", text.strip(), wanted))
    if wanted.compare == "in":
        parts = patterns.parts(text)
        if len(parts) > MAX_VALUES:
            raise errors.Invalid.field(f"filter[{name}]", f"A filter takes at most {MAX_VALUES} values.")
        return [read(f"filter[{name}]", part.strip(), wanted) for part in parts]
    return read(f"filter[{name}]", text.strip(), wanted)


def _read_id(name: str, text: str, _wanted: Filter) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > MAX_ID:
        raise errors.Invalid.field(name, f"{name} takes ids (whole numbers), with commas between.")
    return int(text)


def _read_text(name: str, text: str, wanted: Filter) -> str:
    if wanted.pattern and not re.fullmatch(wanted.pattern, text, re.ASCII):
        raise errors.Invalid.field(name, f"{name} takes {wanted.help}.")
    return text


def _read_label(_name: str, text: str, _wanted: Filter) -> str:
    """A text as it stands in a list of texts that is kept as JSON."""
    return msgspec.json.encode(text).decode()


def _read_boolean(name: str, text: str, _wanted: Filter) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise errors.Invalid.field(name, f"{name} takes true or false.")
    return text in ("true", "1")


def _read_choice(name: str, text: str, wanted: Filter) -> Any:
    if text not in wanted.choices:
        raise errors.Invalid.field(name, f"{name} takes {', '.join(wanted.choices)}.")
    return wanted.choices[text]


def _read_instant(name: str, text: str, _wanted: Filter) -> datetime:
    return read_instant(name, text)


def read_instant(name: str, text: str) -> datetime:
    """An instant from Unix milliseconds or ISO 8601 (UTC unless it says otherwise). Raises Invalid."""
    try:
        if text.isascii() and text.isdigit():
            return min(columns.from_micros(int(text[:20]) * 1000), LATEST)
        return min(timestamp.parse(_with_plus(text)), LATEST)
    except (ValueError, OverflowError):
        raise errors.Invalid.field(
            name, f"{name} takes a time such as 2026-01-31T10:00:00Z, or milliseconds since 1970."
        ) from None


def _with_plus(text: str) -> str:
    """A plus in a query string arrives as a space; here the one before an offset is put back."""
    return "+".join(text.rsplit(" ", 1)) if text.count(":") > 2 else text


_READERS: Mapping[Kind, Callable[[str, str, Filter], Any]] = {
    "id": _read_id,
    "text": _read_text,
    "label": _read_label,
    "boolean": _read_boolean,
    "choice": _read_choice,
    "instant": _read_instant,
}


def _cursor(
    listing: Listing, sort: str, given: Mapping[str, str], names: Collection[str]
) -> cursors.Place | None:
    text = given.get("cursor")
    if text is None or not listing.is_capped:
        return None
    is_by_id = sort.removeprefix("-") == "id"
    return cursors.read(text, is_by_id=is_by_id, is_by_time=listing.is_bounded(sort, names))


def fetch(connection: Connection, listing: Listing, page: Page, **scope: Any) -> Found:
    """The rows of a page, and how many there are in all."""
    shape = _shape(listing, page)
    asked = arguments(page, **scope)
    statement = _page_statement(listing, page.sort, shape, page.after is not None)
    after = page.after.parameters() if page.after else {}
    offset = 0 if page.after else min((page.page - 1) * page.per_page, MAX_ID)
    rows = connection.execute(statement, {**asked, **after, "limit": page.per_page, "offset": offset}).all()
    total = _total(connection, listing, page, shape, asked, len(rows))
    if not listing.is_capped:
        return Found(rows, total)
    return Found(rows, min(total, CAP), total > CAP, _next_cursor(listing, page, rows))


def _next_cursor(listing: Listing, page: Page, rows: Sequence[Row[Any]]) -> str | None:
    if len(rows) < page.per_page:
        return None
    name = page.sort.removeprefix("-")
    goes_on = name == "id" or listing.is_bounded(page.sort, page.values)
    at = None if name == "id" else rows[-1]._mapping[listing.sorts[name]]
    return cursors.encode(rows[-1].id, at) if goes_on else None


# The names of the filters, those of them that have one value, and what holds with their values.
Shape = tuple[tuple[str, ...], frozenset[str], tuple[str, ...]]


def _shape(listing: Listing, page: Page) -> Shape:
    """What statements of a list differ by."""
    names = tuple(sorted(page.values))
    implied = [
        condition
        for name in names
        for values, condition in listing.filters[name].implied
        if all(value in values for value in page.values[name])
    ]
    single = [name for name in names if isinstance(page.values[name], list) and len(page.values[name]) == 1]
    return names, frozenset(single), tuple(implied)


def matching(listing: Listing, page: Page) -> Select[Any]:
    """What a list's filters name, in order, up to the page's size: for work on many rows at once."""
    return _filtered(listing, _shape(listing, page)).order_by(listing.id).limit(page.per_page)


def arguments(page: Page, **scope: Any) -> dict[str, Any]:
    """The parameters of such a statement."""
    lists = {name: values for name, values in page.values.items() if isinstance(values, list)}
    single = {f"one_{name}": values[0] for name, values in lists.items() if len(values) == 1}
    return {**scope, **single, **{f"filter_{name}": value for name, value in page.values.items()}}


def _total(
    connection: Connection, listing: Listing, page: Page, shape: Shape, asked: dict[str, Any], found: int
) -> int:
    if page.page == 1 and page.after is None and found < page.per_page:
        return found
    return connection.scalar(_count_statement(listing, shape), asked) or 0


@lru_cache(maxsize=512)
def _page_statement(listing: Listing, sort: str, shape: Shape, by_cursor: bool) -> Select[Any]:
    name = sort.removeprefix("-")
    column = listing.sorts.get(name, listing.id)
    order = [column] if column is listing.id else [column, listing.id]
    if sort.startswith("-"):
        order = [part.desc() for part in order]
    if isinstance(column, Column) and column.nullable:
        # Else SQLite has what is not there yet at the beginning, and PostgreSQL at the end.
        order[0] = order[0].nulls_last() if sort.startswith("-") else order[0].nulls_first()
    statement = _filtered(listing, shape).order_by(*order)
    if by_cursor:
        statement = statement.where(
            cursors.comes_after(
                listing.id, None if column is listing.id else column, is_falling=sort.startswith("-")
            )
        )
    return statement.limit(bindparam("limit")).offset(bindparam("offset"))


@lru_cache(maxsize=512)
def _count_statement(listing: Listing, shape: Shape) -> Select[Any]:
    one: ColumnElement[int] = literal_column("1")
    matching = _filtered(listing, shape).with_only_columns(one, maintain_column_froms=True)
    if listing.is_capped:
        matching = matching.limit(CAP + 1)
    return select(func.count()).select_from(matching.subquery())


def _filtered(listing: Listing, shape: Shape) -> Select[Any]:
    names, single, implied = shape
    statement = listing.select.where(*map(literal_column, implied))
    if listing.owner is not None:
        is_narrowed = any(listing.filters[name].is_narrow for name in names)
        owner = columns.Unindexed(listing.owner) if is_narrowed else listing.owner
        statement = statement.where(owner == bindparam(listing.owner.key))
    for name in names:
        statement = statement.where(_condition(name, listing.filters[name], is_single=name in single))
    return statement


def _condition(name: str, wanted: Filter, *, is_single: bool) -> ColumnElement[bool]:
    key, column = f"filter_{name}", wanted.column
    match wanted.compare:
        case "in":
            # Of a value that stands in the statement PostgreSQL knows how rare it is, however often it is asked.
            is_rare = wanted.kind in ("choice", "boolean")
            if is_single:
                return column == bindparam(f"one_{name}", type_=column.type, literal_execute=is_rare)
            return column.in_(bindparam(key, expanding=True, literal_execute=is_rare))
        case "from":
            return column >= bindparam(key, type_=column.type)
        case "before":
            return column < bindparam(key, type_=column.type)
        case "holds":
            held = func.lower(type_coerce(column, Text))
            return held.like(func.lower(bindparam(key, type_=Text())), escape=patterns.ESCAPE)
