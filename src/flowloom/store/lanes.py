"""Lanes: what is equal for runs of a flow that go one at a time, as the flow's concurrency key says."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, select

from flowloom.domain import templates
from flowloom.store import blobs, tables
from flowloom.store.blobs import Packed

RUNS, VERSIONS = tables.runs.c, tables.versions.c


def of_run(connection: Connection, run_id: int) -> str | None:
    """The lane of a run that there is."""
    lane: str | None = connection.scalar(select(RUNS.lane).where(RUNS.id == run_id))
    return lane


def of_key(
    connection: Connection, flow_id: int, version_id: int, key: str, scope: templates.Scope
) -> str | None:
    """The lane that a key names with a run's variables, payload and meta; None where it comes out empty."""
    template = templates.compile(key, "concurrency_key")
    if template.variables - scope.variables.keys():
        of_version = connection.scalar(select(VERSIONS.variables).where(VERSIONS.id == version_id))
        scope = replace(scope, variables={**(of_version or {}), **scope.variables})
    rendered = template.render(scope).strip()
    named = f"{flow_id}\0{rendered}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(named).hexdigest() if rendered else None


def body_of(body: Packed | None, content_type: str) -> object:
    """The body that a run starts with; nothing, where it is not what its content type says."""
    try:
        return None if body is None else blobs.decode(body.raw, content_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
