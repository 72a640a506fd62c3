"""The models of what flows keep between runs: data pools, lookup tables, cache entries, tracked data. See `schemas`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from flowloom.api import schemas

ShortName = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Description = Annotated[str, StringConstraints(max_length=10_000)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Left = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Right = Annotated[str, StringConstraints(max_length=500)]


class DataPoolUpdate(schemas.Body):
    """What is left out stays as it is."""

    name: ShortName | None = Field(default=None, description="By which steps name it; nobody else's")
    description: Description | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were sent with a value."""
        return self.model_dump(exclude_unset=True, exclude_none=True)


class DataPoolCreate(DataPoolUpdate):
    name: ShortName
    description: Description = ""

    def given(self) -> dict[str, Any]:
        return self.model_dump()


class LookupTableUpdate(DataPoolUpdate):
    """What is left out stays as it is."""


class LookupTableCreate(DataPoolCreate):
    """A table, to be filled afterwards."""


class DataPool(schemas.Record):
    id: int
    name: str
    description: str
    created_at: AwareDatetime
    updated_at: AwareDatetime


class LookupTable(DataPool):
    """A lookup table, without its rows."""


class PoolEntry(schemas.Record):
    id: int
    key: str
    state: Literal["permanent", "claimed", "released"] = Field(
        description="claimed: by a run that goes on; released: by one that failed, so that it is new again"
    )
    flow_run_id: int | None = Field(default=None, description="The run that claimed it")
    created_at: AwareDatetime


class PoolKeys(schemas.Body):
    keys: list[Key] = Field(min_length=1, max_length=1000)


class PoolAdded(schemas.Record):
    added: int = Field(description="How many were not in the pool for good")


class LookupRowCreate(schemas.Body):
    left: Left = Field(description="Once in a table")
    right: Right


class LookupRowUpdate(schemas.Body):
    """What is left out stays as it is."""

    left: Left | None = None
    right: Right | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were sent with a value."""
        return self.model_dump(exclude_unset=True, exclude_none=True)


class LookupRow(schemas.Record):
    id: int
    left: str
    right: str


class CacheEntry(schemas.Record):
    id: int
    scope: str = Field(description="company, flow:<id> or run:<id>")
    key: str
    bytes: int
    value: Any = Field(default=None, description="In a list up to 4 KB; beyond it absent")
    expires_at: AwareDatetime | None = Field(default=None, description="Absent when it stays")
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Tracked(schemas.Record):
    id: int
    entity_type: str
    value: str
    direction: Literal["in", "out"]
    flow_id: int
    flow_version_id: int
    flow_run_id: int
    step_key: str
    created_at: AwareDatetime
