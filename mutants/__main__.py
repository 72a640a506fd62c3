"""`python -m mutants`: plant every fault, or those that are named, and say which tests caught it."""

from __future__ import annotations

import argparse
import os
import queue
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from mutants import faults, page, verdicts
from mutants.scratch import Scratch

REPOSITORY = Path(__file__).parents[1]
WHOLE_SECONDS = 600.0


def main() -> None:
    given = _arguments()
    areas = faults.areas()
    if given.document:
        page.PAGE.write_text(page.written(page.PAGE.read_text(encoding="utf-8"), areas), encoding="utf-8")
        return
    chosen = _chosen([fault for area in areas for fault in area.fault], given.names)
    with tempfile.TemporaryDirectory(prefix="flowloom-mutants-") as directory:
        scratches = [Scratch(REPOSITORY, Path(directory) / str(number)) for number in range(given.workers)]
        _require_green(chosen, scratches[0], given.workers)
        caught = sum(_show(verdict) for verdict in _verdicts(chosen, scratches))
    print(f"{caught} of {len(chosen)} faults were caught.")
    sys.exit(caught != len(chosen))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="of faults; all unless given")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many faults at a time")
    parser.add_argument("--document", action="store_true", help="write the table in docs/testing.md instead")
    return parser.parse_args()


def _chosen(known: Sequence[faults.Fault], names: Sequence[str]) -> Sequence[faults.Fault]:
    unknown = set(names) - {fault.name for fault in known}
    if unknown:
        sys.exit(f"Unknown: {', '.join(sorted(unknown))}; there are {', '.join(one.name for one in known)}.")
    return [fault for fault in known if not names or fault.name in names]


def _require_green(chosen: Sequence[faults.Fault], scratch: Scratch, workers: int) -> None:
    """Exit unless all tests pass while there is no fault: else a failure would tell nothing."""
    tests = sorted({test for fault in chosen for test in fault.tests})
    print(f"{len(chosen)} faults; first their tests without any ...", flush=True)
    outcome = scratch.test(tests, WHOLE_SECONDS, workers)
    if not outcome.has_passed:
        sys.exit(f"{outcome.output}\nThe tests do not pass without a fault, so they would prove nothing.")


def _verdicts(chosen: Sequence[faults.Fault], scratches: Sequence[Scratch]) -> Iterator[verdicts.Verdict]:
    """What became of each, as it becomes known; a copy is used for one fault at a time."""
    free: queue.SimpleQueue[Scratch] = queue.SimpleQueue()
    for scratch in scratches:
        free.put(scratch)

    def reach(fault: faults.Fault) -> verdicts.Verdict:
        scratch = free.get()
        try:
            return verdicts.reach(fault, scratch)
        finally:
            free.put(scratch)

    with ThreadPoolExecutor(len(scratches)) as threads:
        for done in as_completed([threads.submit(reach, fault) for fault in chosen]):
            yield done.result()


def _show(verdict: verdicts.Verdict) -> bool:
    """Print a line of the table, and what pytest said where it was not as it should be."""
    tests = ", ".join(test.rpartition("::")[2] for test in verdict.fault.tests)
    told = f"caught by {tests}" if verdict.is_caught else f"NOT CAUGHT: {verdict.why}"
    print(f"  {verdict.fault.name:<34} {verdict.seconds:>6.1f} s  {told}", flush=True)
    if verdict.output:
        print("\n".join(f"      {line}" for line in verdict.output.splitlines()[-12:]))
    return verdict.is_caught


main()
