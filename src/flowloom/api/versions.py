"""Versions of a flow over HTTP: operations 1 to 6 of the contract, and its metrics (8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Concatenate, ParamSpec

from sqlalchemy import Connection
from starlette.responses import Response

from flowloom import errors
from flowloom.api import bodies, envelope, schemas
from flowloom.api.call import Call
from flowloom.api.routes import Routes, include_parameter
from flowloom.domain import timestamp
from flowloom.services import metrics, owned, releases, version_results, versions
from flowloom.services.actor import Actor, Role

routes = Routes("Flow Versions")
VERSION = schemas.One[schemas.Version]
P = ParamSpec("P")


@routes.get(
    "/flows/{flow}/versions",
    role=Role.READ_ONLY,
    listing=versions.LISTING,
    answer=schemas.Page[schemas.Version],
)
async def list_versions(call: Call) -> Response:
    """List the versions of a flow."""
    asked = call.asked(versions.LISTING)
    return call.page(asked, await call.read(versions.page, call.id("flow"), asked))


@routes.post("/flows/{flow}/versions", role=Role.MANAGER, answer=VERSION)
async def create_version(call: Call) -> Response:
    """Create an empty Draft; 422 when the flow has a Draft."""
    return await _changed(call, versions.create, call.id("flow"))


@routes.get(
    "/flows/{flow}/versions/{version}",
    role=Role.READ_ONLY,
    parameters=[include_parameter(versions.LISTING)],
    answer=VERSION,
)
async def get_version(call: Call) -> Response:
    """Get a version."""
    includes = call.includes(versions.LISTING)
    return envelope.data(await call.read(versions.get, call.id("flow"), call.id("version"), includes))


@routes.put("/flows/{flow}/versions/{version}", role=Role.MANAGER, body=schemas.VersionUpdate, answer=VERSION)
async def update_version(call: Call) -> Response:
    """Deploy (a timestamp in `deployed_at`) or undeploy (null) a version; label and message may change in any state.

    What is left out stays.
    """
    body = await call.json_object()
    flow, version = call.id("flow"), call.id("version")
    fields = _words(body)
    if body.get("deployed_at") is not None:
        fields["deployed_at"] = parse_instant("deployed_at", body["deployed_at"])
    elif "deployed_at" in body:
        fields["deployed_at"] = None
    if not fields:
        return envelope.data(await call.read(versions.get, flow, version))
    return await _changed(call, releases.change, flow, version, fields, call.if_match)


def _words(body: dict[str, Any]) -> dict[str, Any]:
    """Label and message, where they are given. Raises Invalid."""
    given: dict[str, Any] = {name: body[name] for name in ("label", "message") if name in body}
    return bodies.model(schemas.VersionUpdate, given).model_dump(exclude_unset=True)


@routes.delete("/flows/{flow}/versions/{version}", role=Role.MANAGER, answer=schemas.Message)
async def delete_version(call: Call) -> Response:
    """Delete a Draft or Inactive version; its runs and metrics stay readable."""
    iteration = await call.write(versions.remove, call.id("flow"), call.id("version"), call.if_match)
    return envelope.message(f"Version {iteration} deleted.")


@routes.post("/flows/{flow}/versions/{version}/copy", role=Role.MANAGER, answer=VERSION)
async def copy_version(call: Call) -> Response:
    """Copy a Deployed or Inactive version to a new Draft, in place of the one there is.

    If-Match names the state of the Draft that may be replaced.
    """
    return await _changed(call, versions.copy, call.id("flow"), call.id("version"), call.if_match)


@routes.get(
    "/flows/{flow}/version-metrics",
    role=Role.READ_ONLY,
    listing=metrics.LISTING,
    answer=schemas.Page[schemas.Metric],
)
async def list_version_metrics(call: Call) -> Response:
    """List the metrics of a flow's versions."""
    asked = call.asked(metrics.LISTING)
    return call.page(asked, await call.read(metrics.page, call.id("flow"), asked))


@routes.get(
    "/flows/{flow}/version-results",
    role=Role.READ_ONLY,
    listing=version_results.LISTING,
    answer=schemas.Page[schemas.VersionResult],
)
async def list_version_results(call: Call) -> Response:
    """List how each version of a flow did over a time as a whole

    Whole days, in UTC, of the versions that ran. The quantiles are those of all runs of the time together, within
    2.5 %.
    """
    asked = call.asked(version_results.LISTING)
    return call.page(asked, await call.read(version_results.page, call.id("flow"), asked))


async def _changed(
    call: Call,
    work: Callable[Concatenate[Connection, Actor, P], dict[str, Any]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Response:
    """The answer of what makes or changes a version: the version, its saved state named in the ETag."""

    def tagged(db: Connection) -> tuple[dict[str, Any], dict[str, str]]:
        made = work(db, call.actor, *args, **kwargs)
        return made, {"ETag": owned.etag(owned.load_version(db, call.actor, made["id"]))}

    return envelope.data(*await call.platform.database.write(tagged))


def parse_instant(field: str, value: object) -> datetime:
    """An RFC 3339 timestamp; without an offset it is UTC. Raises Invalid."""
    try:
        if not isinstance(value, str):
            raise TypeError
        return timestamp.parse(value)
    except (TypeError, ValueError, OverflowError):
        raise errors.Invalid.field(
            field, f"{field} takes a timestamp such as 2026-01-31T10:00:00Z, or null."
        ) from None
