"""Flowloom as a person at a terminal has it: the real command in a process of its own, and pasted commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "flowloom"]


@dataclass(frozen=True)
class Terminal:
    """A running server and what it printed up to its last line of welcome."""

    process: subprocess.Popen[str]
    shown: str

    @property
    def base(self) -> str:
        return self.found(r"Flowloom (?:on)?\s*(http://[\d.:]+)")

    @property
    def key(self) -> str:
        return self.found(r"API key\s+(\S+)")

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.shown)
        assert match, self.shown
        return match[1]


def environment(**added: str) -> dict[str, str]:
    """The environment without any setting of Flowloom's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLOWLOOM_")}
    return {**kept, **added}


def run(*arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


@contextmanager
def started(command: str, data_dir: Path, until: str) -> Iterator[Terminal]:
    """A server on free ports, once it has printed a line that holds `until`."""
    process = subprocess.Popen(
        [*COMMAND, command, "--port", "0", "--data-dir", str(data_dir)],
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Terminal(process, _read(process, until))
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _read(process: subprocess.Popen[str], until: str) -> str:
    assert process.stdout is not None
    shown = ""
    for line in process.stdout:
        shown += line
        if until in line:
            return shown
    raise AssertionError(f"it ended without saying '{until}': {shown}")


def paste(script: str, **variables: str) -> str:
    """What a shell prints for commands as they stand in the documentation."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, (script, done.stdout, done.stderr)
    return done.stdout
