"""Payload bodies at rest: small ones inline and compressed, large ones elsewhere, named by content and day.

A name is written on its day alone, so a body of an earlier day that no row names will never be named again: any
process may remove it, whatever the others are about to write.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

import structlog

from flowloom import errors
from flowloom.domain import declaration, formats
from flowloom.domain.payload import Payload
from flowloom.store import bucket, folder

log = structlog.get_logger(__name__)

INLINE_BYTES = 64 * 1024
COMPRESS_FROM_BYTES = 512
# From the end of its day on, for how long a row that names a body may be on its way.
SETTLES_AFTER: Final = timedelta(days=1)
# 192 bits of the content's hash name it.
_DIGITS: Final = 48
_DAY: Final = re.compile(r"-(\d{8})")


@dataclass(frozen=True, slots=True)
class Packed:
    """A body ready to be stored: inline in `body`, or elsewhere under the name `blob`. `raw` is what it was made of."""

    size_bytes: int
    encoding: str | None
    body: bytes | None
    blob: str | None
    raw: bytes = field(default=b"", repr=False)


class Shelf(Protocol):
    """Where large bodies are: a folder or a bucket. All raise OSError whose `strerror` can be shown."""

    def check(self) -> list[str]:
        """Why it cannot be reached now, in words. Raises errors.Invalid for what waiting does not mend."""

    def put(self, name: str, content: bytes) -> None:
        """Keep a body for good, whole or not at all; one of that name is the same."""

    def get(self, name: str) -> bytes:
        """Raises FileNotFoundError for one that is gone."""

    def has(self, name: str) -> bool: ...

    def remove(self, name: str) -> None:
        """One that is gone already is as gone as it shall be."""

    def names(self) -> Iterator[str]: ...


class Blobs:
    """The large bodies. Writing the same content twice on one day is one file or object."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime]) -> None:
        self._shelf = shelf
        self._clock = clock
        self._fault: str | None = None

    def faults(self) -> list[str]:
        """Why the last body that should have been kept was not, asking again; nothing when it would be."""
        if self._fault is not None:
            with contextlib.suppress(errors.Busy, OSError):
                name = self._write(b"Can this be written?")
                self._shelf.remove(name)
        return [] if self._fault is None else [self._fault]

    def pack(self, raw: bytes) -> Packed:
        """Compress where it pays, and keep a large body for good before its row may name it.

        Raises errors.Busy when it is not taken. What is over INLINE_BYTES may take long: call it in a thread.
        """
        if len(raw) < COMPRESS_FROM_BYTES:
            return Packed(len(raw), None, raw, None, raw)
        packed = zlib.compress(raw, 1)
        if min(len(packed), len(raw)) <= INLINE_BYTES:
            return Packed(len(raw), "zlib", packed, None, raw)
        return Packed(len(raw), "zlib", None, self._write(packed), raw)

    def unpack(self, encoding: str | None, body: bytes | None, blob: str | None) -> bytes:
        """The raw body again. Raises errors.Missing when retention has removed it, Busy when it cannot be read."""
        if body is None and blob is not None:
            body = self._read(blob)
        if body is None:
            return b""
        return zlib.decompress(body) if encoding == "zlib" else body

    def has(self, blob: str) -> bool:
        """Raises errors.Busy when that cannot be told now."""
        try:
            return self._shelf.has(blob)
        except OSError as error:
            raise _unreadable(error) from error

    def copy(self, blob: str, to: Blobs) -> None:
        """Keep a body elsewhere too, under its name. Raises errors.Missing, Busy."""
        packed = self._read(blob)
        try:
            to._shelf.put(blob, packed)
        except OSError as error:
            raise errors.Busy(f"A payload body cannot be written now ({error.strerror}).") from error

    def remove(self, blob: str, now: datetime) -> None:
        """Remove a body that no row names, unless it is so young that somebody's row is still on its way."""
        if not is_settled(blob, now):
            return
        try:
            self._shelf.remove(blob)
        except OSError as error:
            # The next sweep finds it again.
            log.warning("blob_not_removed", blob=blob, reason=str(error.strerror))

    def settled(self, now: datetime) -> Iterator[str]:
        """The names of the bodies that nobody writes any more; those that no row names can go. Raises errors.Busy."""
        try:
            yield from (name for name in self._shelf.names() if is_settled(name, now))
        except OSError as error:
            raise _unreadable(error) from error

    def _read(self, blob: str) -> bytes:
        try:
            return self._shelf.get(blob)
        except FileNotFoundError:
            raise errors.Missing("Payload body", blob[:12]) from None
        except OSError as error:
            log.error("blob_not_read", blob=blob, reason=str(error))
            raise _unreadable(error) from error

    def _write(self, packed: bytes) -> str:
        blob = _name(packed, self._clock())
        try:
            self._shelf.put(blob, packed)
        except OSError as error:
            self.note(f"large payload bodies cannot be written ({error.strerror})")
            raise errors.Busy(
                f"A payload body cannot be written now ({error.strerror}); try again."
            ) from error
        self.note(None)
        return blob

    def note(self, fault: str | None) -> None:
        """Log when writing begins to fail, and when it works again."""
        before, self._fault = self._fault, fault
        if fault is not None and before is None:
            log.error("blobs_not_written", reason=fault)
        if fault is None and before is not None:
            log.info("blobs_written_again")


def open_blobs(url: str | None, data_dir: Path, clock: Callable[[], datetime]) -> Blobs:
    """The bodies at a URL, or in the data directory. One that does not answer yet is waited for.

    Raises errors.Invalid, which names the setting, for one that is not there or not to be used.
    """
    shelf = _shelf(url, data_dir)
    made = Blobs(shelf, clock)
    for fault in shelf.check():
        made.note(f"large payload bodies cannot be written ({fault})")
    return made


def _shelf(url: str | None, data_dir: Path) -> Shelf:
    if url is None:
        return folder.Folder(data_dir / "blobs")
    if url.startswith("s3://"):
        return bucket.Bucket(url)
    return folder.Folder(Path(unquote(urlsplit(url).path)), is_own=False)


def is_settled(blob: str, now: datetime) -> bool:
    """Whether a body of this name is no more written: not since yesterday began. Older names have no day."""
    day = _DAY.search(blob)
    return day is None or day[1] < f"{now - SETTLES_AFTER:%Y%m%d}"


def is_same(blob: str | None, other: str | None) -> bool:
    """Whether two names are of one content, whichever days they are of."""
    return (blob and blob[:_DIGITS]) == (other and other[:_DIGITS])


def _name(packed: bytes, now: datetime) -> str:
    return f"{hashlib.sha256(packed).hexdigest()[:_DIGITS]}-{now:%Y%m%d}"


def _unreadable(error: OSError) -> errors.Busy:
    return errors.Busy(f"A payload body cannot be read now ({error.strerror}); try again.")


def encode(payload: Payload) -> bytes:
    """The bytes of a payload's body, as they are stored and sent. Raises declaration.Unwritable, never when settled."""
    return formats.encode(payload.body, payload.content_type)


def decode(raw: bytes, content_type: str) -> object:
    """The body of stored bytes. CSV and XML that are none stay bytes: the step that looks into them will say so."""
    try:
        return formats.decode(raw, content_type)
    except declaration.Unreadable:
        return raw
