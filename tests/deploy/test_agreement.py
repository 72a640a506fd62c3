"""What deploy/ starts is what Flowloom can do: commands, settings, ports, times to stop, versions."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from typing import Any

import pytest
import typer.main
import yaml
from deploy.lint import chart, texts, units
from tests import terminal
from tests.deploy import files

from flowloom import cli, settings

PROJECT = tomllib.loads((terminal.ROOT / "pyproject.toml").read_text())["project"]
GUIDE = terminal.ROOT / "docs/how-to/deploy.md"
ROLES = {"serve", "worker", "scheduler", "db"}
# Extras for those who work on Flowloom.
OURS = {"test", "check", "dev"}

each_process = pytest.mark.parametrize("process", files.processes(), ids=lambda process: process.name)


def known() -> set[str]:
    """The variables of all settings."""
    names = {settings.env_name(name) for name in settings.Settings.model_fields}
    return names | {f"{settings.env_name(name)}_FILE" for name in settings.SECRETS}


@each_process
def test_its_command_is_one_of_flowloom(process: files.Process) -> None:
    command: Any = typer.main.get_command(cli.app)
    name, *rest = process.command
    with command.make_context("flowloom", list(process.command), resilient_parsing=True) as context:
        found = command.get_command(context, name)
        assert found is not None
        found.make_context(name, rest, parent=context)


@each_process
def test_its_settings_are_settings(process: files.Process) -> None:
    given = {name: value for name, value in process.environment.items() if name.startswith("FLOWLOOM_")}
    assert given.keys() <= known()
    settings.Settings.load({name: value for name, value in given.items() if not name.endswith("_FILE")})


@each_process
def test_it_has_longer_to_stop_than_to_drain(process: files.Process) -> None:
    given = process.environment.get("FLOWLOOM_DRAIN_SECONDS")
    drain = settings.Settings.model_fields["drain_seconds"].default if given is None else float(given)
    assert drain + 5 <= process.stop_seconds


@each_process
def test_many_processes_share_what_must_be_shared(process: files.Process) -> None:
    if process.name == "systemd flowloom":
        return
    for name in ("DATABASE_URL", "NATS_URL", "SECRET_KEY"):
        assert f"FLOWLOOM_{name}_FILE" in process.environment
    assert {"FLOWLOOM_BLOB_URL", "FLOWLOOM_BLOB_URL_FILE"} & process.environment.keys()


@pytest.mark.parametrize("kind", ["compose", "systemd", *(f"chart {name}" for name in chart.variants())])
def test_every_role_is_started(kind: str) -> None:
    started = {process.role for process in files.processes() if process.name.startswith(kind)}
    assert started >= {"serve", "worker", "scheduler"}
    assert started <= ROLES


@pytest.mark.parametrize("path", files.written(), ids=lambda path: path.name)
def test_every_setting_that_is_spoken_of_exists(path: Any) -> None:
    spoken = set(re.findall(r"\bFLOWLOOM_[A-Z]+(?:_[A-Z]+)*\b", path.read_text()))
    assert spoken <= known()


def test_the_image_listens_where_all_look_for_it() -> None:
    assert files.image()["FLOWLOOM_PORT"] == files.PORT
    assert files.instructions("EXPOSE") == [files.PORT]
    [published] = files.compose()["services"]["api"]["ports"]
    assert published == f"127.0.0.1:{files.PORT}:{files.PORT}"
    for process in files.charted():
        assert process.environment["FLOWLOOM_PORT"] == files.PORT


def test_no_two_units_listen_on_one_port() -> None:
    ports = [
        process.environment["FLOWLOOM_PORT"] for process in files.installed() if "flowloom-" in process.name
    ]
    assert len(ports) == len(set(ports)) == 3


def test_the_versions_are_the_project_s() -> None:
    version = PROJECT["version"]
    described = yaml.safe_load((chart.FOLDER / "Chart.yaml").read_text())
    assert (described["version"], described["appVersion"]) == (version, version)
    assert f"VERSION={version}" in files.instructions("ARG")
    for page in (files.DOCKERFILE, GUIDE):
        assert set(re.findall(r"flowloom:(\d[\d.]*\d)", page.read_text())) == {version}
    images = {service["image"] for service in files.compose()["services"].values()}
    assert {image for image in images if image.startswith("flowloom")} == {f"flowloom:{version}"}


@pytest.mark.parametrize("path", [files.DOCKERFILE, GUIDE], ids=str)
def test_whoever_installs_gets_every_extra(path: Any) -> None:
    [extras] = re.findall(r"-\*\.whl\)(?:\[([a-z0-9,]+)\])?\"", path.read_text())
    assert set(filter(None, extras.split(","))) in ({"all"}, PROJECT["optional-dependencies"].keys() - OURS)


def test_the_image_is_built_of_files_that_reach_it() -> None:
    allowed = {
        line[1:] for line in texts.lines(files.DOCKERFILE.with_suffix(".dockerignore")) if line[0] == "!"
    }
    copied = {
        word for line in files.instructions("COPY") if "--from" not in line for word in line.split()[:-1]
    }
    assert copied == allowed
    needed = {PROJECT["readme"], "hatch_build.py", "pyproject.toml", "src", "web"}
    assert needed <= copied


def test_units_differ_only_in_what_they_start() -> None:
    own = {"Description", "After", "ExecStart", "Environment", "LoadCredential"}
    found = [units.read(path) for path in sorted(units.FOLDER.glob("*.service"))]
    kept = [{name: value for name, value in unit.items() if name not in own} for unit in found]
    assert all(one == other for one, other in pairwise(kept))
    assert all(unit["User"] == ["flowloom"] for unit in found)


def test_units_are_handed_the_secrets_that_they_name() -> None:
    for path in units.FOLDER.glob("flowloom-*.service"):
        unit = units.read(path)
        handed = {line.partition(":")[0] for line in unit["LoadCredential"]}
        named = {line.rpartition("/")[2] for line in unit["Environment"] if "_FILE=" in line}
        assert handed == named <= settings.SECRETS
