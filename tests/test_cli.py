"""The command: what each subcommand does and prints, and the exit code of everything that can go wrong."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import structlog
import typer.main
from sqlalchemy import create_engine, text
from tests import terminal

from flowloom import bootstrap, cli
from flowloom.demo import samples
from flowloom.services import first_start
from flowloom.settings import Settings
from flowloom.store import schema

DONE, FAILED, USAGE, MISSING, INVALID, NOT_NOW = 0, 1, 2, 3, 5, 6
SERVING = [("serve",), ("demo",), ("worker",), ("scheduler",)]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Flowloom = Callable[..., Ran]


@pytest.fixture
def flowloom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Flowloom]:
    """The command in this process, which keeps nothing of how it logs."""
    for name in [name for name in os.environ if name.startswith("FLOWLOOM_")]:
        monkeypatch.delenv(name)

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["flowloom", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else FAILED, shown.out, shown.err)

    yield run
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def lax_umask() -> Iterator[None]:
    """What most people have; the command sets its own."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(directory: Path) -> list[Path]:
    """What others may read or look into, the directory itself included."""
    return [path for path in (directory, *directory.rglob("*")) if path.stat().st_mode & 0o077]


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path) -> Path:
    """A data directory with the sample flow."""
    shutil.copy(sqlite_template, tmp_path / "flowloom.db")
    platform = bootstrap.open_platform(Settings(data_dir=tmp_path))
    welcome = first_start.prepare(platform)
    assert welcome is not None
    platform.database.write_now(samples.plant, welcome.actor, platform.vault, "http://127.0.0.1:9")
    platform.database.close()
    return tmp_path


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    found = command or typer.main.get_command(cli.app)
    if not hasattr(found, "commands"):
        yield path
        return
    for name, inner in found.commands.items():
        yield from commands(inner, (*path, name))


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_explains_itself(flowloom: Flowloom, path: tuple[str, ...]) -> None:
    ran = flowloom(*path, "--help")
    assert ran.code == DONE
    assert "Usage: flowloom" in ran.out


@pytest.mark.parametrize("path", [path for path in commands() if path not in SERVING], ids=" ".join)
def test_every_command_that_prints_data_prints_json(flowloom: Flowloom, path: tuple[str, ...]) -> None:
    assert "--json" in flowloom(*path, "--help").out


def test_documents_are_printed_on_one_line_for_a_program(flowloom: Flowloom, home: Path) -> None:
    for arguments in (("flows", "export", 1, "--data-dir", home), ("openapi",)):
        ran = flowloom(*arguments, "--json")
        assert (ran.code, ran.out.count("\n")) == (DONE, 1)
        assert ran.json == flowloom(*arguments).json


def test_wrong_usage(flowloom: Flowloom) -> None:
    assert flowloom("serve", "--bogus").code == USAGE
    assert flowloom("keys", "revoke", "one").code == USAGE
    assert flowloom("nothing").code == USAGE


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("PORT", "abc", "FLOWLOOM_PORT ('abc') is not valid"),
        ("PORT", "99999", "less than or equal to 65535"),
        ("DATABASE_URL", "mysql://user:secret@host/db", "FLOWLOOM_DATABASE_URL is not valid: use sqlite:///"),
        ("OUTBOUND_ALLOW", "http://shop", "without scheme, port or path"),
        ("TRUSTED_PROXIES", "127.0.0.1,*", "'*' is no address or network: use addresses such as 127.0.0.1"),
        ("TRUSTED_PROXIES", "proxy.internal", "'proxy.internal' is no address or network"),
    ],
)
def test_a_bad_setting_is_one_clear_line(
    flowloom: Flowloom, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"FLOWLOOM_{setting}", value)
    ran = flowloom("serve")
    assert (ran.code, ran.out, ran.err.count("\n")) == (INVALID, "", 1)
    assert ran.err.startswith("flowloom: ")
    assert said in ran.err
    assert "secret" not in ran.err


@pytest.mark.parametrize("role", ["worker", "scheduler"])
def test_who_works_with_others_needs_what_connects_them(
    flowloom: Flowloom, role: str, tmp_path: Path
) -> None:
    ran = flowloom(role, "--data-dir", tmp_path)
    assert (ran.code, ran.err.count("\n")) == (INVALID, 1)
    assert "set FLOWLOOM_NATS_URL, or use `flowloom serve`" in ran.err


@pytest.mark.parametrize("role", ["serve", "worker", "scheduler"])
def test_several_processes_need_postgresql(flowloom: Flowloom, role: str, tmp_path: Path) -> None:
    ran = flowloom(role, "--data-dir", tmp_path, "--nats-url", "nats://jo:secret@127.0.0.1:1")
    assert (ran.code, ran.err.count("\n")) == (INVALID, 1)
    assert "Several processes need PostgreSQL: set FLOWLOOM_DATABASE_URL" in ran.err
    assert "secret" not in ran.err


def test_a_data_directory_that_is_a_file(flowloom: Flowloom, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = flowloom("serve", "--data-dir", tmp_path / "file/data")
    assert ran.code == FAILED
    assert ran.err == f"flowloom: {tmp_path}/file/data: Not a directory.\n"


def test_a_taken_port_is_named(flowloom: Flowloom, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = flowloom("serve", "--data-dir", home, "--port", port)
    assert ran.code == NOT_NOW
    assert f"Cannot listen on 127.0.0.1, port {port}" in ran.err


class TestDatabase:
    def test_a_missing_one_is_told_and_not_made(self, flowloom: Flowloom, tmp_path: Path) -> None:
        ran = flowloom("db", "check", "--data-dir", tmp_path, "--json")
        assert ran.code == NOT_NOW
        assert ran.json["faults"] == [f"there is no database {tmp_path}/flowloom.db"]
        assert ran.json["pending"][-1] == schema.HEAD
        assert list(tmp_path.iterdir()) == []

    def test_upgrade_makes_it(self, flowloom: Flowloom, tmp_path: Path) -> None:
        at = ("--data-dir", tmp_path / "new")
        assert flowloom("db", "upgrade", *at, "--json").json == {"schema": schema.HEAD, "changed": True}
        assert flowloom("db", "upgrade", *at).out == "Nothing to do.\n"
        ran = flowloom("db", "check", *at)
        assert (ran.code, ran.out) == (DONE, "The database is in order.\n")

    def test_what_is_made_is_for_its_owner_alone(self, flowloom: Flowloom, tmp_path: Path) -> None:
        flowloom("db", "upgrade", "--data-dir", tmp_path / "new")
        assert (tmp_path / "new/flowloom.db").exists()
        assert open_to_others(tmp_path / "new") == []
        beside = f"sqlite:///{tmp_path}/other.db"
        flowloom("db", "upgrade", "--data-dir", tmp_path / "new", "--database-url", beside)
        assert (tmp_path / "other.db").stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("command", [("db", "upgrade"), ("keys", "create", "CI")])
    def test_one_that_others_could_read_is_closed_to_them(
        self, flowloom: Flowloom, home: Path, command: tuple[str, ...]
    ) -> None:
        (home / "flowloom.db").chmod(0o644)
        home.chmod(0o755)
        assert flowloom(*command, "--data-dir", home).code == DONE
        assert (home / "flowloom.db").stat().st_mode & 0o777 == 0o600
        assert home.stat().st_mode & 0o777 == 0o755

    def test_an_empty_one_is_upgraded(self, flowloom: Flowloom, tmp_path: Path) -> None:
        (tmp_path / "flowloom.db").touch()
        ran = flowloom("db", "check", "--data-dir", tmp_path)
        assert (ran.code, ran.out) == (
            NOT_NOW,
            f"the database is empty, not at schema {schema.HEAD}: `flowloom db upgrade` migrates it\n",
        )
        assert flowloom("db", "upgrade", "--data-dir", tmp_path).out == "Migrated.\n"

    def test_one_of_a_newer_flowloom_is_left_alone(self, flowloom: Flowloom, home: Path) -> None:
        engine = create_engine(f"sqlite+pysqlite:///{home}/flowloom.db")
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        engine.dispose()
        assert "at schema 9999" in flowloom("db", "check", "--data-dir", home).out
        ran = flowloom("serve", "--data-dir", home)
        assert ran.code == NOT_NOW
        assert "another Flowloom" in ran.err

    def test_one_that_is_one_newer_is_worked_on(self, flowloom: Flowloom, home: Path) -> None:
        newer = f"{int(schema.HEAD) + 1:04}"
        engine = create_engine(f"sqlite+pysqlite:///{home}/flowloom.db")
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{newer}'"))
        engine.dispose()
        ran = flowloom("db", "check", "--data-dir", home, "--json")
        assert (ran.code, ran.json["revision"], ran.json["pending"]) == (DONE, newer, [])
        assert flowloom("db", "upgrade", "--data-dir", home).out == "Nothing to do.\n"
        assert "use the newer one" in flowloom("db", "downgrade", "--data-dir", home).err

    def test_one_step_back_and_not_over_lost_data(self, flowloom: Flowloom, home: Path) -> None:
        steps = int(schema.HEAD) - 3
        for _ in range(steps):
            assert flowloom("db", "downgrade", "--data-dir", home).code in (DONE, NOT_NOW)
        ran = flowloom("db", "check", "--data-dir", home)
        assert (ran.code, "older than" in ran.out) == (NOT_NOW, True)
        assert flowloom("db", "upgrade", "--data-dir", home).out == "Migrated.\n"

    def test_a_body_that_is_not_there_is_told(self, flowloom: Flowloom, home: Path) -> None:
        at = ("--data-dir", home)
        assert flowloom("db", "check", "--blobs", *at).code == DONE
        engine = create_engine(f"sqlite+pysqlite:///{home}/flowloom.db")
        row = "1, 1, 1, 'trigger', '0', 'start', 9, 'abc-20260302', 0"
        names = "id, run_id, company_id, step_key, position, kind, bytes, blob, created_at"
        with engine.begin() as connection:
            connection.execute(text(f"INSERT INTO payloads ({names}) VALUES ({row})"))
        engine.dispose()
        assert flowloom("db", "check", *at).code == DONE
        ran = flowloom("db", "check", "--blobs", *at)
        assert (ran.code, "1 large payload bodies that rows name are not there" in ran.out) == (NOT_NOW, True)

    def test_it_moves(self, flowloom: Flowloom, home: Path, tmp_path: Path) -> None:
        to = ("--to", f"sqlite:///{tmp_path}/other.db")
        ran = flowloom("db", "move", *to, "--data-dir", home, "--json")
        assert (ran.code, ran.json["missing_bodies"], ran.json["tables"]["companies"]) == (DONE, [], 1)
        ran = flowloom("db", "move", *to, "--data-dir", home)
        assert (ran.code, "The target holds rows" in ran.err) == (NOT_NOW, True)

    def test_one_that_does_not_answer(self, flowloom: Flowloom) -> None:
        ran = flowloom("db", "check", "--database-url", "postgresql://nobody@127.0.0.1:1/none")
        assert (ran.code, ran.out.count("\n")) == (NOT_NOW, 1)
        assert "cannot be opened" in ran.out

    def test_a_file_that_is_no_database(self, flowloom: Flowloom, tmp_path: Path) -> None:
        (tmp_path / "flowloom.db").write_text("not a database, but long enough to be looked at" * 100)
        ran = flowloom("db", "upgrade", "--data-dir", tmp_path)
        assert ran.code == NOT_NOW
        assert "file is not a database" in ran.err

    def test_commands_need_one(self, flowloom: Flowloom, tmp_path: Path) -> None:
        ran = flowloom("keys", "create", "CI", "--data-dir", tmp_path)
        assert ran.code == NOT_NOW
        assert ran.err == (
            f"flowloom: There is no database {tmp_path}/flowloom.db; `flowloom serve` makes and migrates it.\n"
        )


class TestUsersAndKeys:
    def test_a_user_with_a_generated_password(self, flowloom: Flowloom, home: Path) -> None:
        made = flowloom(
            "users", "create", "Ada@Example.com", "--role", "manager", "--data-dir", home, "--json"
        )
        assert made.code == DONE
        assert (made.json["email"], made.json["role"]) == ("ada@example.com", "manager")
        assert len(made.json["password"]) >= 12

    def test_a_given_password_is_not_printed(self, flowloom: Flowloom, home: Path) -> None:
        made = flowloom(
            "users", "create", "a@b.example", "--password", "a long enough one", "--data-dir", home
        )
        assert made.code == DONE
        assert "long enough" not in made.out

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("a@b.example", "--role", "king"), INVALID),
            (("no-address",), INVALID),
            (("a@b.example", "--password", "short"), INVALID),
            (("admin@example.com",), INVALID),
            (("a@b.example", "--company", "7"), MISSING),
            (("a@b.example", "--name", "x" * 256), INVALID),
            (("a@b.example", "--name", " "), INVALID),
            (("x" * 300 + "@b.example",), INVALID),
            (("u\udcff@b.example",), INVALID),
        ],
    )
    def test_what_is_refused(
        self, flowloom: Flowloom, home: Path, arguments: tuple[str, ...], code: int
    ) -> None:
        ran = flowloom("users", "create", *arguments, "--data-dir", home)
        assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)

    def test_a_key_is_made_and_revoked(self, flowloom: Flowloom, home: Path) -> None:
        made = flowloom("keys", "create", "CI", "--data-dir", home, "--json").json
        assert made["key"].startswith("flk_")
        ran = flowloom("keys", "revoke", made["id"], "--data-dir", home, "--json")
        assert ran.json == {"id": made["id"], "revoked": True}
        assert flowloom("keys", "revoke", 99, "--data-dir", home).code == MISSING
        assert flowloom("keys", "revoke", 10**20, "--data-dir", home).code == USAGE

    @pytest.mark.parametrize("name", ["", " ", "x" * 300, "\udcff", "a\0b", "a\nb"])
    def test_a_key_has_a_name(self, flowloom: Flowloom, home: Path, name: str) -> None:
        ran = flowloom("keys", "create", name, "--data-dir", home)
        assert (ran.code, ran.out, ran.err.count("\n")) == (INVALID, "", 1)
        assert flowloom("keys", "create", "x", "--company", 10**20, "--data-dir", home).code == USAGE


class TestFlows:
    def test_a_flow_goes_out_and_in_again(self, flowloom: Flowloom, home: Path) -> None:
        file = home / "flow.json"
        assert flowloom("flows", "export", 1, "--output", file, "--data-dir", home).code == DONE
        made = flowloom("flows", "import", file, "--name", "Again", "--data-dir", home, "--json").json
        assert (made["name"], made["is_enabled"]) == ("Again", False)
        again = flowloom("flows", "export", made["id"], "--data-dir", home).json
        first = json.loads(file.read_text())
        assert again.pop("flow") == {**first.pop("flow"), "name": "Again"}
        assert again == first

    def test_standard_input_is_read(
        self, flowloom: Flowloom, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        exported = flowloom("flows", "export", 1, "--data-dir", home).out
        (home / "in").write_text(exported)
        with (home / "in").open() as stream:
            monkeypatch.setattr(sys, "stdin", stream)
            ran = flowloom("flows", "import", "-", "--data-dir", home)
        assert "imported, disabled, as a Draft" in ran.out

    @pytest.mark.parametrize(
        "content",
        [
            None,
            "",
            "[]",
            "{",
            "{}",
            '{"format": "flowloom.flow"}',
            "[" * 5000,
            '{"a": NaN}',
            '{"a": "\\ud800"}',
            '{"a": "\\u0000"}',
            '{"a":' * 100 + "1" + "}" * 100,
        ],
    )
    def test_what_is_no_document(self, flowloom: Flowloom, home: Path, content: str | None) -> None:
        file = home / "flow.json"
        if content is not None:
            file.write_text(content)
        ran = flowloom("flows", "import", file, "--data-dir", home)
        assert (ran.code, ran.err.count("\n")) == (INVALID, 1)

    def test_a_document_is_no_larger_than_the_api_takes_it(self, flowloom: Flowloom, home: Path) -> None:
        file = home / "flow.json"
        document = flowloom("flows", "export", 1, "--data-dir", home).json
        document["definition"]["steps"][1]["config"]["url"] = "https://shop.test/" + "a" * 9_000_000
        file.write_text(json.dumps(document))
        ran = flowloom("flows", "import", file, "--data-dir", home)
        assert (ran.code, ran.out, ran.err.count("\n")) == (INVALID, "", 1)
        assert f"{file} is over 8 MB" in ran.err

    @pytest.mark.parametrize("name", ["", "x" * 300])
    def test_a_name_that_is_none(self, flowloom: Flowloom, home: Path, name: str) -> None:
        file = home / "flow.json"
        flowloom("flows", "export", 1, "--output", file, "--data-dir", home)
        ran = flowloom("flows", "import", file, "--name", name, "--data-dir", home)
        assert (ran.code, ran.err.count("\n")) == (INVALID, 1)

    def test_a_flow_that_is_not_there(self, flowloom: Flowloom, home: Path) -> None:
        assert flowloom("flows", "export", 99, "--data-dir", home).code == MISSING

    def test_a_file_that_cannot_be_written(self, flowloom: Flowloom, home: Path) -> None:
        ran = flowloom("flows", "export", 1, "--output", home / "none/x", "--data-dir", home)
        assert (ran.code, ran.err) == (FAILED, f"flowloom: {home}/none/x: No such file or directory.\n")


def test_openapi_prints_the_document(flowloom: Flowloom) -> None:
    assert flowloom("openapi").json["info"]["title"] == "Flowloom"


def test_the_module_is_the_command() -> None:
    ran = terminal.run("serve", FLOWLOOM_PORT="abc")
    assert (ran.returncode, ran.stdout) == (INVALID, "")
    assert "Traceback" not in ran.stderr


@pytest.mark.slow
def test_a_running_server_refuses_a_revoked_key(flowloom: Flowloom, home: Path) -> None:
    made = flowloom("keys", "create", "CI", "--data-dir", home, "--json").json
    with terminal.started("serve", home, until="Flowloom on") as server:
        assert _status(server.base, made["key"]) == 200
        second = terminal.run("serve", "--port", "0", "--data-dir", home)
        assert second.returncode == NOT_NOW
        assert "Another Flowloom server works on this database" in second.stderr
        assert flowloom("keys", "revoke", made["id"], "--data-dir", home).code == DONE
        assert any(_status(server.base, made["key"]) == 401 for _ in range(3000))


def _status(base: str, key: str) -> int:
    try:
        with urlopen(Request(f"{base}/api/v1/me", headers={"Authorization": key})) as answer:
            return int(answer.status)
    except HTTPError as refused:
        return refused.code
