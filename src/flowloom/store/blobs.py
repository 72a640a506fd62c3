"""Payload bodies at rest: small ones inline and compressed, large ones in files named by their content."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from flowloom import errors
from flowloom.domain import declaration, formats
from flowloom.domain.payload import Payload

log = structlog.get_logger(__name__)

INLINE_BYTES = 64 * 1024
COMPRESS_FROM_BYTES = 512
# Compressing more than this takes long enough to be done in a thread.
LARGE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Packed:
    """A body ready to be stored: inline in `body`, or in the file named by `blob`. `raw` is what it was made of."""

    size_bytes: int
    encoding: str | None
    body: bytes | None
    blob: str | None
    raw: bytes = field(default=b"", repr=False)


class Blobs:
    """The directory of large bodies. Writing the same content twice is one file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # The directories whose names are on the disk for good.
        self._named: set[Path] = set()
        self._fault: str | None = None

    def faults(self) -> list[str]:
        """Why the last body that should have become a file did not, asking the disk again; nothing when it would."""
        if self._fault is not None:
            with contextlib.suppress(errors.Busy):
                self.remove(self._write(b"Can this disk be written?"), unless_since=float("inf"))
        return [] if self._fault is None else [self._fault]

    def pack(self, raw: bytes) -> Packed:
        """Compress where it pays, and write a large body to its file, synced, before its row may name it.

        Raises errors.Busy when the disk does not take it.
        """
        if len(raw) < COMPRESS_FROM_BYTES:
            return Packed(len(raw), None, raw, None, raw)
        packed = zlib.compress(raw, 1)
        if len(packed) <= INLINE_BYTES:
            return Packed(len(raw), "zlib", packed, None, raw)
        return Packed(len(raw), "zlib", None, self._write(packed), raw)

    def unpack(self, encoding: str | None, body: bytes | None, blob: str | None) -> bytes:
        """The raw body again. Raises errors.Missing when retention has removed it, Busy when it cannot be read."""
        if body is None and blob is not None:
            body = self._read(blob)
        if body is None:
            return b""
        return zlib.decompress(body) if encoding == "zlib" else body

    def remove(self, blob: str, unless_since: float) -> None:
        """Remove a file that no row names, unless somebody wrote it since then: their row is on its way."""
        path = self._path(blob)
        if path.exists() and path.stat().st_mtime < unless_since:
            path.unlink(missing_ok=True)

    def older_than(self, instant: float) -> Iterator[str]:
        """The names of the files that nobody wrote since then."""
        for path in self._directory.glob("??/*"):
            if path.stat().st_mtime < instant:
                yield path.name

    def _path(self, blob: str) -> Path:
        return self._directory / blob[:2] / blob

    def _read(self, blob: str) -> bytes:
        try:
            return self._path(blob).read_bytes()
        except FileNotFoundError:
            raise errors.Missing("Payload body", blob[:12]) from None
        except OSError as error:
            log.error("blob_not_read", blob=blob, reason=str(error))
            raise errors.Busy(f"A payload body cannot be read now ({error.strerror}); try again.") from error

    def _write(self, packed: bytes) -> str:
        blob = hashlib.sha256(packed).hexdigest()
        try:
            self._keep(self._path(blob), packed)
        except OSError as error:
            self._note(f"large payload bodies cannot be written ({error.strerror})")
            raise errors.Busy(
                f"A payload body cannot be written now ({error.strerror}); try again."
            ) from error
        self._note(None)
        return blob

    def _keep(self, path: Path, packed: bytes) -> None:
        """Bring a body and its name to the disk, or only the name when somebody else has just written it."""
        try:
            os.utime(path)
        except FileNotFoundError:
            self._make(path.parent)
            _write_synced(path, packed)
        _sync(path.parent)

    def _make(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        if directory not in self._named:
            _sync(self._directory)
            _sync(self._directory.parent)
            self._named.add(directory)

    def _note(self, fault: str | None) -> None:
        """Log when writing begins to fail, and when it works again."""
        before, self._fault = self._fault, fault
        if fault is not None and before is None:
            log.error("blobs_not_written", reason=fault)
        if fault is None and before is not None:
            log.info("blobs_written_again")


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


def encode(payload: Payload) -> bytes:
    """The bytes of a payload's body, as they are stored and sent. Raises declaration.Unwritable, never when settled."""
    return formats.encode(payload.body, payload.content_type)


def decode(raw: bytes, content_type: str) -> object:
    """The body of stored bytes. CSV and XML that are none stay bytes: the step that looks into them will say so."""
    try:
        return formats.decode(raw, content_type)
    except declaration.Unreadable:
        return raw
