"""Programs that tests drive and no Python package brings: found on this machine, or installed by root from Debian."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

PLACES = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin:/opt/homebrew/bin"


def program(names: Sequence[str], package: str) -> str:
    """The path of the first of these that is there.

    Raises RuntimeError with the line to type when none is there nor can be installed.
    """
    found = _found(names)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(package)
        found = _found(names)
    if found is None:
        raise RuntimeError(f"These tests need {names[0]}; type: sudo apt-get install -y {package}")
    return found


def chromium() -> str:
    """The path of Chromium. Raises RuntimeError as `program` does."""
    return os.environ.get("CHROMIUM") or program(["chromium", "chromium-browser"], "chromium")


def _found(names: Sequence[str]) -> str | None:
    path = f"{os.environ.get('PATH', '')}:{PLACES}"
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def _install(package: str) -> None:
    quiet = {
        "check": False,
        "capture_output": True,
        "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    }
    subprocess.run(["apt-get", "update", "-q"], **quiet)
    subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", package], **quiet)
