"""What became of a planted fault: caught, or why that cannot be said."""

from __future__ import annotations

import time
from dataclasses import dataclass

from mutants import faults
from mutants.scratch import Outcome, Scratch

FAULT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` is empty for a fault that was caught by all the tests it names."""

    fault: faults.Fault
    why: str
    seconds: float
    output: str = ""

    @property
    def is_caught(self) -> bool:
        return not self.why


def reach(fault: faults.Fault, scratch: Scratch) -> Verdict:
    """Plant a fault, run its tests and take it out again."""
    began = time.monotonic()
    try:
        with scratch.planted(fault):
            outcome = scratch.test(fault.tests, FAULT_SECONDS)
    except (faults.Moved, FileNotFoundError) as error:
        return Verdict(fault, str(error), time.monotonic() - began)
    why = judge(fault, outcome)
    return Verdict(fault, why, time.monotonic() - began, outcome.output if why else "")


def judge(fault: faults.Fault, outcome: Outcome) -> str:
    """Why a fault does not count as caught; nothing when each of its tests failed as a test."""
    if outcome.exit_code is None:
        return f"its tests did not end within {FAULT_SECONDS:g} seconds"
    if outcome.has_passed:
        return "survived"
    if not outcome.has_only_failures:
        return "its tests did not run: it breaks more than it should"
    passed = [test for test in fault.tests if not any(_is_of(failed, test) for failed in outcome.failed)]
    return f"survived {', '.join(passed)}" if passed else ""


def _is_of(failed: str, test: str) -> bool:
    """Whether a node id is that of a test, or of one of its cases."""
    return failed == test or failed.startswith(f"{test}[")
