"""Passwords: their argon2 hashes, made and checked in threads of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar, TypeVarTuple

import argon2

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# OWASP's parameters for argon2id. Two threads bound what a flood of logins takes: 2 cores and 40 MB.
HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_THREADS: Final = ThreadPoolExecutor(2, thread_name_prefix="flowloom-passwords")

# The hash of a password that nobody has: checking it takes an unknown account as long as a known one.
NOBODY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$GrGL01H25sQJrvSFshU14w$EQG1O79qcuHOWxmfsQT4KNbqeoSb8NHkRKNR9jJVBKU"
)


def hash(password: str) -> str:
    """What is kept of a password; takes some 20 ms."""
    return HASHER.hash(password)


def is_right(password: str, password_hash: str | None) -> bool:
    """Whether the hash is this password's; None takes as long and is never right."""
    try:
        HASHER.verify(password_hash or NOBODY, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return password_hash is not None


async def apart(work: Callable[[*Ts], T], *args: *Ts) -> T:
    """Run one of the above without holding up the event loop, a write transaction or other threads."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work, *args)
