"""The planted faults fit the source, name tests that exist, and are judged strictly."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from mutants import faults, page, scratch, verdicts
from tests import terminal

AREAS = faults.areas()
FAULTS = [fault for area in AREAS for fault in area.fault]
MODULE = "def half(number: int) -> int:\n    return number // 2\n"
TEST = """
from module import half


def test_half():
    assert half(4) == 2


def test_zero():
    assert half(0) == 0
"""
HALF, ZERO = "test_module.py::test_half", "test_module.py::test_zero"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fits_the_source_and_names_its_tests(fault: faults.Fault, tmp_path: Path) -> None:
    for file in {edit.file for edit in fault.edit}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(terminal.ROOT / file, tmp_path / file)
    faults.plant(fault, tmp_path)
    assert fault.tests
    for test in fault.tests:
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (terminal.ROOT / file).read_text(), test


def test_there_are_many_and_each_has_its_own_name() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 30


def test_the_page_says_which_tests_catch_which_fault() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert text == page.written(text, AREAS), "run `make docs`"


@pytest.fixture
def copy(tmp_path: Path) -> scratch.Scratch:
    """A copy of a small repository with a module and two tests."""
    root = tmp_path / "repository"
    root.mkdir()
    for name, text in (("module.py", MODULE), ("test_module.py", TEST), ("pytest.ini", "[pytest]\n")):
        (root / name).write_text(text)
    for command in (["git", "init", "-q"], ["git", "add", "."]):
        subprocess.run(command, cwd=root, check=True)
    return scratch.Scratch(root, tmp_path / "copy")


@pytest.mark.parametrize(
    ("new", "tests", "why"),
    [
        ("number // 3", [HALF], ""),
        ("number // 3", [HALF, ZERO], f"survived {ZERO}"),
        ("number >> 1", [HALF, ZERO], "survived"),
        ("number // 2\nimport nowhere", [HALF], "its tests did not run: it breaks more than it should"),
        ("number // (", [HALF], "a: module.py is no Python any more"),
    ],
)
def test_only_a_failure_of_every_named_test_counts(
    copy: scratch.Scratch, new: str, tests: list[str], why: str
) -> None:
    edit = faults.Edit("module.py", "number // 2", new)
    verdict = verdicts.reach(faults.Fault("a", "Halves.", tests, [edit]), copy)
    assert verdict.is_caught is (why == "")
    assert verdict.why.startswith(why)
    assert (copy.root / "module.py").read_text() == MODULE


def test_a_fault_that_the_source_has_left_behind_is_named(copy: scratch.Scratch) -> None:
    for old in ("number", "nothing"):
        verdict = verdicts.reach(faults.Fault("a", "?", [HALF], [faults.Edit("module.py", old, "x")]), copy)
        assert "the source has moved on" in verdict.why


def test_a_run_that_does_not_end_is_ended(copy: scratch.Scratch) -> None:
    assert copy.test([HALF], seconds=0.05).exit_code is None
