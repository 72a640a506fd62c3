"""What deploy/ starts, read from its files alike: commands, settings, stop times and accounts, wherever they stand."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from deploy.lint import __main__ as lint
from deploy.lint import chart, texts, units
from tests import terminal

DEPLOY = terminal.ROOT / "deploy"
COMPOSE = DEPLOY / "compose/compose.yaml"
DOCKERFILE = DEPLOY / "docker/Dockerfile"
PORT = "8080"


@dataclass(frozen=True)
class Process:
    """One way to start Flowloom."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stop_seconds: float

    @property
    def role(self) -> str:
        return self.command[0]


def processes() -> list[Process]:
    """Every one that a file of deploy/ starts."""
    return [*composed(), *installed(), *charted()]


def instructions(name: str) -> list[str]:
    """What stands after an instruction of the Dockerfile, in the order of the file."""
    joined = DOCKERFILE.read_text().replace("\\\n", " ")
    return re.findall(rf"^{name} +(.+)$", joined, re.MULTILINE)


def image() -> dict[str, str]:
    """The environment that the image gives."""
    words = [word for line in instructions("ENV")[1:] for word in line.split()]
    return dict(word.split("=", 1) for word in words)


@cache
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return found


def composed() -> Iterator[Process]:
    for name, service in compose()["services"].items():
        if service["image"].startswith("flowloom:"):
            stop = float(service["stop_grace_period"].removesuffix("s"))
            environment = {**image(), **service["environment"]}
            yield Process(f"compose {name}", service["command"], environment, stop)


def installed() -> Iterator[Process]:
    for path in sorted(units.FOLDER.glob("*.service")):
        unit = units.read(path)
        # An instance of the template is named by its port.
        command = shlex.split(unit["ExecStart"][0].replace("%i", "8081"))[1:]
        environment = dict(line.replace("%i", "8081").split("=", 1) for line in unit["Environment"])
        stop = float(unit["TimeoutStopSec"][0])
        yield Process(
            f"systemd {path.stem}", command, environment | texts.given(units.FOLDER / "flowloom.env"), stop
        )


def charted() -> Iterator[Process]:
    for variant, values in chart.variants().items():
        for pod in pods(values):
            container = pod["containers"][0]
            environment = {**image(), **{one["name"]: one["value"] for one in container["env"]}}
            slept = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            stop = float(pod["terminationGracePeriodSeconds"] - slept)
            yield Process(f"chart {variant} {container['name']}", container["args"], environment, stop)


def pods(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The pods of the chart's deployments and jobs."""
    found = chart.documents(values)
    return [one["spec"]["template"]["spec"] for one in found if one["kind"] in ("Deployment", "Job")]


def written() -> list[Path]:
    """Every file that a person wrote."""
    return [path for path in lint.files() if path.parent.name != "secrets"]


def healthcheck() -> list[str]:
    """The command by which the image tells whether it works."""
    [line] = instructions("HEALTHCHECK")
    words: list[str] = json.loads(line.partition("CMD ")[2])
    return words
