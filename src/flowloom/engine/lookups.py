"""The lookup tables that runs read: each is loaded once and kept until it has changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from flowloom.domain import lookup
from flowloom.engine.surroundings import Surroundings
from flowloom.store import lookups

# So many rows of tables are kept in memory, besides those that runs still hold.
KEPT_ROWS: Final = 500_000


class Lookups:
    """Lookup tables by id and revision, the least recently used going first."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._kept: OrderedDict[tuple[int, int], lookup.Lookup] = OrderedDict()

    async def load(self, company_id: int, names: Collection[str]) -> lookup.Lookups:
        """A company's tables by name, as they are now; one that does not exist is left out."""
        if not names:
            return lookup.NONE
        read = self._around.database.read
        found = await self._around.keep(lambda: read(lookups.named, company_id, names))
        return {named.name: await self._table(named) for named in found}

    async def _table(self, named: lookups.Named) -> lookup.Lookup:
        key = named.id, named.revision
        table = self._kept.get(key)
        if table is None:
            # What is read now may be newer than the revision says; the next run then reads it again.
            read = self._around.database.read
            table = self._kept[key] = await self._around.keep(lambda: read(lookups.load, named.id))
            self._make_room()
        self._kept.move_to_end(key)
        return table

    def _make_room(self) -> None:
        while len(self._kept) > 1 and sum(len(table.forward) for table in self._kept.values()) > KEPT_ROWS:
            self._kept.popitem(last=False)
