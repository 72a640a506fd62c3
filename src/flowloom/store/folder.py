"""Large bodies as files in a folder: each whole under its name, and on the disk before anybody may say so."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from flowloom import errors


class Folder:
    """A folder of one server, or one that several share. One of our own is made when it is first written to."""

    def __init__(self, directory: Path, *, is_own: bool = True) -> None:
        self._directory = directory
        self._is_own = is_own
        # The directories whose names are on the disk for good.
        self._named: set[Path] = set()

    def check(self) -> list[str]:
        """Raises errors.Invalid when a folder that others use too is not there: it may not be mounted yet."""
        if not self._is_own and not self._directory.is_dir():
            raise errors.Invalid.field(
                "FLOWLOOM_BLOB_URL",
                f"FLOWLOOM_BLOB_URL names {self._directory}, which is no directory: make it, or mount what it is on.",
            )
        return []

    def put(self, name: str, content: bytes) -> None:
        """Bring a body and its name to the disk, or only the name when somebody else has just written it."""
        path = self._path(name)
        if not path.exists():
            self._make(path.parent)
            _write_synced(path, content)
        _sync(path.parent)

    def get(self, name: str) -> bytes:
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            if self._directory.is_dir():
                raise
            # A folder that is not mounted holds nothing; that does not mean that the body is gone.
            raise NotADirectoryError(errno.ENOTDIR, f"{self._directory} is not there") from None

    def has(self, name: str) -> bool:
        return self._path(name).exists()

    def remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """Of all that is there, what a write that was cut short left too."""
        return (path.name for path in self._directory.glob("??/*"))

    def _path(self, name: str) -> Path:
        return self._directory / name[:2] / name

    def _make(self, directory: Path) -> None:
        directory.mkdir(parents=self._is_own, exist_ok=True)
        if directory not in self._named:
            _sync(self._directory)
            _sync(self._directory.parent)
            self._named.add(directory)


def _write_synced(path: Path, content: bytes) -> None:
    """Write a file whole: under its name it is there with all its content or not at all."""
    part = path.with_suffix(f".{os.urandom(6).hex()}")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _sync(directory: Path) -> None:
    """Bring the names in a directory to the disk: a synced file without a name would be lost."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
