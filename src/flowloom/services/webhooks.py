"""Webhooks: signed URLs that start a flow, and the signatures of callers who share a secret."""

from __future__ import annotations

import base64
import binascii
import enum
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from flowloom import errors
from flowloom.services import owned, views
from flowloom.services.actor import Actor
from flowloom.store import query, tables
from flowloom.store.secrets import Vault

WEBHOOKS = tables.webhooks.c
KEY_PREFIX: Final = "whsec_"
MIN_TEXT_SECRET: Final = 16
MIN_KEY_BYTES: Final = 16
TOLERANCE: Final = timedelta(minutes=5)


class Door(enum.StrEnum):
    """How a webhook is called: its caller goes on at once, or waits for the flow's answer."""

    WEBHOOK = "webhook"
    CALLBACK = "callback"


LISTING = query.Listing(
    select=select(tables.webhooks).where(
        WEBHOOKS.flow_id == bindparam("flow_id"), WEBHOOKS.company_id == bindparam("company_id")
    ),
    id=WEBHOOKS.id,
    sorts={name: WEBHOOKS[name] for name in ("name", "created_at")},
)
_FIND = select(tables.webhooks).where(WEBHOOKS.ulid == bindparam("ulid"))


def page(
    connection: Connection, actor: Actor, vault: Vault, base_url: str, flow_id: int, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of a flow's webhooks, their URLs below `base_url`. Raises Missing."""
    owned.load_flow(connection, actor, flow_id)
    found = query.fetch(connection, LISTING, asked, flow_id=flow_id, company_id=actor.company_id)
    return found, [view(row, vault, base_url) for row in found.rows]


def create(
    connection: Connection, actor: Actor, vault: Vault, base_url: str, flow_id: int, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """A webhook of {ulid, name, secret}, the secret None or text. Raises Missing, or Invalid on `secret`."""
    owned.load_flow(connection, actor, flow_id, lock=True)
    row = {
        "company_id": actor.company_id,
        "flow_id": flow_id,
        **fields,
        "secret": _sealed(vault, actor.company_id, fields["secret"]),
        "created_at": actor.at,
    }
    created = connection.execute(insert(tables.webhooks).values(row).returning(tables.webhooks)).one()
    return view(created, vault, base_url)


def remove(connection: Connection, actor: Actor, flow_id: int, id: int) -> None:
    """Delete a webhook: its URL is dead from now on. Raises Missing."""
    owned.load_flow(connection, actor, flow_id)
    removed = delete(tables.webhooks).where(
        WEBHOOKS.id == id, WEBHOOKS.flow_id == flow_id, WEBHOOKS.company_id == actor.company_id
    )
    if not connection.execute(removed).rowcount:
        raise errors.Missing("Webhook", id)


def find(connection: Connection, ulid: str) -> Row[Any]:
    """The webhook with this ULID: {id, company_id, flow_id, secret (sealed), ...}. Raises Missing."""
    row = connection.execute(_FIND, {"ulid": ulid}).one_or_none()
    if row is None:
        raise errors.Missing("Webhook", ulid[:26])
    return row


def secret_of(vault: Vault, row: Row[Any]) -> str | None:
    """The secret that calls of this webhook are signed with, in plain; None when there is none."""
    if row.secret is None:
        return None
    return vault.open(row.secret, context=_seal_context(row.company_id)).decode()


def view(row: Row[Any], vault: Vault, base_url: str) -> dict[str, Any]:
    """A webhook as the API shows it. Its URLs are all that a caller needs, so they are shown to managers only."""
    return {
        "id": row.id,
        "flow_id": row.flow_id,
        "name": row.name,
        "url": _url(row, vault, base_url, Door.WEBHOOK),
        "callback_url": _url(row, vault, base_url, Door.CALLBACK),
        "has_secret": row.secret is not None,
        "created_at": views.instant(row.created_at),
    }


def _url(row: Row[Any], vault: Vault, base_url: str, door: Door) -> str:
    signature = vault.sign(door, str(row.company_id), row.ulid)
    return f"{base_url}/{door}s/{row.company_id}/{row.ulid}?signature={signature}"


def verify_standard(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Check a call's `webhook-id`, `webhook-timestamp` (Unix seconds) and `webhook-signature`; the id.

    Header names are lower case or found in any case. Raises Unauthenticated saying what is wrong.
    """
    id, timestamp = _header(headers, "webhook-id"), _header(headers, "webhook-timestamp")
    given = _header(headers, "webhook-signature")
    _require_recent(timestamp, now)
    signed = f"{id}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.digest(_key(secret), signed, "sha256"))
    # Every signature is compared, so that the time taken tells nothing.
    matches = [hmac.compare_digest(f"v1,{expected.decode()}".encode(), one.encode()) for one in given.split()]
    if not any(matches):
        raise errors.Unauthenticated(
            "The webhook-signature is not one of this body with this webhook's secret."
        )
    return id


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "").strip()
    if not value:
        raise errors.Unauthenticated(f"This webhook takes signed calls only: the header {name} is missing.")
    return value


def _require_recent(timestamp: str, now: datetime) -> None:
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        raise errors.Unauthenticated("The webhook-timestamp is no number of seconds since 1970.")
    if abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():
        raise errors.Unauthenticated(
            "The webhook-timestamp is over five minutes off; check the sender's clock."
        )


def _sealed(vault: Vault, company_id: int, secret: str | None) -> str | None:
    if secret is None:
        return None
    if secret.startswith(KEY_PREFIX):
        if len(_decoded(secret) or b"") < MIN_KEY_BYTES:
            raise errors.Invalid.field(
                "secret", f"After {KEY_PREFIX} comes the base64 of {MIN_KEY_BYTES} bytes or more."
            )
    elif len(secret) < MIN_TEXT_SECRET:
        raise errors.Invalid.field(
            "secret", f"A secret has {MIN_TEXT_SECRET} characters or more, or is {KEY_PREFIX} and base64."
        )
    return vault.seal(secret.encode(), context=_seal_context(company_id))


def _key(secret: str) -> bytes:
    """What signatures are made with: the decoded bytes of a `whsec_` secret, else the text itself."""
    decoded = _decoded(secret) if secret.startswith(KEY_PREFIX) else None
    return secret.encode() if decoded is None else decoded


def _decoded(secret: str) -> bytes | None:
    """The bytes of a `whsec_` secret; None when it is no base64."""
    text = secret.removeprefix(KEY_PREFIX)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _seal_context(company_id: int) -> str:
    return f"webhook:{company_id}"
