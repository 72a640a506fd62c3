"""Checks of files that have no linter: a .dockerignore, and settings for systemd."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from flowloom import errors, settings

ROOT = Path(__file__).parents[2]
# A setting that is commented out must be right as well: it is there to be switched on.
_SETTING = re.compile(r"^#?([A-Z_]+)=(.*)$", re.MULTILINE)


def lines(path: Path) -> Iterator[str]:
    """Those that are neither empty nor a comment."""
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def ignored(path: Path) -> Iterator[str]:
    """Each exception must be something that is there: else the image lacks it and nobody hears."""
    for line in lines(path):
        if line.startswith("!") and not (ROOT / line[1:]).exists():
            yield f"{line}: there is no such file"


def given(path: Path) -> dict[str, str]:
    """The settings of a file, those too that are commented out."""
    return dict(_SETTING.findall(path.read_text()))


def environment(path: Path) -> Iterator[str]:
    """Each line must be a setting, with a value that the server takes."""
    found = given(path)
    yield from (f"{line}: write NAME=value" for line in lines(path) if line.partition("=")[0] not in found)
    known = {settings.env_name(name) for name in settings.Settings.model_fields}
    yield from (f"{name}: there is no such setting" for name in sorted(found.keys() - known))
    try:
        settings.Settings.load(found)
    except errors.Invalid as fault:
        yield from (said for messages in fault.errors.values() for said in messages)
