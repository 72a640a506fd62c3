"""What a connection takes from its connector: base URL, authentication, headers and time, its variables filled in.

A connection's row holds what results, so that runs need no connector. What equals the connector's is taken to be
the connector's, and follows it; everything else is the connection's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from flowloom import errors
from flowloom.domain import templates
from flowloom.services import secret_variables
from flowloom.services.actor import Actor
from flowloom.store import query, tables

CONNECTORS = tables.connectors.c
# Templates that only variables fill in do not depend on it.
_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


def completed(connection: Connection, actor: Actor, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a connection, those that it lacks from its connector. Raises Invalid.

    `variables` comes out with the connector's defaults, `auth` with its type.
    """
    require_variables(fields["variables"])
    document = document_of(connection, actor, fields["connector_id"])
    _require_no_secret(document, fields["variables"])
    defaults = _defaults(document)
    variables = {
        **{name: value for name, value in defaults.items() if name not in fields["secrets"]},
        **fields["variables"],
    }
    secret_variables.require_apart(fields["secrets"], variables)
    offered = _offered(document, variables)
    return {
        **fields,
        "variables": variables,
        "base_url": fields["base_url"] or offered["base_url"],
        "timeout_seconds": fields["timeout_seconds"] or offered["timeout_seconds"],
        "headers": {**offered["headers"], **fields["headers"]},
        "auth": _auth(fields.get("auth"), offered["auth"]),
    }


def own(document: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Of the fields of a connection, those that are not from a connector with this document."""
    if not document:
        return dict(fields)
    defaults = _defaults(document)
    offered = _offered(document, {**defaults, **fields["variables"]})
    auth: Mapping[str, Any] | None = fields["auth"]
    if fields["auth"]["type"] == offered["auth"]["type"]:
        auth = _without(fields["auth"], offered["auth"]) or None
    return {
        **fields,
        "variables": _without(fields["variables"], defaults),
        "base_url": None if fields["base_url"] == offered["base_url"] else fields["base_url"],
        "timeout_seconds": _unless(fields["timeout_seconds"], offered["timeout_seconds"]),
        "headers": _without(fields["headers"], offered["headers"]),
        "auth": auth,
    }


def changed(
    connection: Connection, actor: Actor, stored: Mapping[str, Any], fields: Mapping[str, Any]
) -> dict[str, Any]:
    """The stored fields of a connection with some of them changed, completed. Raises Invalid.

    A connection that lets go of its connector keeps what it had from it.
    """
    before: Mapping[str, Any] = stored
    if fields.get("connector_id", stored["connector_id"]) is not None:
        before = own(document_of(connection, actor, stored["connector_id"]), stored)
    return completed(connection, actor, {**before, **fields})


def document_of(connection: Connection, actor: Actor, connector_id: int | None) -> Mapping[str, Any]:
    """The document of the company's connector, which stays until the transaction ends; empty without one.

    Raises Invalid on `connector_id`.
    """
    if connector_id is None:
        return {}
    found = None
    if 0 < connector_id <= query.MAX_ID:
        own = (CONNECTORS.id == connector_id, CONNECTORS.company_id == actor.company_id)
        statement = select(CONNECTORS.document).where(*own).with_for_update(read=True)
        found = connection.scalar(statement)
    if found is None:
        raise errors.Invalid.field("connector_id", f"Connector {connector_id} was not found.")
    document: Mapping[str, Any] = found
    return document


def _defaults(document: Mapping[str, Any]) -> dict[str, Any]:
    variables = document.get("variables", ())
    return {variable["name"]: variable["default"] for variable in variables if "default" in variable}


def _require_no_secret(document: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
    """Raise Invalid for what a connector calls secret and a connection gives as an open variable."""
    for variable in document.get("variables", ()):
        if variable.get("is_secret") and variable["name"] in variables:
            raise errors.Invalid.field(
                f"variables.{variable['name']}",
                f"The connector says that '{variable['name']}' is secret; give it in secrets.",
            )


def _offered(document: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """What a connector gives to a connection with these variables. Raises Invalid for a missing one."""
    base_url = document.get("base_url")
    return {
        "base_url": None if base_url is None else _filled(base_url, variables),
        "timeout_seconds": document.get("timeout_seconds"),
        "headers": _all_filled(document.get("headers", {}), variables),
        "auth": _all_filled(document.get("auth", {"type": "none"}), variables),
    }


def _all_filled(texts: Mapping[str, str], variables: Mapping[str, Any]) -> dict[str, str]:
    return {name: _filled(text, variables) for name, text in texts.items()}


def _filled(text: str, variables: Mapping[str, Any]) -> str:
    template = templates.compile(text)
    for name in sorted(template.variables - variables.keys()):
        raise errors.Invalid.field(
            f"variables.{name}", f"The connector needs the variable '{name}' and has no default for it."
        )
    return template.render(templates.Scope(variables, None, _ANY_TIME))


def _auth(asked: Mapping[str, Any] | None, offered: Mapping[str, Any]) -> dict[str, Any]:
    """The authentication that is asked for, of the connector's kind unless it says another. Raises Invalid."""
    if asked is None:
        return dict(offered)
    given = {name: value for name, value in asked.items() if value is not None}
    if "type" not in given and offered["type"] == "none":
        raise errors.Invalid.field("auth.type", "auth.type is required where no connector tells it.")
    return {**offered, **given} if given.get("type", offered["type"]) == offered["type"] else given


def require_variables(variables: Mapping[str, Any]) -> None:
    """Raise Invalid on `variables.<name>` for what no template could name."""
    for name in variables:
        if not templates.is_variable_name(name):
            raise errors.Invalid.field(
                f"variables.{name[:50]}", "A variable's name has letters, digits, '_', '-' and '.' only."
            )


def _without(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in others or value != others[name]}


def _unless(value: Any, other: Any) -> Any:
    return None if value == other else value
