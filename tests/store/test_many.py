"""Many rows at once: what is read back is what was handed over, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from tests.store.rows import NOW

from flowloom.store import many, tables

PAYLOADS = tables.payloads.c
COLUMNS = (PAYLOADS.position, PAYLOADS.state, PAYLOADS.body, PAYLOADS.created_at)


def payload(position, **fields):
    row = {"run_id": 1, "company_id": 1, "step_key": "send", "position": position, "kind": "effect"}
    return {**row, "state": {"of": "0"}, "bytes": 1, "body": b"\0\xff", "created_at": NOW, **fields}


def kept(opened):
    wanted = select(*COLUMNS).order_by(PAYLOADS.position)
    return opened.database.read_now(lambda db: [tuple(row) for row in db.execute(wanted)])


def insert(opened, *rows, **fields):
    opened.database.write_now(lambda db: many.insert(db, tables.payloads, rows, **fields))


def test_each_value_comes_back_as_its_column_keeps_it(opened):
    insert(opened, payload("0"), payload("1", state=None, body=None))
    assert kept(opened) == [("0", {"of": "0"}, b"\0\xff", NOW), ("1", None, None, NOW)]


def test_a_row_whose_key_is_taken_stays_out_and_the_others_come_in(opened):
    insert(opened, payload("0"), unless=())
    insert(opened, payload("0", body=b"new"), payload("1"), unless=())
    assert [row[2] for row in kept(opened)] == [b"\0\xff", b"\0\xff"]


def test_a_row_that_lacks_a_key_of_the_first_is_refused(opened):
    short = {name: value for name, value in payload("1").items() if name != "body"}
    with pytest.raises(KeyError):
        insert(opened, payload("0"), short)
    assert kept(opened) == []


def test_no_rows_are_no_statement(opened):
    insert(opened)
    assert kept(opened) == []


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_no_id_comes_back_of_rows_that_are_only_written(dialect):
    """For each of thousands a second that was a row to send and to read."""
    assert "RETURNING" not in many._insert(dialect, tables.run_logs, ("run_id", "level"), None)._text
