"""The table of faults in docs/testing.md, written from the faults themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mutants import faults

PAGE = Path(__file__).parents[1] / "docs/testing.md"
BEGIN, END = "<!-- Faults: written by `make docs`. -->", "<!-- End of faults. -->"


def written(text: str, areas: Sequence[faults.Area]) -> str:
    """The page with its table as the faults are now. Raises ValueError for a page without its two marks."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE.name} lacks {BEGIN} or {END}.")
    return f"{head}{BEGIN}\n\n{''.join(_section(area) for area in areas)}{END}{tail}"


def _section(area: faults.Area) -> str:
    rows = "".join(f"| `{one.name}` | {one.breaks} | {_tests(one)} |\n" for one in area.fault)
    return f"### {area.title}\n\n| fault | what it breaks | caught by |\n| --- | --- | --- |\n{rows}\n"


def _tests(fault: faults.Fault) -> str:
    """Each test by its file, linked, and its name."""
    shown = []
    for test in fault.tests:
        file, _, name = test.partition("::")
        short = file.removeprefix("tests/").removesuffix(".py").replace("test_", "")
        shown.append(f"[{short}](../{file}) `{name}`")
    return "<br>".join(shown)
