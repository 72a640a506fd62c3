"""A version of a flow: its states and what each allows.

At most one version of a flow is a Draft and one Deployed. Only a Draft can be edited, only a Draft or an Inactive
one deployed or deleted, only a Deployed or an Inactive one copied.
"""

from __future__ import annotations

import enum
import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from flowloom import errors


class Status(enum.StrEnum):
    DRAFT = "Draft"
    INACTIVE = "Inactive"
    DEPLOYED = "Deployed"


# A clock that runs a little ahead is a client's right; more is a planned release, which there is none of yet.
MAX_AHEAD: Final = timedelta(minutes=5)


def require_editable(iteration: int, status: str) -> None:
    """Raise VersionLocked unless the version is a Draft."""
    if status != Status.DRAFT:
        raise errors.VersionLocked(iteration, status)


def require_deletable(iteration: int, status: str) -> None:
    """Raise Forbidden for the Deployed version."""
    if status == Status.DEPLOYED:
        raise errors.Forbidden(
            f"Version {iteration} is Deployed; undeploy it (deployed_at: null) or deploy another one first."
        )


def require_copyable(iteration: int, status: str) -> None:
    """Raise Invalid for a Draft: it is the draft already."""
    if status == Status.DRAFT:
        raise errors.Invalid.field(
            "version", f"Version {iteration} is the Draft itself; copy a Deployed or Inactive version."
        )


def require_due(deployed_at: datetime, now: datetime) -> None:
    """Raise Invalid for a deployment more than five minutes ahead."""
    if deployed_at > now + MAX_AHEAD:
        raise errors.Invalid.field(
            "deployed_at", "A version is deployed now, not later; send a timestamp that is not in the future."
        )


def content_hash(definition: Any) -> str:
    """The sha256, in hex, of a definition's canonical JSON: keys sorted, no spaces."""
    return hashlib.sha256(canonical(definition)).hexdigest()


def canonical(definition: Any) -> bytes:
    """The one JSON text of a definition."""
    return msgspec.json.encode(definition, order="sorted")
