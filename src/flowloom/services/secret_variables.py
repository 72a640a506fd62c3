"""Secret variables of versions, connections and channels: what may be one, and what a change leaves of those there are.

They go in and never come out. Given, they replace the whole set; null keeps what a name stands for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from flowloom import errors
from flowloom.domain import templates
from flowloom.store import redaction
from flowloom.store import secret_variables as stored
from flowloom.store.secrets import Vault

# What is shorter is left in data where it may be part of a word, so it would not be kept secret.
MIN_CHARACTERS: Final = 8
MAX_CHARACTERS: Final = 10_000
MAX_SECRETS: Final = 100

Given = Mapping[str, str | None]


def judge(given: Given, place: str = "secrets") -> None:
    """Raise Invalid below `place` for what no secret may be or be called."""
    if len(given) > MAX_SECRETS:
        raise errors.Invalid.field(place, f"There are at most {MAX_SECRETS} secrets, not {len(given):,}.")
    for name, value in given.items():
        field = f"{place}.{name[:50]}"
        if not templates.is_variable_name(name):
            raise errors.Invalid.field(
                field, "A secret's name has letters, digits, '_', '-' and '.' only, up to 200 of them."
            )
        if value is not None and not _is_hideable(value):
            raise errors.Invalid.field(
                field,
                f"A secret has {MIN_CHARACTERS} to {MAX_CHARACTERS:,} characters: what is shorter cannot be told "
                "from other data, and would be shown.",
            )


def _is_hideable(value: str) -> bool:
    return (
        MIN_CHARACTERS <= len(value.strip()) <= len(value) <= MAX_CHARACTERS
        and value not in redaction.REDACTED
    )


def merged(
    vault: Vault, owner: str, company_id: int, kept: stored.Kept, given: Given | None, place: str = "secrets"
) -> dict[str, Any]:
    """The secrets after a change, as they are kept; None leaves all as they are. A value that stays is not sealed anew.

    Raises Invalid for a null without a secret to keep.
    """
    if given is None:
        return dict(kept)
    found: dict[str, Any] = {}
    for name, value in given.items():
        before = kept.get(name)
        if value is None and before is None:
            raise errors.Invalid.field(
                f"{place}.{name}", f"There is no secret '{name}' to keep; give its value."
            )
        is_kept = before is not None and (
            value is None or stored.is_same(vault, owner, company_id, name, value, before)
        )
        found[name] = before if is_kept else stored.seal(vault, owner, company_id, name, value or "")
    return found


def require_apart(secrets: Collection[str], variables: Collection[str], place: str = "secrets") -> None:
    """Raise Invalid for a name that is a variable and a secret."""
    for name in sorted(set(secrets) & set(variables)):
        raise errors.Invalid.field(
            f"{place}.{name}", f"'{name}' is a variable and a secret; a name is only one of them."
        )
