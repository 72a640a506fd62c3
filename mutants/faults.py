"""The planted faults as data: what each breaks, the edits that plant it, and the tests that must fail with it."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec

DIRECTORY = Path(__file__).parent / "faults"


class Moved(Exception):
    """An edit does not fit the source any more; the message says which, and what to do."""


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text of a file, there exactly once, and what takes its place. `file` is relative to the repository."""

    file: str
    old: str
    new: str


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One planted fault. `breaks` is a sentence; `tests` are pytest's node ids, each of which must fail."""

    name: str
    breaks: str
    tests: Sequence[str]
    edit: Sequence[Edit]


class Area(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of faults that break the same kind of promise."""

    title: str
    fault: Sequence[Fault]


def areas() -> list[Area]:
    """Every area with its faults, in the order of their files. Raises msgspec.ValidationError."""
    return [
        msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Area)
        for path in sorted(DIRECTORY.glob("*.toml"))
    ]


def plant(fault: Fault, root: Path) -> None:
    """Edit the files below `root`. Raises Moved, before anything is written, when an edit does not fit."""
    changed: dict[Path, str] = {}
    for edit in fault.edit:
        path = root / edit.file
        before = changed.get(path) or path.read_text(encoding="utf-8")
        changed[path] = _edited(fault, edit, before)
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8")


def _edited(fault: Fault, edit: Edit, text: str) -> str:
    times = text.count(edit.old)
    if times != 1:
        raise Moved(
            f"{fault.name}: its old text is {times} times in {edit.file}, not once; "
            "the source has moved on, write the fault anew."
        )
    after = text.replace(edit.old, edit.new)
    try:
        ast.parse(after)
    except SyntaxError as error:
        raise Moved(f"{fault.name}: {edit.file} is no Python any more: {error}.") from None
    return after
