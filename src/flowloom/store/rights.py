"""Rights on files: what a database holds is its owner's alone, whoever made the file and however it came there."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path

from sqlalchemy import URL

DIRECTORY_MODE = 0o700


def close_database(url: URL) -> None:
    """Take the rights of group and others from a SQLite file and its log; one of another owner is left as it is."""
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            path = Path(f"{url.database}{suffix}")
            path.chmod(stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXU)
