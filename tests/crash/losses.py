"""What is on a disk after the power went: all that was synced, and of the rest whatever chance has brought there."""

from __future__ import annotations

import os
import random
import shutil
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash import disk

SECTOR = 512
OPEN, SURE, VAIN = "open", "sure", "in vain"


@dataclass
class File:
    """The content that nothing can take away, and what was done since: [operation, how sure it is]."""

    content: bytearray = field(default_factory=bytearray)
    since: deque[list[Any]] = field(default_factory=deque)

    def sync(self, *, kept: bool) -> None:
        """Make what is open sure; a sync that failed leaves it in doubt for ever, as the kernel does."""
        for entry in reversed(self.since):
            if entry[1] == OPEN:
                entry[1] = SURE if kept else VAIN
        while self.since and self.since[0][1] == SURE:
            apply(self.content, self.since.popleft()[0])

    def after_loss(self, chance: random.Random) -> bytes:
        if not self.since:
            return self.content
        content = bytearray(self.content)
        unsure = [entry for entry in self.since if entry[1] != SURE]
        keep = chance.choice((0.0, 1.0, 0.1, 0.5, 0.9))
        cut = chance.randrange(len(unsure) + 1) if unsure and chance.random() < 0.5 else None
        number = 0
        for operation, state in self.since:
            if state == SURE:
                apply(content, operation)
                continue
            if cut is None:
                tear(content, operation, keep, chance)
            elif number < cut:
                apply(content, operation)
            elif number == cut:
                tear(content, operation, 0.5, chance)
            number += 1
        return content


def apply(content: bytearray, operation: disk.Write | disk.Truncate) -> None:
    if isinstance(operation, disk.Truncate):
        del content[operation.size :]
        return
    put(content, operation.offset, operation.content)


def put(content: bytearray, offset: int, written: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(written)] = written


def tear(
    content: bytearray, operation: disk.Write | disk.Truncate, keep: float, chance: random.Random
) -> None:
    """Do an operation with a probability: each sector of a write by itself."""
    if isinstance(operation, disk.Truncate):
        if chance.random() < keep:
            apply(content, operation)
        return
    begin, end = operation.offset, operation.offset + len(operation.content)
    while begin < end:
        stop = min(end, (begin // SECTOR + 1) * SECTOR)
        if chance.random() < keep:
            put(content, begin, operation.content[begin - operation.offset : stop - operation.offset])
        begin = stop


@dataclass
class State:
    """The disk as far as a log was read. `names` are the synced ones, `renamed` what was done to names since."""

    files: dict[int, File] = field(default_factory=lambda: defaultdict(File))
    names: dict[str, int] = field(default_factory=dict)
    renamed: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    directories: set[int] = field(default_factory=set)
    facts: list[Any] = field(default_factory=list)

    def read(self, entry: Any) -> None:
        match entry:
            case disk.Write() | disk.Truncate():
                self.files[entry.file].since.append([entry, OPEN])
            case disk.Sync():
                self.files[entry.file].sync(kept=entry.kept)
            case disk.SyncDirectory():
                for change in self.renamed.pop(entry.path, ()):
                    rename(self.names, change)
            case disk.Fact():
                self.facts.append(entry.what)
            case disk.Create(is_directory=True):
                self.directories.add(entry.file)
                self.renamed[os.path.dirname(entry.path)].append(entry)
            case _:
                self.renamed[os.path.dirname(entry.path)].append(entry)

    def lose(self, chance: random.Random, root: str, into: Path) -> None:
        """Lay out below `into` what is left of the directory `root`."""
        names = dict(self.names)
        for changes in self.renamed.values():
            for change in chosen(changes, chance):
                rename(names, change)
        for path, file in sorted(names.items()):
            target = into / os.path.relpath(path, root)
            if not target.parent.is_dir():
                continue  # a directory that was lost takes along what lay in it
            if file in self.directories:
                target.mkdir()
            else:
                target.write_bytes(self.files[file].after_loss(chance))


def chosen(changes: Sequence[Any], chance: random.Random) -> Sequence[Any]:
    """The changes of a directory that came through: the first ones, or any."""
    if chance.random() < 0.5:
        return changes[: chance.randrange(len(changes) + 1)]
    return [change for change in changes if chance.random() < 0.5]


def rename(names: dict[str, int], change: Any) -> None:
    match change:
        case disk.Create():
            names[change.path] = change.file
        case disk.Delete():
            names.pop(change.path, None)
        case disk.Rename():
            names.pop(change.path, None)
            names[change.target] = change.file


def after_each(log: Sequence[Any], root: str, into: Path, count: int, seed: int) -> Iterator[list[Any]]:
    """Lose the power `count` times anywhere in a log, every second time just after somebody was told something.

    Each time the directory `into` holds what is left; gives the facts told by then.
    """
    chance = random.Random(seed)
    told = [number for number, entry in enumerate(log) if isinstance(entry, disk.Fact)]
    points = [
        chance.choice(told) if turn % 2 else chance.randrange(told[0], len(log)) for turn in range(count)
    ]
    state, read = State(), 0
    for point in sorted(points):
        for entry in log[read : point + 1]:
            state.read(entry)
        read = max(read, point + 1)
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir(parents=True)
        state.lose(chance, root, into)
        yield state.facts
