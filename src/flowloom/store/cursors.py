"""Cursors: where a list goes on, as an opaque text. A list is ordered by ids, or by a time and ids."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, bindparam, tuple_

from flowloom import errors
from flowloom.store import columns

MAX_ID: Final = 2**63 - 1


class Place(NamedTuple):
    """Where a row stands in its list."""

    id: int
    at: datetime | None = None

    def parameters(self) -> dict[str, Any]:
        """Those of a statement that goes on after it."""
        return {"after": self.id} if self.at is None else {"after": self.id, "after_at": self.at}


def encode(id: int, at: datetime | None = None) -> str:
    """The cursor that goes on after a row."""
    text = str(id) if at is None else f"{id}.{columns.to_micros(at)}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def read(text: str, *, is_by_id: bool, is_by_time: bool) -> Place:
    """Where a cursor goes on in a list of this order. Raises Invalid."""
    if not is_by_id and not is_by_time:
        raise errors.Invalid.field(
            "cursor", "A cursor goes on in the order of ids; leave sort out or sort by id."
        )
    try:
        id, *at = (int(part) for part in base64.b64decode(text, altchars="-_", validate=True).split(b"."))
        if 0 <= id <= MAX_ID and len(at) == (not is_by_id):
            return Place(id, *map(columns.from_micros, at))
    except (ValueError, OverflowError, binascii.Error):
        pass
    raise errors.Invalid.field("cursor", "The cursor is not one that a list answered.")


def comes_after(
    id: ColumnElement[int], at: ColumnElement[Any] | None, *, is_falling: bool
) -> ColumnElement[bool]:
    """The rows after a place, whose `parameters` are given to the statement."""
    after: BindParameter[int] = bindparam("after")
    if at is None:
        return id < after if is_falling else id > after
    here, place = tuple_(at, id), tuple_(bindparam("after_at", type_=at.type), after)
    return here < place if is_falling else here > place
