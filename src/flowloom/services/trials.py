"""Trying a step of a version on a payload: what is tried, and what is shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from flowloom import errors
from flowloom.domain import bulk, declaration, formats, payload
from flowloom.domain.payload import Payload
from flowloom.engine.trial import Trial, Tried
from flowloom.services import evidence, graphs, owned, views
from flowloom.services.actor import Actor
from flowloom.steps import registry
from flowloom.store import definitions

MAX_PAYLOAD_BYTES: Final = 1024 * 1024
SHOWN_PAYLOADS: Final = 25
SHOWN_LINES: Final = 50


def prepare(
    connection: Connection, actor: Actor, version_id: int, step_id: int, fields: Mapping[str, Any]
) -> Trial:
    """What is to be tried: {payload, content_type, meta, config?, variables}; without a config, the step's own.

    Raises Missing, and Invalid for a config that is wrong or not complete, or a payload that is not what it says.
    """
    owned.load_version(connection, actor, version_id)
    step = definitions.load_graph(connection, version_id).require_step(step_id)
    definition = definitions.define(connection, version_id)
    tried = next(one for one in definition.steps if one.key == step.key)
    if fields["config"] is not None:
        registry.require_bounded(fields["config"])
        tried = msgspec.structs.replace(tried, config=fields["config"])
    _, problems = registry.check(registry.get(tried.microservice), tried.config)
    if problems:
        raise errors.Invalid(problems)
    graphs.require_variables(fields["variables"])
    return Trial(actor.company_id, definition, tried, _payload(fields), dict(fields["variables"]))


def _payload(fields: Mapping[str, Any]) -> Payload:
    body, content_type = fields["payload"], fields["content_type"]
    raw = body.encode() if isinstance(body, str) else bulk.encode(body)
    if len(raw) > MAX_PAYLOAD_BYTES:
        raise errors.Invalid.field("payload", "The payload is over 1 MB; try the step on a smaller one.")
    if isinstance(body, str) and not payload.is_json_type(content_type):
        try:
            body = formats.decode(raw, content_type)
        except declaration.Unreadable as error:
            raise errors.Invalid.field("payload", error.why) from None
    elif not payload.is_record_type(content_type):
        raise errors.Invalid.field("payload", f"A payload of type {content_type[:100]} is given as text.")
    content_type = payload.fitting_type(content_type, body)
    return Payload(body, content_type, fields["meta"], size_bytes=len(raw))


def view(trial: Trial, tried: Tried) -> dict[str, Any]:
    """What came of it: the first payloads, with the names of their routes where the step has any."""
    names = {route.key: route.name for route in trial.definition.routes}
    return views.present(
        {
            "payloads": [
                {**evidence.payload_view(one), **({} if route is None else {"route": names[route]})}
                for route, one in tried.made[:SHOWN_PAYLOADS]
            ],
            "payloads_count": len(tried.made),
            "variables": tried.variables,
            "logs": [
                {"level": line["level"], "message": line["message"]} for line in tried.logs[:SHOWN_LINES]
            ],
            "failure": tried.failure
            and {"message": tried.failure.why, "error_class": tried.failure.error_class},
        }
    )
