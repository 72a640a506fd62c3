"""The channels of a notification group: what each may be, and how those are kept whose URL has secrets in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from flowloom import errors
from flowloom.domain import templates
from flowloom.services import secret_variables
from flowloom.services.actor import Actor
from flowloom.store import secret_variables as stored
from flowloom.store.secrets import Vault

WEBHOOK = "webhook"
_UNSAFE_IN_URL = re.compile(r"[\s\x00-\x1f\x7f\\]")


def kept(
    vault: Vault, actor: Actor, channels: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The channels as they are kept, in place of those before. Raises Invalid on `channels.<number>.<field>`.

    Where a webhook may lead is checked when it is called: what a name stands for changes. Secrets that are not given
    are those of the channel with the same URL.
    """
    known = {channel["url"]: channel.get("secrets", {}) for channel in before if channel["type"] == WEBHOOK}
    return [
        _webhook(vault, actor, channel, known.get(channel["url"], {}), f"channels.{number}")
        if channel["type"] == WEBHOOK
        else dict(channel)
        for number, channel in enumerate(channels)
    ]


def _webhook(
    vault: Vault, actor: Actor, channel: Mapping[str, Any], before: stored.Kept, place: str
) -> dict[str, Any]:
    url, given = channel["url"], channel.get("secrets")
    if not _is_web_address(url):
        raise errors.Invalid.field(
            f"{place}.url", "Use an absolute http or https URL, without user or fragment."
        )
    secret_variables.judge(given or {}, f"{place}.secrets")
    secrets = secret_variables.merged(
        vault, stored.CHANNEL, actor.company_id, before, given, f"{place}.secrets"
    )
    if not secrets:
        return {"type": WEBHOOK, "url": url}
    _require_known(f"{place}.url", url, secrets)
    return {"type": WEBHOOK, "url": url, "secrets": secrets}


def _require_known(field: str, url: str, secrets: Mapping[str, Any]) -> None:
    """Raise Invalid unless the placeholders of a URL are its secrets, and stand behind the host."""
    named = templates.compile(url, field).variables
    if "{" in urlsplit(url).netloc:
        raise errors.Invalid.field(
            field, "Secrets stand behind the host, as in https://example.com/{{token}}."
        )
    for name in sorted(named - secrets.keys()):
        raise errors.Invalid.field(field, f"There is no secret '{name}'; give it in secrets.")


def view(channel: Mapping[str, Any]) -> dict[str, Any]:
    """A channel as the API shows it: of its secrets the names."""
    shown = dict(channel)
    if "secrets" in shown:
        shown["secrets"] = sorted(shown["secrets"])
    return shown


def _is_web_address(text: str) -> bool:
    if _UNSAFE_IN_URL.search(text):
        return False
    try:
        parts = urlsplit(text)
        has_host = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return has_host and "@" not in parts.netloc and not parts.fragment
