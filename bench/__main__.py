"""`python -m bench`: run the measurements and print them, and write them to a file if asked."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from bench import figures, history, idle, reads, records, schedules, webhooks, workers

MEASUREMENTS = {
    "reads": reads.measure,
    "webhooks": webhooks.measure,
    "postgres": webhooks.measure_postgres,
    "records": records.measure,
    "schedules": schedules.measure,
    "idle": idle.measure,
    "workers": workers.measure,
    "history": history.measure,
}

# It takes twenty minutes and as many GB of disk: only where it is named.
ASKED_FOR = {"history"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"of {', '.join(MEASUREMENTS)}; unless given all but history"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one short round: to see that it works, not to quote"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    given = parser.parse_args()
    unknown = set(given.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    options = figures.Options(rounds=1, scale=0.2) if given.quick else figures.Options()
    machine = figures.machine()
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    print(f"  {'':<46} {'product':>11} {'':<5} {'floor':>11} {'ratio':>7}  target")
    results = {}
    for name in given.names or [name for name in MEASUREMENTS if name not in ASKED_FOR]:
        print(name, flush=True)
        found = MEASUREMENTS[name](options)
        figures.show(found)
        results[name] = [asdict(figure) for figure in found]
    if given.json:
        given.json.write_text(json.dumps({"machine": machine, "figures": results}, indent=2) + "\n")


main()
