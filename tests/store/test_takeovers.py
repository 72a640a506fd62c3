"""What a retry copies of another run is held meanwhile: nobody removes a large body between look and name."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from tests.store.conftest import Opened
from tests.world import NOW

from flowloom.store import tables, takeovers


def test_rows_that_are_copied_cannot_be_removed_meanwhile(opened: Opened):
    if opened.database.is_sqlite:
        pytest.skip("there only one transaction writes at a time")
    start = {"step_key": "trigger", "position": "0", "kind": "start", "bytes": 9, "blob": "a-20260302"}
    row = {"run_id": 1, "company_id": opened.company_id, "created_at": NOW, **start}
    opened.database.write_now(lambda db: db.execute(insert(tables.payloads).values(row)))
    engine = opened.database._write_engine
    with engine.begin() as retry:
        takeovers.whole(retry, 2, 1, (), ())
        with engine.connect() as pruner:
            pruner.execute(text("SET lock_timeout = '50ms'"))
            with pytest.raises(DBAPIError, match="lock timeout"):
                pruner.execute(text("DELETE FROM payloads WHERE run_id = 1"))
            pruner.invalidate()
    with engine.begin() as pruner:
        pruner.execute(text("DELETE FROM payloads WHERE run_id = 1"))
        assert pruner.scalar(text("SELECT blob FROM payloads WHERE run_id = 2")) == "a-20260302"
