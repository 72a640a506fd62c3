"""The secrets of the compose file: made by one command, kept by the next, and what the containers are handed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.deploy import files

from flowloom.settings import Settings


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The directory of a compose file once its command has run."""
    folder = tmp_path / "compose"
    shutil.copytree(files.COMPOSE.parent, folder, ignore=shutil.ignore_patterns("secrets"))
    make(folder)
    return folder


def make(folder: Path) -> None:
    subprocess.run([folder / "make-secrets.sh"], check=True, capture_output=True)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_every_secret_of_the_compose_file_is_made(made: Path) -> None:
    for secret in files.compose()["secrets"].values():
        assert (made / secret["file"]).read_text()


def test_a_second_time_keeps_what_is_there(made: Path) -> None:
    before = contents(made)
    make(made)
    assert contents(made) == before


def test_no_two_passwords_are_alike(made: Path) -> None:
    found = contents(made)
    passwords = {found[name] for name in found if name.endswith("password")} | {found["secret_key"]}
    assert len(passwords) == 4
    assert min(map(len, passwords)) >= 24


def test_containers_can_read_them_and_other_people_cannot(made: Path) -> None:
    folder = made / "secrets"
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in folder.iterdir())


def test_the_server_takes_them(made: Path) -> None:
    given = {
        f"FLOWLOOM_{name.upper()}_FILE": str(made / "secrets" / name)
        for name in ("database_url", "nats_url", "secret_key", "admin_password")
    }
    taken, found = Settings.load(given), contents(made)
    services = files.compose()["services"]
    assert taken.database_url.endswith(f":{found['postgres_password']}@postgres:5432/flowloom")
    assert taken.nats_url == f"nats://flowloom:{found['nats_password']}@nats:4222"
    assert {"postgres", "nats"} <= services.keys()
    assert found["nats_password"] in found["nats_users.conf"]


def test_each_service_is_handed_the_secrets_that_it_names() -> None:
    for name, service in files.compose()["services"].items():
        named = (
            {Path(path).name for path in _paths(service["environment"])}
            if "environment" in service
            else set()
        )
        handed = set(service["secrets"])
        assert named <= handed <= files.compose()["secrets"].keys(), name


def _paths(environment: dict[str, Any]) -> list[str]:
    return [value for value in environment.values() if value.startswith("/run/secrets/")]
