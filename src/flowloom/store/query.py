"""Lists: filters, sorts, includes and pages, declared once per list and turned into cached statements."""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, TypeVar

import msgspec
from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    bindparam,
    func,
    select,
    type_coerce,
)

from flowloom import errors
from flowloom.domain import timestamp
from flowloom.store import columns

PER_PAGE = 15
MAX_PER_PAGE = 100
CAP = 10_000
MAX_VALUES = 1000
MAX_ID = 2**63 - 1
_ESCAPE = "~"
# What a list of values is made of: (an escaped sign, or a comma or other text).
_SIGNS = re.compile(r"\\([\\,])|(,|\\|[^,\\]+)")
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


def part_of(text: ColumnElement[Any], what: str = "name") -> Filter:
    """What finds a record by a part of its name."""
    return Filter(text, "text", "holds", help=f"Part of the {what}, in any case of letters")


@dataclass(frozen=True, eq=False)
class Listing:
    """A list of the API. `select` is scoped by bind parameters that the caller gives to `fetch`."""

    select: Select[Any]
    id: ColumnElement[int]
    sorts: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    filters: Mapping[str, Filter] = field(default_factory=dict)
    includes: tuple[str, ...] = ()
    default_sort: str = "id"
    is_capped: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What a caller asked of a list. `values` are the filters' values, by filter name."""

    page: int = 1
    per_page: int = PER_PAGE
    sort: str = "id"
    values: Mapping[str, Any] = field(default_factory=dict)
    includes: frozenset[str] = frozenset()
    after: int | None = None


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
    sort = _sort(listing, given.get("sort") or listing.default_sort)
    return Page(
        page=_whole(given, "page", 1),
        per_page=min(_whole(given, "per_page", PER_PAGE), MAX_PER_PAGE),
        sort=sort,
        values=values,
        includes=read_includes(listing, given.get("include", "")),
        after=_cursor(listing, sort, given),
    )


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
        return _pattern(read(f"filter[{name}]", text.strip(), wanted))
    if wanted.compare == "in":
        parts = _parts(text)
        if len(parts) > MAX_VALUES:
            raise errors.Invalid.field(f"filter[{name}]", f"A filter takes at most {MAX_VALUES} values.")
        return [read(f"filter[{name}]", part.strip(), wanted) for part in parts]
    return read(f"filter[{name}]", text.strip(), wanted)


def _parts(text: str) -> list[str]:
    """The values between the commas; a comma or a backslash of a value itself has a backslash before it."""
    parts = [""]
    for escaped, sign in _SIGNS.findall(text):
        if sign == ",":
            parts.append("")
        else:
            parts[-1] += escaped or sign
    return parts


def _pattern(text: str) -> str:
    """What LIKE compares with to find a text that holds this one."""
    for sign in (_ESCAPE, "%", "_"):
        text = text.replace(sign, f"{_ESCAPE}{sign}")
    return f"%{text}%"


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


def _cursor(listing: Listing, sort: str, given: Mapping[str, str]) -> int | None:
    text = given.get("cursor")
    if text is None or not listing.is_capped:
        return None
    if sort.removeprefix("-") != "id":
        raise errors.Invalid.field(
            "cursor", "A cursor goes on in the order of ids; leave sort out or sort by id."
        )
    try:
        id = int(base64.b64decode(text, altchars="-_", validate=True))
    except (ValueError, binascii.Error):
        id = -1
    if not 0 <= id <= MAX_ID:
        raise errors.Invalid.field("cursor", "The cursor is not one that a list answered.")
    return id


def cursor_of(id: int) -> str:
    """The opaque cursor that goes on after this row."""
    return base64.urlsafe_b64encode(str(id).encode()).decode()


def fetch(connection: Connection, listing: Listing, page: Page, **scope: Any) -> Found:
    """The rows of a page, and how many there are in all."""
    names = tuple(sorted(page.values))
    asked = arguments(page, **scope)
    by_cursor = page.after is not None
    statement = _page_statement(listing, page.sort, names, by_cursor)
    offset = 0 if by_cursor else min((page.page - 1) * page.per_page, MAX_ID)
    rows = connection.execute(
        statement,
        {**asked, "limit": page.per_page, "offset": offset, **({"after": page.after} if by_cursor else {})},
    ).all()
    total = _total(connection, listing, page, names, asked, rows)
    if not listing.is_capped:
        return Found(rows, total)
    goes_on = len(rows) == page.per_page and page.sort.removeprefix("-") == "id"
    return Found(rows, min(total, CAP), total > CAP, cursor_of(rows[-1].id) if goes_on else None)


def matching(listing: Listing, page: Page) -> Select[Any]:
    """What a list's filters name, in order, up to the page's size: for work on many rows at once."""
    return _filtered(listing, tuple(sorted(page.values))).order_by(listing.id).limit(page.per_page)


def arguments(page: Page, **scope: Any) -> dict[str, Any]:
    """The parameters of such a statement."""
    return {**scope, **{f"filter_{name}": value for name, value in page.values.items()}}


def _total(
    connection: Connection,
    listing: Listing,
    page: Page,
    names: tuple[str, ...],
    asked: dict[str, Any],
    rows: Sequence[Any],
) -> int:
    if page.page == 1 and page.after is None and len(rows) < page.per_page:
        return len(rows)
    return connection.scalar(_count_statement(listing, names), asked) or 0


@lru_cache(maxsize=512)
def _page_statement(listing: Listing, sort: str, names: tuple[str, ...], by_cursor: bool) -> Select[Any]:
    name = sort.removeprefix("-")
    column = listing.sorts.get(name, listing.id)
    order = [column] if column is listing.id else [column, listing.id]
    if sort.startswith("-"):
        order = [part.desc() for part in order]
    if isinstance(column, Column) and column.nullable:
        # Else SQLite has what is not there yet at the beginning, and PostgreSQL at the end.
        order[0] = order[0].nulls_last() if sort.startswith("-") else order[0].nulls_first()
    statement = _filtered(listing, names).order_by(*order)
    if by_cursor:
        after: BindParameter[int] = bindparam("after")
        statement = statement.where(listing.id < after if sort.startswith("-") else listing.id > after)
    return statement.limit(bindparam("limit")).offset(bindparam("offset"))


@lru_cache(maxsize=512)
def _count_statement(listing: Listing, names: tuple[str, ...]) -> Select[Any]:
    matching = _filtered(listing, names).with_only_columns(listing.id)
    if listing.is_capped:
        matching = matching.limit(CAP + 1)
    return select(func.count()).select_from(matching.subquery())


def _filtered(listing: Listing, names: tuple[str, ...]) -> Select[Any]:
    statement = listing.select
    for name in names:
        wanted = listing.filters[name]
        key = f"filter_{name}"
        match wanted.compare:
            case "in":
                statement = statement.where(wanted.column.in_(bindparam(key, expanding=True)))
            case "from":
                statement = statement.where(wanted.column >= bindparam(key, type_=wanted.column.type))
            case "before":
                statement = statement.where(wanted.column < bindparam(key, type_=wanted.column.type))
            case "holds":
                held = func.lower(type_coerce(wanted.column, Text))
                statement = statement.where(
                    held.like(func.lower(bindparam(key, type_=Text())), escape=_ESCAPE)
                )
    return statement
