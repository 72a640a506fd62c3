"""What every table is made of: the naming of constraints, ids, references and times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, MetaData

from flowloom.store.columns import Id, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# A deleted row's id is never given again: an old link must not lead to a new record.
KEEP_IDS: Any = {"sqlite_autoincrement": True}

_REFERENCES = {
    "companies": "company_id",
    "flows": "flow_id",
    "flow_versions": "flow_version_id",
    "marketplace_apps": "marketplace_app_id",
    "data_pools": "data_pool_id",
    "lookup_tables": "lookup_table_id",
}


def id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def of(parent: str, *, index: bool = False) -> Column[int]:
    """A required reference whose rows go with the parent's."""
    target = ForeignKey(f"{parent}.id", ondelete="CASCADE")
    return Column(_REFERENCES[parent], Id, target, nullable=False, index=index)


def times() -> tuple[Column[datetime], Column[datetime]]:
    return Column("created_at", Instant, nullable=False), Column("updated_at", Instant, nullable=False)
