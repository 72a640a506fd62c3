"""The command `flowloom`. Exit codes: 0 done, 1 something failed, 2 wrong usage, 3 not found, 4 refused, 5 bad input,
6 not possible now."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, TypeVar

import typer

from flowloom import database_commands, errors
from flowloom.console import EXIT_CODES, AsJson, DatabaseUrl, DataDir, load, show

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from flowloom.settings import Settings

T = TypeVar("T")
app = typer.Typer(
    help="Flowloom: an integration platform whose flows have versions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
users_app = typer.Typer(help="Users.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys.", no_args_is_help=True)
flows_app = typer.Typer(help="Flows as JSON documents.", no_args_is_help=True)
for name, group in (
    ("db", database_commands.app),
    ("users", users_app),
    ("keys", keys_app),
    ("flows", flows_app),
):
    app.add_typer(group, name=name)

NatsUrl = Annotated[str | None, typer.Option(help="nats://..., to work together with other processes.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on (127.0.0.1).")]
Port = Annotated[int | None, typer.Option(help="Port to listen on (8080).")]
AsOneLine = Annotated[bool, typer.Option("--json", help="Print the JSON on one line.")]
MAX_ID: Final = 2**63 - 1
Company = Annotated[int, typer.Option(help="Id of the company.", min=1, max=MAX_ID)]


def _serving() -> ModuleType:
    """The module that serves, loaded without a pause for the garbage collector: it starts when serving does."""
    gc.disable()
    from flowloom import serving

    return serving


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    nats_url: NatsUrl = None,
) -> None:
    """Serve the API and the pages until stopped, and run flows; with NATS, workers run them."""
    serving = _serving()

    settings = load(host=host, port=port, data_dir=data_dir, database_url=database_url, nats_url=nats_url)
    serving.configure_logs(settings)
    serving.serve(settings)


@app.command()
def worker(
    concurrency: Annotated[int | None, typer.Option(help="Runs to work on at the same time (64).")] = None,
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    nats_url: NatsUrl = None,
) -> None:
    """Run the flows that other processes start, until stopped; listens only to say how it is."""
    given = load(
        concurrency=concurrency,
        host=host,
        port=port,
        data_dir=data_dir,
        database_url=database_url,
        nats_url=nats_url,
    )
    _work_together("worker", given)


@app.command()
def scheduler(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    nats_url: NatsUrl = None,
) -> None:
    """Fire schedules, hand out runs and clean up for all processes, while no other one does, until stopped."""
    given = load(host=host, port=port, data_dir=data_dir, database_url=database_url, nats_url=nats_url)
    _work_together("scheduler", given)


def _work_together(role: str, settings: Settings) -> None:
    serving = _serving()

    serving.configure_logs(settings)
    serving.work_together(settings, serving.Role(role))


@app.command()
def demo(
    host: Host = None, port: Port = None, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """Serve with a sample flow and a built-in sample shop that it works with."""
    serving = _serving()

    settings = load(host=host, port=port, data_dir=data_dir, database_url=database_url)
    serving.configure_logs(settings)
    serving.demo(settings)


@users_app.command("create")
def users_create(
    email: Annotated[str, typer.Argument(help="Address to sign in with.")],
    role: Annotated[str, typer.Option(help="read-only, user, manager or administrator.")] = "user",
    name: Annotated[str | None, typer.Option(help="Name; the address unless given.")] = None,
    password: Annotated[
        str | None, typer.Option(envvar="FLOWLOOM_NEW_PASSWORD", help="Generated unless given.")
    ] = None,
    company: Company = 1,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a user; prints the password if it was generated."""
    from flowloom.services import accounts

    made = on_database(
        data_dir,
        database_url,
        lambda db, at: accounts.create_user(db, company, email, name, role, password, at),
    )
    show(made, f"User {made['id']} {made['email']} ({made['role']})" + _password_line(made), as_json)


def _password_line(made: dict[str, Any]) -> str:
    return f"\nPassword (shown this once): {made['password']}" if "password" in made else ""


@keys_app.command("create")
def keys_create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    company: Company = 1,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key; prints it this once."""
    from flowloom.services import accounts

    made = on_database(data_dir, database_url, lambda db, at: accounts.create_key(db, company, name, at))
    show(made, f"Key {made['id']} (shown this once): {made['key']}", as_json)


@keys_app.command("revoke")
def keys_revoke(
    id: Annotated[int, typer.Argument(help="Id of the key.", min=1, max=MAX_ID)],
    company: Company = 1,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """End an API key; a running server refuses it within a second."""
    from flowloom.services import accounts

    on_database(data_dir, database_url, lambda db, at: accounts.revoke_key(db, company, id, at))
    show({"id": id, "revoked": True}, f"Key {id} revoked.", as_json)


@flows_app.command("export")
def flows_export(
    flow: Annotated[int, typer.Argument(help="Id of the flow.", min=1, max=MAX_ID)],
    output: Annotated[Path | None, typer.Option(help="File to write; standard output unless given.")] = None,
    company: Company = 1,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsOneLine = False,
) -> None:
    """Write a flow's Deployed (else newest) version as one JSON document."""
    from flowloom.services import accounts, exchange

    document = on_database(
        data_dir,
        database_url,
        lambda db, at: exchange.export_flow(db, accounts.operator(db, company, at), flow),
    )
    text = json.dumps(document, indent=None if as_json else 2, ensure_ascii=False)
    if output is None:
        print(text)
    else:
        output.write_text(f"{text}\n", encoding="utf-8")


@flows_app.command("import")
def flows_import(
    document: Annotated[Path, typer.Argument(help="File with the document; - reads standard input.")],
    name: Annotated[str | None, typer.Option(help="Name of the new flow.")] = None,
    company: Company = 1,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a disabled flow with a Draft from a document."""
    from flowloom.services import accounts, exchange

    content = read_document(document)
    made = on_database(
        data_dir,
        database_url,
        lambda db, at: exchange.import_flow(db, accounts.operator(db, company, at), content, name),
    )
    show(made, f'Flow {made["id"]} "{made["name"]}" imported, disabled, as a Draft.', as_json)


@app.command()
def openapi(as_json: AsOneLine = False) -> None:
    """Print the OpenAPI document of this version."""
    from flowloom.api import app as application

    print(json.dumps(application.document(), indent=None if as_json else 2))


def read_document(path: Path) -> dict[str, Any]:
    """A JSON object from a file, as large as the API takes one. Raises Invalid, TooLarge."""
    from flowloom.api import bodies

    try:
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as file:
            sent = file.read(bodies.MAX_BYTES + 1)
        if len(sent) > bodies.MAX_BYTES:
            raise errors.TooLarge(
                f"{path} is over 8 MB, which is the most that a document of a flow may have."
            )
        content = bodies.decode(sent)
        bodies.refuse_nul(content)
    except OSError as error:
        raise errors.Invalid.field("document", f"{path} cannot be read: {error.strerror}.") from None
    except errors.Invalid as problem:
        raise errors.Invalid.field("document", f"{path} cannot be read as JSON: {problem.message}") from None
    if not isinstance(content, dict):
        raise errors.Invalid.field("document", f"{path} is no document of a flow: it must be a JSON object.")
    return content


def on_database(data_dir: Path | None, database_url: str | None, work: Callable[[Connection, Any], T]) -> T:
    """Run one transaction on the database of the settings, beside a server that may be running.

    Raises Conflict when there is no database yet, or not of the newest schema.
    """
    from flowloom import bootstrap
    from flowloom.store import database, schema

    settings = load(data_dir=data_dir, database_url=database_url)
    if found := schema.check(settings.database_url):
        raise errors.Conflict(f"{found[0][0].upper()}{found[0][1:]}; `flowloom serve` makes and migrates it.")
    opened = database.Database(settings.database_url)
    try:
        return opened.write_now(work, bootstrap.utc_now())
    finally:
        opened.close()


def main() -> NoReturn:
    """Run the command; what went wrong in one line on standard error, with its exit code."""
    os.umask(0o077)
    try:
        app(prog_name="flowloom")
    except errors.Invalid as problem:
        for field, messages in problem.errors.items():
            named = messages[0] if messages[0].startswith(field) else f"{field}: {messages[0]}"
            print(f"flowloom: {named}", file=sys.stderr)
        sys.exit(EXIT_CODES[problem.kind])
    except errors.FlowloomError as problem:
        print(f"flowloom: {problem.message}", file=sys.stderr)
        sys.exit(EXIT_CODES[problem.kind])
    except OSError as problem:
        if problem.filename is None:
            raise
        print(f"flowloom: {problem.filename}: {problem.strerror}.", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)
