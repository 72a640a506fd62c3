"""A disk that keeps a log of what SQLite and Python write below one directory, and fails when it is told to.

It changes, in this process, the file system interface of the very SQLite that the sqlite3 module is linked to. That
one is reached over a connection: in CPython `db` is the first field of sqlite3.Connection, in SQLite the interface
is the first field of `db`, however the two were built. Nothing is really synced: what would survive is computed.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OPEN_CREATE, JOURNALS = 0x4, 0x800 | 0x4000 | 0x80000
FULL = 13
IOERR = 10
IOERR_WRITE, IOERR_FSYNC = IOERR | 3 << 8, IOERR | 4 << 8

# A name stays a pointer: what follows it in memory belongs to it.
OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
DELETE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
CLOSE = CFUNCTYPE(c_int, c_void_p)
WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
SYNC = CFUNCTYPE(c_int, c_void_p, c_int)


class Vfs(Structure):
    """The beginning of a sqlite3_vfs."""

    _fields_ = [
        ("version", c_int),
        ("file_bytes", c_int),
        ("max_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
    ]


class Methods(Structure):
    """A sqlite3_io_methods of version 3; older ones are shorter."""

    _fields_ = [
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("truncate", c_void_p),
        ("sync", c_void_p),
        ("others", c_void_p * 13),
    ]


SHORTER_BYTES = {1: 6 * 8, 2: 2 * 8, 3: 0}


@dataclass(frozen=True, slots=True)
class Create:
    file: int
    path: str
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    file: int
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """A file's content was synced; not `kept`: in vain, and what was unsynced stays so for ever."""

    file: int
    kept: bool = True


@dataclass(frozen=True, slots=True)
class SyncDirectory:
    path: str


@dataclass(frozen=True, slots=True)
class Delete:
    path: str


@dataclass(frozen=True, slots=True)
class Rename:
    file: int
    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that somebody was told, and that must be so from here on."""

    what: Any


def never(operation: str, path: str) -> int | None:
    return None


Fail = Callable[[str, str], int | None]


@dataclass
class Disk:
    """The log of one directory: what lay there at first, then everything in its order.

    `fail` is asked before each write, truncate and sync with its name and path; it answers an errno or None.
    """

    directory: str
    log: list[Any] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    fail: Fail = never

    def __post_init__(self) -> None:
        for path in sorted(Path(self.directory).rglob("*")):
            if path.is_dir():
                self.log.append(Create(next(self.numbers), str(path), is_directory=True))
            elif self.covers(str(path)):
                file = self.file(str(path))
                self.log += [Write(file, 0, path.read_bytes()), Sync(file)]
            self.log.append(SyncDirectory(str(path.parent)))

    def told(self, what: Any) -> None:
        """From here on this must hold after any loss."""
        self.log.append(Fact(what))

    def covers(self, path: str) -> bool:
        return path.startswith(f"{self.directory}/") and not path.endswith(("-shm", ".lock"))

    def file(self, path: str) -> int:
        """The number of the file at a path, created in the log when it is new."""
        if path not in self.files:
            made = Create(next(self.numbers), path)
            self.files[path] = made.file
            self.log.append(made)
        return self.files[path]

    def forget(self, path: str) -> None:
        self.files.pop(path, None)


class Shim:
    """What stands between SQLite and its file system, once in a process and for good: files may stay open."""

    def __init__(self) -> None:
        self.disk: Disk | None = None
        self.vfs = _default_vfs()
        self.open_files: dict[int, tuple[Disk, str, Methods]] = {}
        self.unnamed: set[int] = set()
        self.real_open, self.real_delete = OPEN(self.vfs.open), DELETE(self.vfs.delete)
        self.callbacks = [
            OPEN(self.open),
            DELETE(self.delete),
            CLOSE(self.close),
            WRITE(self.write),
            TRUNCATE(self.truncate),
            SYNC(self.sync),
        ]
        self.tables: dict[int, tuple[Methods, Methods]] = {}
        addresses = [ctypes.cast(callback, c_void_p).value for callback in self.callbacks]
        self.vfs.open, self.vfs.delete, *self.ours = addresses

    def open(self, vfs: int, name: int | None, file: int, flags: int, out: int) -> int:
        disk, path = self.disk, _text(name)
        watched = disk is not None and disk.covers(path)
        code = self.real_open(vfs, name, file, flags, out)
        if code == 0 and watched:
            assert disk is not None
            disk.file(path)
            pointer = ctypes.cast(file, POINTER(c_void_p))
            real, changed = self._table(pointer[0])
            self.open_files[file] = disk, path, real
            if flags & OPEN_CREATE and flags & JOURNALS:
                self.unnamed.add(file)
            pointer[0] = ctypes.addressof(changed)
        return code

    def _table(self, address: int) -> tuple[Methods, Methods]:
        """The methods at an address and the same with ours among them."""
        if address not in self.tables:
            real, changed = Methods(), Methods()
            version = ctypes.cast(address, POINTER(c_int))[0]
            for table in (real, changed):
                ctypes.memmove(
                    ctypes.addressof(table), address, ctypes.sizeof(Methods) - SHORTER_BYTES[version]
                )
            changed.close, changed.write, changed.truncate, changed.sync = self.ours
            self.tables[address] = real, changed
        return self.tables[address]

    def delete(self, vfs: int, name: int, sync_directory: int) -> int:
        disk, path = self.disk, _text(name)
        code = self.real_delete(vfs, name, 0)
        if code == 0 and disk is not None and disk.covers(path):
            disk.log.append(Delete(path))
            disk.forget(path)
            if sync_directory:
                disk.log.append(SyncDirectory(os.path.dirname(path)))
        return code

    def close(self, file: int) -> int:
        *_, real = self.open_files.pop(file)
        self.unnamed.discard(file)
        return CLOSE(real.close)(file)

    def write(self, file: int, buffer: int, size: int, offset: int) -> int:
        disk, path, real = self.open_files[file]
        if error := disk.fail("write", path):
            return FULL if error == errno.ENOSPC else IOERR_WRITE
        disk.log.append(Write(disk.file(path), offset, ctypes.string_at(buffer, size)))
        return WRITE(real.write)(file, buffer, size, offset)

    def truncate(self, file: int, size: int) -> int:
        disk, path, real = self.open_files[file]
        if disk.fail("truncate", path):
            return IOERR
        disk.log.append(Truncate(disk.file(path), size))
        return TRUNCATE(real.truncate)(file, size)

    def sync(self, file: int, flags: int) -> int:
        disk, path, _ = self.open_files[file]
        kept = not disk.fail("sync", path)
        disk.log.append(Sync(disk.file(path), kept))
        if kept and file in self.unnamed:
            self.unnamed.remove(file)
            disk.log.append(SyncDirectory(os.path.dirname(path)))
        return 0 if kept else IOERR_FSYNC


def _text(name: int | None) -> str:
    return os.fsdecode(ctypes.string_at(name)) if name else ""


def _default_vfs() -> Vfs:
    connection = sqlite3.connect(":memory:")
    db = ctypes.cast(id(connection) + object.__basicsize__, POINTER(c_void_p))[0]
    vfs = Vfs.from_address(ctypes.cast(db, POINTER(c_void_p))[0])
    connection.close()
    assert vfs.name == b"unix", f"this Python keeps its SQLite elsewhere: {vfs.name!r}"
    return vfs


_shims: list[Shim] = []


@contextmanager
def watched(directory: Path) -> Iterator[Disk]:
    """Log what is written below a directory by SQLite files opened from here on, and by Python's own calls."""
    if not _shims:
        _shims.append(Shim())
    disk = Disk(os.path.realpath(directory))
    _shims[0].disk = disk
    real = {name: getattr(os, name) for name in ("fsync", "replace", "mkdir", "unlink")}
    for name, function in _watching(disk, real).items():
        setattr(os, name, function)
    try:
        yield disk
    finally:
        _shims[0].disk = None
        for name, function in real.items():
            setattr(os, name, function)


def _watching(disk: Disk, real: dict[str, Callable[..., None]]) -> dict[str, Callable[..., None]]:
    """The calls of `os` that bring a file to the disk, logging. A file's content counts as written when it is
    synced or gets its name."""

    def content(path: str) -> None:
        disk.log.append(Write(disk.file(path), 0, Path(path).read_bytes()))

    def fsync(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if not disk.covers(f"{path}/"):
            return real["fsync"](descriptor)
        if error := disk.fail("sync", path):
            raise OSError(error, os.strerror(error))
        if os.path.isdir(path):
            disk.log.append(SyncDirectory(path))
        else:
            content(path)
            disk.log.append(Sync(disk.file(path)))
        return None

    def replace(path: Any, target: Any) -> None:
        path, target = os.path.realpath(path), os.path.realpath(target)
        if not disk.covers(path):
            return real["replace"](path, target)
        if path not in disk.files:
            content(path)
        real["replace"](path, target)
        disk.files[target] = file = disk.files.pop(path)
        disk.log.append(Rename(file, path, target))
        return None

    def mkdir(path: Any, *mode: int) -> None:
        if disk.covers(str(path)) and (error := disk.fail("mkdir", str(path))):
            raise OSError(error, os.strerror(error))
        real["mkdir"](path, *mode)
        if disk.covers(os.path.realpath(path)):
            disk.log.append(Create(next(disk.numbers), os.path.realpath(path), is_directory=True))

    def unlink(path: Any, **keywords: Any) -> None:
        real["unlink"](path, **keywords)
        if disk.covers(os.path.realpath(path)):
            disk.log.append(Delete(os.path.realpath(path)))
            disk.forget(os.path.realpath(path))

    return {"fsync": fsync, "replace": replace, "mkdir": mkdir, "unlink": unlink}
