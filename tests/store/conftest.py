"""An open database of each kind, with one company and one flow that can be started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.store import rows

from flowloom.store.database import Database


@dataclass
class Opened:
    database: Database
    company_id: int
    flow_id: int


@pytest.fixture
def opened(database_url: str) -> Iterator[Opened]:
    database = Database(database_url)
    company_id = database.write_now(rows.add_company)
    flow_id = database.write_now(rows.add_flow, company_id)
    yield Opened(database, company_id, flow_id)
    database.close()
