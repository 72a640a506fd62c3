"""Units of systemd: read for the tests, and checked with systemd's own programs where the machine has them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deploy.lint import programs

FOLDER = Path(__file__).parents[1] / "systemd"
# In tenths of what `systemd-analyze security` counts up to 10; an unguarded service has 96.
EXPOSURE = "20"


def read(path: Path) -> Mapping[str, Sequence[str]]:
    """The directives of a unit's sections, each with its values in order."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def verify(path: Path) -> Iterator[str]:
    """As if it were installed, beside a program that stands for Flowloom."""
    analyze = programs.of_machine("systemd-analyze", "systemd")
    quiet = ("--man=no", "--recursive-errors=no")
    # A template is looked at as one of its instances.
    name = path.name.replace("@.", "@8081.")
    with tempfile.TemporaryDirectory() as folder:
        unit = _install(path, Path(folder))
        yield from programs.run(analyze, "verify", *quiet, f"--root={folder}", name)
        yield from programs.run(analyze, "security", "--offline=true", f"--threshold={EXPOSURE}", unit)


def _install(path: Path, root: Path) -> Path:
    unit = root / "etc/systemd/system" / path.name
    [command] = read(path)["ExecStart"]
    program = root / command.split()[0].removeprefix("/")
    for file in (unit, program):
        file.parent.mkdir(parents=True)
    shutil.copy(path, unit)
    program.touch(0o755)
    return unit


def sysusers(path: Path) -> Iterator[str]:
    """The account that the units name."""
    yield from programs.run(programs.of_machine("systemd-sysusers", "systemd"), "--dry-run", path)
