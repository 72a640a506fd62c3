"""Whether rows come as a receive needs them that goes by a column: rising, each value once, none NULL.

Else the statement would pass over rows at the next page, and nobody would know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from flowloom.steps import contract

Row = Mapping[str, object]


def require_rising(column: str, rows: Sequence[Row]) -> None:
    """Raise RequestFailed for rows after which no page can go on; the last one is the first of that page.

    How a database sorts texts is its own affair: of them only equal ones are seen.
    """
    values = [row.get(column) for row in rows]
    if column not in rows[0]:
        raise _wrong(f"column '{column}' is not among those that the statement answers.")
    if None in values:
        raise _wrong(f"column '{column}' is NULL in a row; leave such rows out of the statement.")
    for one, other in pairwise(values):
        if one == other:
            raise _wrong(f"column '{column}' has a value twice; go by one that has each value once.")
        if _falls(one, other):
            raise _wrong(f"column '{column}' does not rise from row to row; sort the statement by it.")


def require_new(column: str, row: Row, last: object, first: object) -> None:
    """Raise RequestFailed for a page that begins with a row read before: `last` ended the page before it, and `first`
    began the first one, with which rows begin anew that fall."""
    value = row.get(column)
    if value in (last, first) or _falls(last, value):
        raise _wrong(
            f"the statement answers rows again; it is to ask for what is greater than :after in column "
            f"'{column}', and to sort by it, rising."
        )


def _falls(one: object, other: object) -> bool:
    return isinstance(one, int | float) and isinstance(other, int | float) and one > other


def _wrong(why: str) -> contract.RequestFailed:
    return contract.RequestFailed(f"The pages cannot go on: {why}", passing=False, error_class="data")
