"""What a company's steps name: data pools and lookup tables, each with a name of its own kind that nobody else has.

While a Deployed version names one, it is neither renamed nor deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Table, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from flowloom import errors
from flowloom.services import in_use, views
from flowloom.services.actor import Actor
from flowloom.steps import contract, registry
from flowloom.store import query


@dataclass(frozen=True, slots=True)
class Kind:
    """A table of named records. `is_used(compiled, name)` tells whether a step names one; `noun` is "Data pool"."""

    table: Table
    noun: str
    is_used: Callable[[contract.Compiled, str], bool]

    def listing(self) -> query.Listing:
        """The list of these records, by name and time."""
        columns = self.table.c
        return query.Listing(
            select=select(self.table).where(columns.company_id == bindparam("company_id")),
            id=columns.id,
            sorts={name: columns[name] for name in ("name", "created_at", "updated_at")},
            filters={
                "id": query.Filter(columns.id, "id"),
                "name": query.Filter(columns.name, "text", help="Exact names, with commas between"),
                "search": query.part_of(columns.name),
            },
        )

    def load(self, connection: Connection, actor: Actor, id: int, *, lock: bool = False) -> Row[Any]:
        """One record. Raises Missing."""
        own = (self.table.c.id == id, self.table.c.company_id == actor.company_id)
        statement = select(self.table).where(*own)
        row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
        if row is None:
            raise errors.Missing(self.noun, id)
        return row

    def insert(self, connection: Connection, actor: Actor, fields: Mapping[str, Any]) -> int:
        """A record of {name, description}; its id. Raises Invalid on `name` when it is taken."""
        times = {"created_at": actor.at, "updated_at": actor.at}
        row = {"company_id": actor.company_id, **fields, **times}
        try:
            made = connection.execute(insert(self.table).values(row).returning(self.table.c.id))
        except IntegrityError:
            raise self._taken(fields) from None
        return int(made.scalar_one())

    def change(self, connection: Connection, actor: Actor, id: int, fields: Mapping[str, Any]) -> None:
        """Change name or description. Raises Missing; Invalid on `name` when it is taken or in use."""
        row = self.load(connection, actor, id, lock=True)
        if fields.get("name", row.name) != row.name:
            self._require_unused(connection, actor, row, "name", "renamed")
        changed = update(self.table).where(self.table.c.id == id).values(**fields, updated_at=actor.at)
        try:
            connection.execute(changed)
        except IntegrityError:
            raise self._taken(fields) from None

    def require_unused(self, connection: Connection, actor: Actor, id: int) -> None:
        """Raise Missing, or Invalid while a Deployed version names it."""
        row = self.load(connection, actor, id, lock=True)
        self._require_unused(connection, actor, row, self.noun.lower().replace(" ", "_"), "deleted")

    def remove(self, connection: Connection, actor: Actor, id: int) -> None:
        """Delete it with all that it holds. Raises Missing, or Invalid while a Deployed version names it."""
        self.require_unused(connection, actor, id)
        connection.execute(delete(self.table).where(self.table.c.id == id))

    def view(self, row: Row[Any]) -> dict[str, Any]:
        """A record as the API shows it."""
        return {
            "id": row.id,
            "name": row.name,
            "description": row.description,
            "created_at": views.instant(row.created_at),
            "updated_at": views.instant(row.updated_at),
        }

    def _taken(self, fields: Mapping[str, Any]) -> errors.Invalid:
        return errors.Invalid.field(
            "name", f"There is a {self.noun.lower()} '{fields['name']}' already; choose another name."
        )

    def _require_unused(
        self, connection: Connection, actor: Actor, row: Row[Any], field: str, done: str
    ) -> None:
        user = self._user_of(connection, actor, row.name)
        if user is not None:
            raise errors.Invalid.field(
                field, f"{self.noun} '{row.name}' is used by the Deployed {user}; it cannot be {done} before."
            )

    def _user_of(self, connection: Connection, actor: Actor, name: str) -> str | None:
        """A Deployed version that has a step which names it."""
        written = msgspec.json.encode(name).decode()

        def is_used(microservice: str, config: Mapping[str, Any]) -> bool:
            step_type = registry.get(microservice)
            checked, _ = registry.check(step_type, config)
            return checked is not None and self.is_used(step_type.compile(checked, ()), name)

        return in_use.find(connection, actor, written, is_used)
