"""Grafana's dashboard: its queries, the metrics they name, and whether Grafana can show it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser

PATH = Path(__file__).parents[1] / "grafana/flowloom.json"
COLUMNS = 24
# What Grafana fills in before it asks Prometheus.
_FILLED_IN = {"$__rate_interval": "1m", "$job": "flowloom"}


def panels(path: Path = PATH) -> list[dict[str, Any]]:
    """What the dashboard shows."""
    found: list[dict[str, Any]] = json.loads(path.read_text())["panels"]
    return found


def queries(path: Path = PATH) -> list[str]:
    """Every query of a panel, as Prometheus gets it."""
    asked = [target["expr"] for panel in panels(path) for target in panel["targets"]]
    return [filled_in(query) for query in asked]


def filled_in(query: str) -> str:
    for name, value in _FILLED_IN.items():
        query = query.replace(name, value)
    return query


def metrics(query: str) -> set[str]:
    """The metrics that a query names. Raises ValueError where it is no PromQL."""
    named: set[str] = set()

    def look(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            named.add(node.name)

    promql_parser.walk(promql_parser.parse(query), look)
    return named


def faults(path: Path) -> Iterator[str]:
    """Queries that are none, variables that nobody fills in, panels that lie upon each other."""
    for query in queries(path):
        if unknown := re.findall(r"\$\w+", query):
            yield f"{query}: nothing fills in {', '.join(unknown)}"
        try:
            metrics(query)
        except ValueError as fault:
            yield f"{query}: {fault}"
    yield from _misplaced(panels(path))


def _misplaced(shown: list[dict[str, Any]]) -> Iterator[str]:
    for one, other in itertools.combinations(shown, 2):
        if one["id"] == other["id"] or _cells(one) & _cells(other):
            yield f"{one['title']} and {other['title']} have one id or one place"
    for panel in shown:
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > COLUMNS:
            yield f"{panel['title']} is wider than the page"


def _cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    place = panel["gridPos"]
    across = range(place["x"], place["x"] + place["w"])
    return set(itertools.product(across, range(place["y"], place["y"] + place["h"])))
