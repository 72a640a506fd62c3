"""Where the secrets of a version and of connections may stand: in what a connector sends, and nowhere else.

What other steps make of a value is kept as a payload, a variable, a message or a key, and may be changed beyond
recognition on the way, so that nothing could take it out again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from flowloom.domain import graph

CONNECTOR: Final = "connector"
FIELDS: Final = frozenset({"config.url", "config.query", "config.headers", "config.body"})


def faults(
    step: graph.Step, used: Mapping[str, Collection[str]], secrets: Collection[str]
) -> dict[str, list[str]]:
    """What is wrong with a step's use of these secrets, by field; `used` are the names that each field uses."""
    return {
        field: [
            f"'{name}' is a secret; only url, query, headers and body of a connector may hold one."
            for name in sorted(hidden)
        ]
        for field, names in used.items()
        if not _may_hold(step, field) and (hidden := set(names) & set(secrets))
    }


def _may_hold(step: graph.Step, field: str) -> bool:
    return step.microservice == CONNECTOR and field in FIELDS


def overwritten(names: Collection[str], secrets: Collection[str]) -> dict[str, list[str]]:
    """The secrets among the variables that a step sets, as faults by field."""
    return {
        f"config.variables.{name}": [f"'{name}' is a secret of this version; set a variable of another name."]
        for name in sorted(set(names) & set(secrets))
    }
