"""What a step asks of a database or a file server, and what it is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Query:
    """A statement that only reads; its rows from `skip` on are asked for, `limit` at most.

    `:name` in it stands for a parameter, a JSON value.
    """

    connection_id: int
    statement: str
    parameters: Mapping[str, object]
    skip: int
    limit: int
    timeout_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of rows as JSON values, about how many bytes they are, and the row after them, if there is one."""

    rows: Sequence[dict[str, object]]
    following: dict[str, object] | None
    size_bytes: int

    @property
    def is_last(self) -> bool:
        return self.following is None


@dataclass(frozen=True, slots=True)
class Execution:
    """A statement that writes, once for each set of parameters, in one transaction."""

    connection_id: int
    statement: str
    parameters: Sequence[Mapping[str, object]]
    timeout_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class File:
    """A file on a server: `path` as it was reached, `modified` in seconds since 1970.

    Once read it has its `content` or, when that is large, is `spilled` to an open file.
    """

    path: str
    size_bytes: int
    modified: int
    content: bytes = b""
    spilled: BinaryIO | None = None


@dataclass(frozen=True, slots=True)
class FileList:
    """The files of the directory `path` whose names match a glob `pattern` and come after `after`, sorted by name.

    At most `limit`. Without a pattern, `path` may also be a single file.
    """

    connection_id: int
    path: str
    pattern: str | None
    after: str
    limit: int
    timeout_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class FileRead:
    """The content of a file; no file is answered when it is not there. A large one is refused unless it may spill."""

    connection_id: int
    path: str
    may_spill: bool = False
    timeout_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class FileWrite:
    """Put a file in place of one that may be there: readers see the old content or the whole new one.

    `key` names the temporary file: equal for equal content, so that a second try overwrites the rest of the first.
    """

    connection_id: int
    path: str
    content: bytes
    key: str
    timeout_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class FileDone:
    """Delete a file that was read or, with `directory`, move it there; nothing happens when it is not there any more.

    A file that changed since stays and is answered.
    """

    connection_id: int
    file: File
    directory: str | None
    timeout_seconds: float = 60.0


FileRequest = FileList | FileRead | FileWrite | FileDone
