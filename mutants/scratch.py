"""A copy of the repository in which faults are planted and tests are run, away from the real one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mutants import faults


@dataclass(frozen=True, slots=True)
class Outcome:
    """What pytest came to: the node ids that failed, those that ended in an error outside of a test, and its words."""

    exit_code: int | None
    failed: Sequence[str]
    errors: Sequence[str]
    output: str

    @property
    def has_passed(self) -> bool:
        return self.exit_code == 0

    @property
    def has_only_failures(self) -> bool:
        """Whether tests ran and failed, and nothing else went wrong, such as an import."""
        return self.exit_code == 1 and bool(self.failed) and not self.errors


class Scratch:
    """The copy in a directory of its own."""

    def __init__(self, repository: Path, directory: Path) -> None:
        """Copy what git tracks, as it stands now."""
        self._repository = repository
        self.root = directory
        self._plantings = 0
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=repository, stdout=subprocess.PIPE, check=True, text=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (repository / name).exists():
                self._copy(name)

    def _copy(self, name: str) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(self._repository / name, target)

    @contextmanager
    def planted(self, fault: faults.Fault) -> Iterator[None]:
        """With the fault in the source, as long as the block lasts. Raises faults.Moved."""
        faults.plant(fault, self.root)
        self._plantings += 1
        for edit in fault.edit:
            # Python knows what it compiled by the second in which the source was written: each has one of its own.
            os.utime(self.root / edit.file, (self._plantings, self._plantings))
        try:
            yield
        finally:
            for edit in fault.edit:
                self._copy(edit.file)

    def test(self, tests: Sequence[str], seconds: float, workers: int = 0) -> Outcome:
        """Run these tests; one that takes longer than `seconds` in all is ended, its exit code None."""
        # Schemathesis takes a second to load, and no fault needs it.
        options = ["--tb=no", "-rfE", "--disable-warnings", "-p", "no:schemathesis", "-n", str(workers)]
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root / "src")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            output = _end(process)
            return Outcome(None, (), (), output)
        return Outcome(process.returncode, _told(output, "FAILED "), _told(output, "ERROR "), output)


def _end(process: subprocess.Popen[str]) -> str:
    """End it with all that it started; what it said."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]


def _told(output: str, word: str) -> list[str]:
    """The node ids that pytest's short summary gives after a word."""
    lines = [line for line in output.splitlines() if line.startswith(word)]
    return [line.removeprefix(word).partition(" - ")[0] for line in lines]
