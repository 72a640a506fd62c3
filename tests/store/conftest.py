"""An open database of each kind, with one company and one flow that can be started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests import conftest
from tests.store import rows

from flowloom.store.database import Database


@dataclass
class Opened:
    database: Database
    company_id: int
    flow_id: int


@pytest.fixture
def opened(database_url: str) -> Iterator[Opened]:
    yield from _opened(database_url)


@pytest.fixture
def postgres_opened(postgres_url: str) -> Iterator[Opened]:
    """The same on PostgreSQL only, for what several processes do there."""
    conftest.empty(postgres_url)
    yield from _opened(postgres_url)


def _opened(url: str) -> Iterator[Opened]:
    database = Database(url)
    company_id = database.write_now(rows.add_company)
    flow_id = database.write_now(rows.add_flow, company_id)
    yield Opened(database, company_id, flow_id)
    database.close()
