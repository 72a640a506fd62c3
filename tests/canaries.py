"""How leaks are found: secrets in all their forms, everything a server keeps and shows, and a server that tells all."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import random
import re
import urllib.parse
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import select
from tests.remote import Seen
from tests.store.test_redaction import WAYS
from tests.world import World

from flowloom.store import tables

# What stands for each placeholder in the paths of the API.
TABLES = {
    "flow": tables.flows,
    "version": tables.versions,
    "flow_version": tables.versions,
    "user": tables.users,
    "schedule": tables.schedules,
    "flow_run": tables.runs,
    "payload_metadata": tables.payloads,
    "dead_letter": tables.dead_letters,
    "connector": tables.connectors,
    "connection": tables.connections,
    "marketplace_app": tables.marketplace_apps,
    "notification_group": tables.notification_groups,
    "data_pool": tables.data_pools,
    "lookup_table": tables.lookup_tables,
    "cache_entry": tables.cache_entries,
}
STEP_PAYLOADS = "/api/v1/flow-runs/{flow_run}/step-payloads"


def forms(secret: str) -> set[bytes]:
    """A secret in six encodings, made without what the product makes them with."""
    raw, found = secret.encode(), {secret, html.escape(secret), html.escape(secret, quote=False)}
    found |= {
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        raw.hex(),
        raw.hex().upper(),
    }
    found |= {urllib.parse.quote(secret, safe=safe) for safe in ("", "/")} | {urllib.parse.quote_plus(secret)}
    for before in (b"", b"a", b"ab"):
        encoded = base64.b64encode(before + raw)
        core = encoded[4:].rstrip(b"=")[:-1] if before else encoded.rstrip(b"=")[:-1]
        found |= {core.decode(), core.decode().translate(str.maketrans("+/", "-_"))}
    return {form.encode() for form in found}


@dataclass
class Haystack:
    """Everything that was found to look through, by where it came from."""

    parts: list[tuple[str, bytes]] = field(default_factory=list)

    def add(self, place: str, value: Any) -> None:
        """A value, and what it holds: what is packed in it, and every text of its JSON as it reads."""
        match value:
            case bytes():
                self.parts.append((place, value))
                with contextlib.suppress(zlib.error):
                    self.add(place, zlib.decompress(value))
                with contextlib.suppress(ValueError):
                    self.add(place, json.loads(value))
            case dict() | list():
                for one in [*value, *value.values()] if isinstance(value, dict) else value:
                    self.add(place, one)
            case str() | int():
                self.parts.append((place, str(value).encode()))

    def leaks(self, secrets: Sequence[str]) -> list[tuple[str, str, bytes]]:
        """Where a secret stands, which one, and what is around it."""
        whole = b"\n".join({content for _, content in self.parts})
        found = [(secret, form) for secret in secrets for form in forms(secret) if form in whole]
        return [
            (place, secret, content[max(0, content.find(form) - 60) :][:200])
            for secret, form in found
            for place, content in self.parts
            if form in content
        ]


def ways(*secrets: str) -> dict[str, str]:
    """Secrets written in every way, by way and number."""
    return {
        f"{way} {number}": write(one) for number, one in enumerate(secrets) for way, write in WAYS.items()
    }


async def tell(seen: Seen) -> web.Response:
    """All that a malicious server can do with what it was sent: to give it back in every way."""
    sent = told_to(seen)
    told = ways(*sent)
    if seen.path == "/refuse":
        return web.json_response(told, status=400)
    if seen.path == "/move" and "told" not in seen.query:
        where = "/move?" + urllib.parse.urlencode({"told": " ".join(sent)})
        return web.Response(status=307, headers={"location": where})
    if seen.path == "/text":
        text = "\n".join(told.values())
        return web.Response(
            body=text.encode("utf-16"), headers={"content-type": "text/plain; charset=utf-16"}
        )
    large = {"padding": random.Random(7).randbytes(200_000).hex()} if seen.path == "/large" else {}
    return web.json_response(
        {**told, "body": seen.content.decode(), **large},
        headers={"x-told": told["url 0"]} if told else {},
    )


def told_to(seen: Seen) -> list[str]:
    """What a request carries that may be a secret."""
    kind, _, rest = seen.headers.get("authorization", "").partition(" ")
    sent = [rest, base64.b64decode(rest).decode().partition(":")[2] if kind == "Basic" else ""]
    sent += [seen.headers.get("x-key", ""), seen.query.get("key", "")]
    return [one for one in sent if one]


async def look(server: World, directory: Path) -> Haystack:
    """All tables, files, and GET answers."""
    found = Haystack()
    for table in tables.metadata.sorted_tables:
        for row in server.platform.database.read_now(lambda db, table=table: db.execute(select(table)).all()):
            for name, value in row._mapping.items():
                found.add(f"{table.name}.{name}", value)
    for path in directory.rglob("*"):
        if path.is_file():
            found.add(str(path), path.read_bytes())
    for path, query in paths(server):
        answer = await server.get(path, query=query, key=server.bearer("administrator"))
        found.add(f"GET {path}", answer.body)
        found.add(f"GET {path}", json.dumps(dict(answer.headers)))
    return found


def paths(server: World) -> list[tuple[str, dict[str, Any]]]:
    """Every GET that the document knows, with every id there is, but for streams of events, which hold no data."""
    made: list[tuple[str, dict[str, Any]]] = []
    for path, methods in server.server.app.state.document()["paths"].items():
        if "get" not in methods or path.endswith("/events"):
            continue
        for filled in _filled(server, path):
            queries = _steps(server, filled) if path == STEP_PAYLOADS else [{"include": "variables"}]
            is_version = path.endswith(("/versions/{version}", "/versions"))
            made += [(filled, query if is_version or path == STEP_PAYLOADS else {}) for query in queries]
    return made


def _filled(server: World, path: str) -> list[str]:
    """A path with the ids of its records; a version goes with its flow, a step with its version."""
    if path.endswith("/versions/{version}"):
        columns = tables.versions.c
        rows = _rows(server, select(columns.flow_id, columns.id))
        return [path.format(flow=flow_id, version=id) for flow_id, id in rows]
    if "{step}" in path:
        columns = tables.steps.c
        rows = _rows(server, select(columns.flow_version_id, columns.id))
        return [path.format(flow_version=version_id, step=id) for version_id, id in rows]
    names = re.findall(r"{(\w+)}", path)
    if not names:
        return [path]
    [name] = names
    return [path.format(**{name: id}) for (id,) in _rows(server, select(TABLES[name].c.id))]


def _steps(server: World, path: str) -> list[dict[str, Any]]:
    run_id = int(path.split("/")[4])
    columns = tables.steps.c
    version = select(tables.runs.c.flow_version_id).where(tables.runs.c.id == run_id).scalar_subquery()
    keys = _rows(server, select(columns.key).where(columns.flow_version_id == version))
    return [{"step": key, "side": "after"} for (key,) in keys]


def _rows(server: World, statement: Any) -> Sequence[Any]:
    found: Sequence[Any] = server.platform.database.read_now(
        lambda db: db.execute(statement.order_by(*statement.selected_columns)).all()
    )
    return found
