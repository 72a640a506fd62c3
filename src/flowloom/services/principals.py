"""Credentials to actors: API keys by their sha256, tokens by their signature, both checked against the database.

Another process's revocation holds a second later (see `remembered`), one in this process at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, select

from flowloom import errors
from flowloom.services import remembered
from flowloom.services.actor import Actor, Role
from flowloom.services.platform import Platform
from flowloom.store import tables

TOKEN_SECONDS: Final = 86_400
KEY_PREFIX: Final = "flk_"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a credential stands for. `user_id` None: an API key."""

    company_id: int
    role: Role
    user_id: int | None


class Principals:
    """The credentials of this process's callers."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._key = platform.vault.jwt_key()
        self._remembered: remembered.Remembered[Principal] = remembered.Remembered()

    async def resolve(self, credential: str, now: datetime) -> Actor:
        """The actor of an API key or token. Raises Unauthenticated."""
        digest = hash_key(credential)
        principal = await self._remembered.get(digest, now, lambda: self._look_up(credential, digest, now))
        return Actor(principal.company_id, principal.role, now, principal.user_id)

    def forget(self) -> None:
        """Look everybody up again: users or keys changed."""
        self._remembered.forget()

    def issue_token(self, user_id: int, password_hash: str, now: datetime) -> str:
        """A token for a user, valid for 24 hours or until the password changes."""
        import jwt  # for those who sign in: it is 8 MB and 30 ms of the start that callers with keys do without

        claims = {
            "sub": str(user_id),
            "pwd": _fingerprint(password_hash),
            "iat": now,
            "exp": now + timedelta(seconds=TOKEN_SECONDS),
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    async def _look_up(self, credential: str, digest: str, now: datetime) -> Principal:
        if credential.count(".") == 2:
            user_id, fingerprint = self._read_token(credential, now)
            principal = await self._platform.database.read(find_user, user_id, fingerprint)
        else:
            principal = await self._platform.database.read(find_key, digest)
        if principal is None:
            raise errors.Unauthenticated
        return principal

    def _read_token(self, token: str, now: datetime) -> tuple[int, str]:
        import jwt

        try:
            claims = jwt.decode(
                token, self._key, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False}
            )
            if datetime.fromtimestamp(claims["exp"], UTC) <= now:
                raise errors.Unauthenticated
            return int(claims["sub"]), str(claims["pwd"])
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, OverflowError):
            raise errors.Unauthenticated from None


def hash_key(key: str) -> str:
    """What is kept of an API key: its sha256 in hex."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _fingerprint(password_hash: str) -> str:
    return hashlib.sha256(password_hash.encode()).hexdigest()[:16]


_KEYS, _USERS = tables.api_keys.c, tables.users.c
_FIND_KEY = select(_KEYS.company_id).where(_KEYS.key_hash == bindparam("digest"), _KEYS.revoked_at.is_(None))
_FIND_USER = select(_USERS.company_id, _USERS.role, _USERS.password_hash).where(
    _USERS.id == bindparam("user_id")
)


def find_key(connection: Connection, digest: str) -> Principal | None:
    """Who an API key stands for; None for an unknown or revoked one."""
    company_id = connection.scalar(_FIND_KEY, {"digest": digest})
    return None if company_id is None else Principal(company_id, Role.MANAGER, None)


def find_user(connection: Connection, user_id: int, fingerprint: str) -> Principal | None:
    """Who a token's user is now; None for one that is gone or has another password."""
    user = connection.execute(_FIND_USER, {"user_id": user_id}).one_or_none()
    if user is None or _fingerprint(user.password_hash) != fingerprint:
        return None
    return Principal(user.company_id, Role(user.role), user_id)
