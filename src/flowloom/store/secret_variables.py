"""Secret variables as they are kept: by name, sealed, with a digest that tells one value from another.

Neither says anything of the value to whoever lacks the server's key. Both are bound to the company, to what has the
variable and to its name, so that none can be put in another one's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, select

from flowloom.store import tables
from flowloom.store.secrets import Vault

FLOW: Final = "flow"
CONNECTION: Final = "connection"
CHANNEL: Final = "channel"
Kept = Mapping[str, Mapping[str, str]]


def seal(vault: Vault, owner: str, company_id: int, name: str, value: str) -> dict[str, str]:
    """{sealed, digest} of a value; `owner` is FLOW, CONNECTION or CHANNEL."""
    place = _place(owner, company_id, name)
    return {"sealed": vault.seal(value.encode(), context=place), "digest": vault.digest(place, value)}


def is_same(
    vault: Vault, owner: str, company_id: int, name: str, value: str, kept: Mapping[str, str]
) -> bool:
    """Whether this is the value that is kept."""
    return kept["digest"] == vault.digest(_place(owner, company_id, name), value)


def opened(vault: Vault, owner: str, company_id: int, kept: Kept) -> dict[str, str]:
    """The values by name. Raises errors.Invalid when one cannot be opened."""
    return {
        name: vault.open(one["sealed"], context=_place(owner, company_id, name)).decode()
        for name, one in kept.items()
    }


def of_definition(connection: Connection, vault: Vault, company_id: int, content_hash: str) -> dict[str, str]:
    """The values that were kept with a definition, by name. Raises errors.Invalid when one cannot be opened."""
    columns = tables.definitions.c
    kept = connection.scalar(select(columns.secrets).where(columns.content_hash == content_hash))
    return opened(vault, FLOW, company_id, kept or {})


def _place(owner: str, company_id: int, name: str) -> str:
    return f"{owner}-variable:{company_id}:{name}"
