"""Definitions: written as rows and read again they are the same, and each is kept once."""

import pytest
from sqlalchemy import func, select
from tests.store import rows

from flowloom import errors
from flowloom.domain import graph, version
from flowloom.store import definitions, tables

STEPS = [
    graph.StepDefinition(key="trigger", microservice="trigger", name="Trigger", config={}),
    graph.StepDefinition(
        key="r", microservice="route", name="Route", config={"mode": "all"}, parent="trigger"
    ),
    graph.StepDefinition(
        key="a",
        microservice="filter",
        name="A",
        config={"keep": False},
        parent="r",
        route="left",
        position={"x": 1.5, "y": -2},
        is_enabled=False,
        variables={"who": "[[payload.name]]"},
    ),
    graph.StepDefinition(key="b", microservice="map", name="B", config={}, parent="a"),
    graph.StepDefinition(key="c", microservice="map", name="C", config={}, parent="r", route="right"),
]
ROUTES = [
    graph.RouteDefinition(key="left", step="r", name="Left", where={"field": "a", "operator": "is_empty"}),
    graph.RouteDefinition(key="right", step="r", name="Right"),
]
DEFINITION = graph.Definition(steps=STEPS, routes=ROUTES, variables={})


def test_a_definition_written_as_rows_is_read_again(opened):
    db = opened.database
    db.write_now(definitions.write, 1, DEFINITION, rows.NOW)
    assert db.read_now(definitions.define, 1) == DEFINITION


def test_a_definition_is_kept_once_by_its_hash(opened):
    db = opened.database
    db.write_now(definitions.write, 1, DEFINITION, rows.NOW)
    kept = [db.write_now(definitions.keep, 1) for _ in range(2)]
    assert kept == [version.content_hash(DEFINITION)] * 2
    assert db.read_now(definitions.load, kept[0]) == DEFINITION
    assert db.read_now(lambda c: c.scalar(select(func.count()).select_from(tables.definitions))) == 1


def test_an_unknown_hash_is_missing(opened):
    with pytest.raises(errors.Missing, match="Definition ffffffffffff was not found"):
        opened.database.read_now(definitions.load, "f" * 64)
