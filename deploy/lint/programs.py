"""Linters that are programs: from Python packages, beside this interpreter, or from the machine."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path


class Missing(Exception):
    """A linter that this machine does not have; says how to get it."""


def of_package(name: str) -> str:
    """The path of a program that a Python package brings."""
    return str(Path(sysconfig.get_path("scripts")) / name)


def of_machine(name: str, package: str) -> str:
    """The path of a program of the system. Raises Missing."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is missing (Debian: apt install {package})")
    return found


def run(*words: str | Path) -> Iterator[str]:
    """What a program says if it fails."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        yield (done.stdout + done.stderr).strip() or f"{words[0]} ended with {done.returncode}"


def hadolint(path: Path) -> Iterator[str]:
    yield from run(of_package("hadolint"), "--failure-threshold", "style", path)


def shellcheck(path: Path) -> Iterator[str]:
    yield from run(of_package("shellcheck"), path)


def compose(path: Path) -> Iterator[str]:
    """Against the schema of the Compose specification."""
    yield from run(of_package("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", path)


def metaschema(path: Path) -> Iterator[str]:
    """Whether a JSON Schema is one."""
    yield from run(of_package("check-jsonschema"), "--check-metaschema", path)


def nats(path: Path) -> Iterator[str]:
    """As the server reads it: from where Compose puts it, beside the secret that it includes."""
    with tempfile.TemporaryDirectory() as folder:
        placed = Path(folder) / "etc/nats/nats.conf"
        secret = Path(folder) / "run/secrets/nats_users.conf"
        for file, text in (
            (placed, path.read_text()),
            (secret, 'authorization { user: flowloom, password: "x" }'),
        ):
            file.parent.mkdir(parents=True)
            file.write_text(text)
        yield from run(of_package("nats-server"), "-t", "-c", placed)
