"""Twenty secrets are planted and flows do all they can to leak them: none is in anything that is kept or shown."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import random
import urllib.parse
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select
from tests.remote import Remote, Seen
from tests.store.test_redaction import WAYS
from tests.world import Flow, World

from flowloom.services import accounts, exchange
from flowloom.store import tables

BEARER = [
    "tok-4f9a8b7c6d5e", "ghp_Zx9/Yw8+Vu7=Ts6", 'br"acket\\s & <tags>', "päßwört-größe", "eyJhbGciOi.J9eyJz.dWIiOiIx",
]  # fmt: skip
BASIC = ["p@ss w0rd+plus", "hunter2hunter2", "s€cret/€uro", "100%25sure?", "short7!"]
HEADER = ["key=abc&def=ghi", "90817263544455", "'quoted'`tick`", "a\\u0041b-escaped", "😀emoji-key"]
WEBHOOK = [
    "webhook secret one, long enough!",
    "webhook secret two; long enough!",
    "webhook s3cret/three+long enough",
]
PASSWORD = "a user's pass-word, long"
SECRETS = [*BEARER, *BASIC, *HEADER, *WEBHOOK, PASSWORD]  # and the API key, which is made up by the server


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

    def leaks(self, secrets: list[str]) -> list[tuple[str, str, bytes]]:
        whole = b"\n".join({content for _, content in self.parts})
        found = [(secret, form) for secret in secrets for form in forms(secret) if form in whole]
        return [
            (place, secret, content[max(0, content.find(form) - 60) :][:200])
            for secret, form in found
            for place, content in self.parts
            if form in content
        ]


async def tell(seen: Seen) -> web.Response:
    """All that a malicious server can do with what it was sent: to give it back in every way."""
    sent = [seen.headers.get("authorization", "").partition(" ")[2], seen.headers.get("x-key", "")]
    if seen.headers.get("authorization", "").startswith("Basic"):
        sent.append(base64.b64decode(sent[0]).decode().partition(":")[2])
    told = {
        f"{way} {number}": write(one) for number, one in enumerate(sent) if one for way, write in WAYS.items()
    }
    if seen.path == "/refuse":
        return web.json_response(told, status=400)
    if seen.path == "/move" and "told" not in seen.query:
        where = "/move?" + urllib.parse.urlencode({"told": " ".join(filter(None, sent))})
        return web.Response(status=307, headers={"location": where})
    if seen.path == "/text":
        text = "\n".join(told.values())
        return web.Response(
            body=text.encode("utf-16"), headers={"content-type": "text/plain; charset=utf-16"}
        )
    large = {"padding": random.Random(7).randbytes(200_000).hex()} if seen.path == "/large" else {}
    return web.json_response(
        {**told, "body": seen.content.decode(), **large},
        headers={"x-told": told["url 0"]} if told.get("url 0") else {},
    )


def auths() -> Iterator[tuple[str, dict[str, str]]]:
    yield from ((secret, {"type": "bearer", "token": secret}) for secret in BEARER)
    yield from ((secret, {"type": "basic", "username": "ann", "password": secret}) for secret in BASIC)
    yield from ((secret, {"type": "header", "name": "X-Key", "value": secret}) for secret in HEADER)


async def leaking_flow(server: World, remote: Remote, auth: dict[str, str]) -> Flow:
    shop = {"name": "Shop", "base_url": remote.url(""), "allowed_hosts": ["127.0.0.1"], "auth": auth}
    id = (await server.post("/connections", json=shop)).data["id"]
    use = {"connection_id": id, "response_format": "json"}
    keep = {
        "variables": {"told": "[[payload]]"},
        "meta": {"told": "[[payload]]", "one": "[[payload.plain 0]]"},
    }
    rules = [
        {"target": "all", "source": "."},
        {"target": "in64", "template": "of [[payload]]", "transforms": [{"name": "base64_encode"}]},
        {"target": "told", "variable": "told"},
    ]
    text = {"connection_id": id, "response_format": "text"}
    return await server.flow(
        remote.send("/tell", **use),
        {"microservice": "set-variables", "config": keep},
        {"microservice": "map", "config": {"rules": rules}},
        remote.send("/tell?again=[[meta.told]]"[:200], response_format="json", body={"back": "[[payload]]"}),
        remote.send("/move", **use),
        remote.send("/text", **text),
        remote.send("/large", **use, body={"text": "[[payload]]"}),
        {
            "microservice": "set-variables",
            "config": {"meta": {"told": "[[payload.url 0]] [[payload.plain 0]]"}},
        },
        remote.send("/refuse", connection_id=id, retries=0),
        name=f"Leak {auth['type']}",
    )


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
    looks = [f"/api/v1/flow-runs/{run}/step-payloads" for run in of(server, tables.runs)]
    for path in [*await paths(server), *looks]:
        query = {"step": "trigger", "side": "after"} if path in looks else None
        answer = await server.get(path, query=query, key=server.bearer("administrator"))
        found.add(f"GET {path}", answer.body)
        found.add(f"GET {path}", json.dumps(dict(answer.headers)))
    return found


async def paths(server: World) -> list[str]:
    """Every GET that the document knows, with every id there is; of the streams of events only that they are there."""
    ids = {
        "{flow}/versions/{version}": [f"{flow}/versions/{flow}" for flow in of(server, tables.flows)],
        "{flow}": of(server, tables.flows),
        "{flow_version}": of(server, tables.versions),
        "{connection}": of(server, tables.connections),
        "{user}": of(server, tables.users),
        "{flow_run}": of(server, tables.runs),
        "{dead_letter}": of(server, tables.dead_letters),
        "{payload_metadata}": of(server, tables.payloads),
        "{marketplace_app}": of(server, tables.marketplace_apps),
        "{step}": [0],
        "{schedule}": [0],
    }
    made: list[str] = []
    for path, methods in server.server.app.state.document()["paths"].items():
        if "get" not in methods or path.endswith("/events"):
            continue
        name = next((name for name in ids if name in path), "")
        made += [path.replace(name, str(id)) for id in ids[name]] if name else [path]
    return [path.replace("{step}", "1") for path in made]


def of(server: World, table: Any) -> list[int]:
    """The ids of a table, in order."""
    return server.platform.database.read_now(
        lambda db: list(db.scalars(select(table.c.id).order_by(table.c.id)))
    )


async def test_no_canary_is_found_anywhere(
    server: World, remote: Remote, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    remote.answer = tell
    flows = [(secret, await leaking_flow(server, remote, auth)) for secret, auth in auths()]
    for secret, flow in zip(WEBHOOK, (flow for _, flow in flows), strict=False):
        await server.post(f"/flows/{flow.id}/webhooks", json={"secret": secret})
    key = (await server.post("/api-keys", json={"name": "Canary"})).data["key"]
    user = {"email": "canary@first.test", "name": "Canary", "role": "user", "password": PASSWORD}
    assert (await server.post("/users", json=user, key=server.bearer("administrator"))).status == 200
    for _, flow in flows:
        run = await flow.run({"order": 1})
        assert run["summary"]["error"]["name"] == "/refuse", run["summary"]
        await server.post(
            f"/flow-versions/{flow.version_id}/upload", json={}, key=server.bearer("administrator")
        )
    secrets = [*SECRETS, key]
    assert len(secrets) == 20
    sent = " ".join(str(seen.headers) for seen in remote.seen)
    assert all(secret in sent for secret in ("tok-4f9a8b7c6d5e", "90817263544455"))
    found = await look(server, tmp_path)

    def export(db: Any, flow: Flow) -> dict[str, Any]:
        return exchange.export_flow(db, accounts.operator(db, 1, server.clock.now), flow.id)

    for _, flow in flows:
        found.add("export", server.platform.database.read_now(export, flow))
    printed = capfd.readouterr()
    found.add("log", printed.out + printed.err)
    assert sum(b"[redacted]" in content for _, content in found.parts) > 100
    assert any("blobs" in place for place, _ in found.parts)
    leaks = found.leaks(secrets)
    assert leaks == [], leaks[:5]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_leak_would_be_found(secret: str):
    raw = secret.encode()
    for written in (
        secret,
        html.escape(secret),
        raw.hex(),
        base64.b64encode(b"x" + raw),
        urllib.parse.quote(secret),
    ):
        body = {"a": [f"x {written if isinstance(written, str) else written.decode()} y"]}
        found = Haystack()
        found.add("here", zlib.compress(json.dumps(body).encode()))
        assert found.leaks([secret])
