"""Checks every file of deploy/, each kind with its own linter; `make check` runs it.

A linter that no package brings is used where the machine has it, and named where not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.lint import chart, dashboard, programs, texts, units

DEPLOY = Path(__file__).parents[1]
Check = Callable[[Path], Iterator[str]]


def _elsewhere(path: Path) -> Iterator[str]:
    """Nothing: the file is seen by the check of what it is a part of."""
    yield from ()


# The first pattern that fits a file says what checks it.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("docker/Dockerfile", programs.hadolint),
    ("docker/*.dockerignore", texts.ignored),
    ("compose/compose.yaml", programs.compose),
    ("compose/nats.conf", programs.nats),
    ("compose/*.sh", programs.shellcheck),
    ("compose/secrets/*", _elsewhere),
    ("systemd/*.service", units.verify),
    ("systemd/*.sysusers", units.sysusers),
    ("systemd/*.env", texts.environment),
    ("helm/*/Chart.yaml", chart.faults),
    ("helm/*/values.schema.json", programs.metaschema),
    ("helm/*/*", _elsewhere),
    ("helm/*/*/*", _elsewhere),
    ("grafana/*.json", dashboard.faults),
    ("lint/*.py", _elsewhere),
)


def check_of(path: Path) -> Check | None:
    """What checks a file of deploy/."""
    inside = path.relative_to(DEPLOY)
    return next((check for pattern, check in CHECKS if inside.match(pattern)), None)


def faults(path: Path) -> Iterator[str]:
    """What is wrong with a file. Raises programs.Missing where its linter is not there."""
    check = check_of(path)
    if check is None:
        yield "nothing checks this file; name its linter in deploy/lint/__main__.py"
    else:
        yield from check(path)


def files() -> list[Path]:
    """Every file of deploy/."""
    found = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
    return [path for path in found if "__pycache__" not in path.parts]


def main() -> int:
    """Print what is wrong and what could not be looked at; 1 if something is wrong."""
    found = 0
    for path in files():
        name = path.relative_to(DEPLOY.parent).as_posix()
        try:
            for fault in faults(path):
                print(f"{name}: {fault}")
                found = 1
        except programs.Missing as missing:
            print(f"{name} is not checked here: {missing}")
    return found


if __name__ == "__main__":
    sys.exit(main())
