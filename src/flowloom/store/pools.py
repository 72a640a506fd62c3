"""Data pools: keys that were seen. A run claims new ones; they are for good when it succeeds, and free when it fails.

A claim is known by its place (run, step, position, record), so that after a crash the same place finds its own, and one
whose record stands elsewhere by then too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, bindparam, false, not_, or_, select, update

from flowloom import errors
from flowloom.domain import run
from flowloom.store import database, tables

T = TypeVar("T")
POOLS, ENTRIES, LETTERS = tables.data_pools.c, tables.pool_entries.c, tables.dead_letters.c
RUNS, PAYLOADS = tables.runs.c, tables.payloads.c
# At most so many keys are asked about at a time.
CHUNK: Final = 1000
_FOUND = (
    select(tables.pool_entries)
    .where(ENTRIES.data_pool_id == bindparam("pool_id"), ENTRIES.key.in_(bindparam("keys", expanding=True)))
    .order_by(ENTRIES.key)
)
_TAKE = (
    update(tables.pool_entries)
    .where(ENTRIES.id == bindparam("entry_id"))
    .values(
        run_id=bindparam("new_run_id"),
        position=bindparam("new_position"),
        owner=bindparam("new_owner"),
        is_released=False,
    )
)


def _always(position: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Holder:
    """Who claims: a step of a run, for the payload at a position.

    `attempt` tells apart the times that a run is worked on; `is_held` of a position, whether what was let through there
    before still stands.
    """

    run_id: int
    step_key: str
    position: str
    attempt: str = ""
    is_held: Callable[[str], bool] = _always

    def owner(self, number: int) -> str:
        """What a claim says of the step, the record and the attempt it is for."""
        return f"{self.step_key}/{number}/{self.attempt}"

    def has(self, entry: Row[Any], number: int) -> bool:
        """Whether a claim is this one's own, of an earlier attempt; records may have stood elsewhere then."""
        step_and_number = f"{self.step_key}/{number}"
        if entry.run_id != self.run_id or not entry.owner.startswith(f"{self.step_key}/"):
            return False
        if entry.position == self.position and f"{entry.owner}/".startswith(f"{step_and_number}/"):
            return True
        is_earlier = not entry.owner.endswith(f"/{self.attempt}")
        return is_earlier and not self.is_held(entry.position)


def require(connection: Connection, company_id: int, name: str) -> int:
    """The id of a pool. Raises Invalid on `pool` when there is none of this name."""
    found = select(POOLS.id).where(POOLS.company_id == company_id, POOLS.name == name)
    pool_id: int | None = connection.scalar(found)
    if pool_id is None:
        raise errors.Invalid.field("pool", f"There is no data pool '{name}'; make it, or choose another one.")
    return pool_id


def unknown(connection: Connection, company_id: int, name: str, keys: Mapping[int, str]) -> set[int]:
    """Which of these keys, by number, nobody has put into the pool or claimed. Raises Invalid on `pool`."""
    pool_id = require(connection, company_id, name)
    found = connection.execute(_FOUND, {"pool_id": pool_id, "keys": list(keys.values())})
    known = {entry.key for entry in found if not entry.is_released}
    return {number for number, key in keys.items() if key not in known}


def claim(
    connection: Connection, company_id: int, name: str, holder: Holder, keys: Mapping[int, str], at: datetime
) -> set[int]:
    """Claim keys, by the number of their record; the numbers of those that are new. Of equal keys the first may be.

    What the same place claimed before is new again. Raises Invalid on `pool`.
    """
    pool_id = require(connection, company_id, name)
    left: dict[str, int] = {}
    for number, key in keys.items():
        left.setdefault(key, number)
    new: set[int] = set()
    while left:
        inserted = _insert(connection, pool_id, holder, left, at)
        new.update(left.pop(key) for key in inserted)
        for entry in connection.execute(
            _FOUND.with_for_update(), {"pool_id": pool_id, "keys": list(left)}
        ).all():
            number = left.pop(entry.key)
            if entry.is_released or holder.has(entry, number):
                _take(connection, entry, holder, number)
                new.add(number)
        # What is left was deleted between the two statements: it is tried again.
    return new


def _insert(
    connection: Connection, pool_id: int, holder: Holder, keys: Mapping[str, int], at: datetime
) -> Collection[str]:
    """Claim those that are not in the pool at all; sorted, so that two runs do not wait for each other."""
    rows = [
        {
            "data_pool_id": pool_id,
            "key": key,
            "run_id": holder.run_id,
            "position": holder.position,
            "owner": holder.owner(keys[key]),
            "is_released": False,
            "created_at": at,
        }
        for key in sorted(keys)
    ]
    statement = database.insert_or_ignore(connection, tables.pool_entries).returning(ENTRIES.key)
    return list(connection.scalars(statement, rows))


def _take(connection: Connection, entry: Row[Any], holder: Holder, number: int) -> None:
    taken = {
        "entry_id": entry.id,
        "new_run_id": holder.run_id,
        "new_position": holder.position,
        "new_owner": holder.owner(number),
    }
    connection.execute(_TAKE, taken)


def settle(connection: Connection, run_id: int, status: run.Status, *, has_moved: bool = False) -> None:
    """What becomes of the claims of a run that has ended: kept for good, or released.

    With success those are released that belong to a payload which was left out of a retry, with partial success also
    those of payloads of which open dead letters tell. With partial success all of them are where payloads changed
    their places (`has_moved`): nobody knows then which claim is whose, and no record may be lost.
    """
    own = ENTRIES.run_id == run_id
    if status != run.Status.SUCCESS and (has_moved or status != run.Status.PARTIAL):
        connection.execute(update(tables.pool_entries).where(own).values(is_released=True))
        return
    for some in chunks(_not_worked(connection, run_id, status)):
        released = update(tables.pool_entries).where(own, ENTRIES.position.in_(some))
        connection.execute(released.values(is_released=True))
    kept = update(tables.pool_entries).where(own, ENTRIES.is_released.is_(False))
    connection.execute(kept.values(run_id=None, position=None, owner=None))


def _not_worked(connection: Connection, run_id: int, status: run.Status) -> list[str]:
    """Where a run that succeeded, if in part, has claims for what did not go through it."""
    left_out = _left_out(connection, run_id)
    failed = _open_letters(connection, run_id) if status == run.Status.PARTIAL else set()
    if not left_out and not failed:
        return []
    positions = _positions(connection, run_id)
    below = [one for one in positions if any(part in left_out for part in _upwards(one))]
    return sorted({*below, *_related(positions, failed)})


def hand_on(connection: Connection, run_id: int, to_run_id: int, forgotten: Collection[str]) -> None:
    """Let a retry claim what its run had to release and nobody took; not of steps that it forgets and does anew."""
    of_forgotten = [ENTRIES.owner.startswith(f"{step}/", autoescape=True) for step in forgotten]
    _hand_on(connection, run_id, to_run_id, not_(or_(false(), *of_forgotten)))


def hand_on_payload(connection: Connection, run_id: int, to_run_id: int, position: str) -> None:
    """The same for the re-drive of one payload; what another open dead letter tells of as well waits for that one.

    A claim for a whole list goes with a part of it only where the other parts went on, as they do past a try-catch.
    """
    positions = _positions(connection, run_id)
    if connection.scalar(select(RUNS.status).where(RUNS.id == run_id)) != run.Status.PARTIAL:
        positions = [one for one in positions if one == position or one.startswith(f"{position}.")]
    others = _related(positions, _open_letters(connection, run_id) - {position})
    alone = set(_related(positions, {position})) - set(others)
    for some in chunks(sorted(alone)):
        _hand_on(connection, run_id, to_run_id, ENTRIES.position.in_(some))


def _hand_on(connection: Connection, run_id: int, to_run_id: int, which: ColumnElement[bool]) -> None:
    released = update(tables.pool_entries).where(ENTRIES.run_id == run_id, ENTRIES.is_released, which)
    connection.execute(released.values(run_id=to_run_id, is_released=False))


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in parts that a statement can name."""
    return (values[at : at + CHUNK] for at in range(0, len(values), CHUNK))


def _positions(connection: Connection, run_id: int) -> Sequence[str]:
    """Where a run has claims."""
    found = select(ENTRIES.position).where(ENTRIES.run_id == run_id).distinct()
    return connection.scalars(found).all()


def _open_letters(connection: Connection, run_id: int) -> set[str]:
    """Where payloads of a run failed for good."""
    found = select(LETTERS.position).where(LETTERS.run_id == run_id, LETTERS.state == "open")
    return set(connection.scalars(found))


def _left_out(connection: Connection, run_id: int) -> set[str]:
    """What a run did not work on: of the run that it repeats, it was re-driven or discarded."""
    found = select(PAYLOADS.position).where(PAYLOADS.run_id == run_id, PAYLOADS.kind == "resolved")
    return set(connection.scalars(found))


def _related(positions: Iterable[str], others: Collection[str]) -> list[str]:
    """Those of the positions that are one of the others, or above or below one."""
    above = {part for other in others for part in _upwards(other)}
    return [one for one in positions if one in above or any(part in others for part in _upwards(one))]


def _upwards(position: str) -> Iterator[str]:
    """A position and all those above it: of "0.3.1" also "0.3" and "0".

    Of "0.3~1", where a payload was put since another one has its place, also that place: it may be claimed there.
    """
    while position:
        yield position
        above, _, last = position.rpartition(".")
        if "~" in last:
            yield position.rpartition("~")[0]
        position = above
