"""Who does something, for which company, with which role, and when."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flowloom import errors


class Role(enum.StrEnum):
    """What somebody may do; each role may also do what the ones before it may."""

    READ_ONLY = "read-only"
    USER = "user"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"


RANK: Final = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Actor:
    """One caller at one instant. An API key has no user and acts as manager."""

    company_id: int
    role: Role
    at: datetime
    user_id: int | None = None

    @property
    def is_key(self) -> bool:
        return self.user_id is None

    def require(self, needed: Role) -> None:
        """Raise Forbidden unless the role is high enough."""
        if RANK[self.role] < RANK[needed]:
            raise errors.Forbidden(f"This needs the role {needed}; yours is {self.role}.")
