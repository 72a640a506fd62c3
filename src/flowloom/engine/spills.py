"""Answers that are too large for memory: from some size on they are written to a file without a name."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from flowloom.steps import contract

FROM_BYTES: Final = 32 * 1024 * 1024
MAX_BYTES: Final = 4 * 1024 * 1024 * 1024
# Of a spilled answer, what is shown in messages and kept as evidence.
HEAD_BYTES: Final = 16 * 1024


def too_large(what: str, room_bytes: int) -> contract.RequestFailed:
    """What to say of a body that there is no room for."""
    way_out = "ask for less at a time"
    if room_bytes < MAX_BYTES:
        way_out += "; only JSON lists, CSV, and XML with a path to its records may be larger"
    return contract.RequestFailed(f"{what} is over {room_bytes:,} bytes: {way_out}.", passing=False)


@dataclass(slots=True)
class Body:
    """A body on its way in; `from_bytes` None never spills."""

    from_bytes: int | None
    size_bytes: int = 0
    _chunks: list[bytes] = field(default_factory=list)
    _file: BinaryIO | None = None

    def add(self, chunk: bytes) -> None:
        """Raises contract.RequestFailed when the disk does not take it."""
        self.size_bytes += len(chunk)
        if self.from_bytes is None or self.size_bytes <= self.from_bytes:
            self._chunks.append(chunk)
            return
        try:
            self._spill(chunk)
        except OSError as error:
            why = f"The disk cannot take the answer ({error.strerror})."
            raise contract.RequestFailed(why, passing=True) from error

    def _spill(self, chunk: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads it, or with the last reference
            self._file.writelines(self._chunks)
            self._chunks = [b"".join(self._chunks)[:HEAD_BYTES]]
        self._file.write(chunk)

    def finish(self) -> tuple[bytes, BinaryIO | None]:
        """The body, or its beginning and the file, open at its beginning."""
        if self._file is not None:
            self._file.seek(0)
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks), self._file
