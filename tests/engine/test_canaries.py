"""Secrets of every kind are planted and flows do all they can to leak them: none is in what is kept or shown."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests import canaries, databases, files, mailbox, world
from tests.api.test_secret_variables import put
from tests.canaries import Haystack
from tests.mailbox import Mailbox
from tests.remote import Remote, Seen
from tests.world import Flow, World

from flowloom.services import accounts, exchange

AUTHS = [
    {"type": "bearer", "token": "tok-4f9a8b7c6d5e"},
    {"type": "bearer", "token": 'br"acket\\s & <tags>'},
    {"type": "basic", "username": "ann", "password": "p@ss w0rd+plus"},
    {"type": "basic", "username": "ann", "password": "short7!"},
    {"type": "header", "name": "X-Key", "value": "key=abc&def=ghi"},
    {"type": "header", "name": "X-Key", "value": "90817263544455"},
]
CLIENT = {"type": "oauth2_client_credentials", "client_id": "flowloom", "client_secret": "s€cret/€uro"}
REFRESH = {
    "type": "oauth2_refresh_token",
    "client_id": "flowloom",
    "client_secret": "100%25sure?",
    "refresh_token": "a\\u0041b-escaped",
}
ACCESS, ROTATED, REFUSED = "eyJhbGciOi.J9eyJz.dWIiOiIx", "'rotated'`tick`", "refused-client & secret"
OF_FLOW = ["ghp_Zx9/Yw8+Vu7=Ts6", "päßwört-größe", 'line one\nline "two"', "😀emoji-key"]
OF_CONNECTION = ["hunter2hunter2", "con nection/<key>&more"]
OF_HOOKS = ["T0/B1/slack-like-token", "hook+token=two"]
SMTP = "smtp-p@ss/word"
WEBHOOKS = [
    "webhook secret one, long enough!",
    "webhook secret two; long enough!",
    "webhook s3cret/three+long enough",
]
PASSWORD = "a user's pass-word, long"
SENT = [value for auth in AUTHS for name, value in auth.items() if name in ("token", "password", "value")]
SECRETS = [
    *SENT, CLIENT["client_secret"], REFRESH["client_secret"], REFRESH["refresh_token"], ACCESS, ROTATED, REFUSED,
    *OF_FLOW, *OF_CONNECTION, *OF_HOOKS, SMTP, *WEBHOOKS, PASSWORD, files.PASSWORD, databases.PASSWORD,
]  # fmt: skip


@pytest.fixture
async def post() -> AsyncIterator[Mailbox]:
    async with mailbox.serving(with_login=True) as opened:
        opened.password = SMTP.encode()
        yield opened


@pytest.fixture
async def server(database_url: str, tmp_path: Path, post: Mailbox) -> AsyncIterator[World]:
    url = post.url(f"jo:{urllib.parse.quote(SMTP, safe='')}@")
    async with world.open_world(database_url, tmp_path, smtp_url=url) as opened:
        yield opened


async def answer(seen: Seen) -> web.Response:
    """Tokens for those who ask, and for everybody else all that he has sent."""
    if seen.path == "/token":
        return web.json_response({"access_token": ACCESS, "refresh_token": ROTATED, "expires_in": 3600})
    if seen.path == "/no-token":
        told = {"error": "invalid_client", "error_description": " ".join(canaries.ways(REFUSED).values())}
        return web.json_response(told, status=400)
    return await canaries.tell(seen)


@dataclass
class Plant:
    """A server with secrets in it, and the flows that leak them."""

    server: World
    remote: Remote
    flows: list[Flow] = field(default_factory=list)
    group_id: int = 0
    child_id: int = 0

    async def surroundings(self) -> None:
        """What flows tell things to: a group with every channel, a data pool, and another flow."""
        hooks = [
            {
                "type": "webhook",
                "url": self.remote.url("/hook/{{token}}"),
                "secrets": {"token": urllib.parse.quote(token, safe="/")},
            }
            for token in OF_HOOKS
        ]
        channels = [{"type": "email", "to": ["jo@example.com"]}, {"type": "log"}, *hooks]
        made = await self.server.post("/notification-groups", json={"name": "Ops", "channels": channels})
        self.group_id = made.data["id"]
        await self.server.post("/data-pools", json={"name": "seen"})
        keep = {"variables": {"again": "{{told}}"}, "meta": {"again": "[[payload.plain 0]]"}}
        child = await self.server.flow(
            {"microservice": "set-variables", "config": keep},
            {"microservice": "callback", "config": {"headers": {"X-Told": "{{first}}"}}},
            deploy=False,
        )
        await put(child, {}, {"told": "", "first": ""})
        await child.deploy()
        self.child_id = child.id

    async def connection(self, **fields: Any) -> int:
        """A connection to the server that tells all."""
        shop = {
            "name": "Shop",
            "base_url": self.remote.url(""),
            "allowed_hosts": [f"127.0.0.1:{self.remote.port}"],
            **fields,
        }
        id: int = (await self.server.post("/connections", json=shop)).data["id"]
        return id

    async def leaking(self, secrets: dict[str, str] | None = None, **use: Any) -> None:
        """A flow whose connector steps all have these fields, and which leaks by every step there is."""
        flow = await self.server.flow(*self.steps(use), name="Leak", deploy=False)
        await put(flow, secrets or {})
        await flow.deploy()
        self.flows.append(flow)

    def steps(self, use: dict[str, Any]) -> list[dict[str, Any]]:
        send, one = self.remote.send, "[[payload.plain 0]]"
        kept = {"variables": {"told": "[[payload]]"}, "meta": {"told": "[[payload]]", "one": one}}
        rules = [
            {"target": "all", "source": "."},
            {"target": "in64", "template": "of [[payload]]", "transforms": [{"name": "base64_encode"}]},
            {"target": "told", "variable": "told"},
        ]
        configs: list[tuple[str, dict[str, Any]]] = [
            ("set-variables", kept),
            ("cache", {"action": "add", "scope": "company", "key": f"of {one}", "value": "[[payload]]"}),
            ("track", {"entity_type": "order", "value": one}),
            ("de-dupe", {"pool": "seen", "key": one, "mode": "track"}),
            ("notify", {"group_id": self.group_id, "subject": one, "text": "[[payload]]"}),
            (
                "run-flow",
                {
                    "flow_id": self.child_id,
                    "variables": {"told": "[[payload]]", "first": "[[payload.url 0]]"},
                },
            ),
            ("callback", {"headers": {"X-Told": "[[payload.url 0]]"}, "body": "[[payload]]"}),
            ("map", {"rules": rules}),
        ]
        told = {"meta": {"told": f"[[payload.url 0]] {one}"}}
        # Steps that have a body of their own keep it.
        own = use.get("body")
        return [
            send("/tell", **use, response_format="json"),
            *({"microservice": kind, "config": config} for kind, config in configs),
            send("/tell?again=[[meta.told]]"[:200], response_format="json", body={"back": "[[payload]]"}),
            send("/move", **use, response_format="json"),
            send("/text", **use, response_format="text"),
            send("/large", **{**use, "body": own or {"text": "[[payload]]"}}, response_format="json"),
            {"microservice": "set-variables", "config": told},
            send("/refuse", **use, retries=0),
        ]

    async def over_http(self) -> None:
        for auth in [
            *AUTHS,
            *({**auth, "token_url": self.remote.url("/token")} for auth in (CLIENT, REFRESH)),
        ]:
            await self.leaking(connection_id=await self.connection(auth=auth))
        secrets = {"first": OF_CONNECTION[0], "second": OF_CONNECTION[1]}
        uses = {"headers": {"X-Key": "{{first}}"}, "query": {"key": "{{second}}"}}
        await self.leaking(connection_id=await self.connection(secrets=secrets), **uses)
        first, second, third, fourth = OF_FLOW
        await self.leaking({"first": first, "second": second}, **uses, body={"all": "{{first}} {{second}}"})
        uses = {"headers": {"X-Key": "{{second}}"}, "query": {"key": "{{first}}"}}
        await self.leaking({"first": third, "second": fourth}, **uses, body="{{first}}\n{{second}}")

    async def single(self, **config: Any) -> None:
        """A flow of one connector step whose answer or failure tells."""
        self.flows.append(await self.server.flow({"microservice": "connector", "config": config}))

    async def over_other_ways(self, sftp: files.FileServer, postgres_port: int) -> None:
        refused = {**CLIENT, "client_secret": REFUSED, "token_url": self.remote.url("/no-token")}
        id = await self.connection(auth=refused)
        await self.single(direction="send", connection_id=id, url="/tell", retries=0)
        for user, secret in (
            ("jo", {"password": files.PASSWORD}),
            ("ann", {"private_key": sftp.private_key}),
        ):
            sftp.put(f"{user}/told.txt", "\n".join(canaries.ways(*secret.values()).values()))
            served = {**sftp.fields["server"], "password": None, "username": user, **secret}
            fields = {"name": "Files", "protocol": "sftp", "server": served}
            id = (await self.server.post("/connections", json=fields)).data["id"]
            use = {"connection_id": id, "sftp": {"path": user}, "response_format": "text"}
            await self.single(direction="receive", **use)
        at = {"host": databases.LOOPBACK, "port": postgres_port, "username": "shop", "database": "shop"}
        books = {"name": "Books", "protocol": "postgresql", "server": {**at, "password": databases.PASSWORD}}
        id = (await self.server.post("/connections", json=books)).data["id"]
        told = f"SELECT reverse('{databases.PASSWORD[::-1]}') AS told"
        for statement in (told, f"SELECT cast(told AS integer) FROM ({told}) AS t"):
            await self.single(direction="receive", connection_id=id, sql={"statement": statement}, retries=0)

    async def for_people(self) -> list[str]:
        """An API key, a user and a session, and webhooks; those of their secrets that the server made up."""
        for secret, flow in zip(WEBHOOKS, self.flows, strict=False):
            await self.server.post(f"/flows/{flow.id}/webhooks", json={"secret": secret})
        key = (await self.server.post("/api-keys", json={"name": "Canary"})).data["key"]
        user = {"email": "canary@first.test", "name": "Canary", "role": "user", "password": PASSWORD}
        administrator = self.server.bearer("administrator")
        assert (await self.server.post("/users", json=user, key=administrator)).status == 200
        login = {"email": user["email"], "password": PASSWORD}
        token = (await self.server.post("/fabric/api/login", json=login, key=None)).json()["token"]
        return [key, token]

    async def run_all(self) -> list[int]:
        """Run each flow, make an app of it, and let everybody be told; the status of each run."""
        statuses = []
        for flow in self.flows:
            run = await flow.run({"order": 1})
            ended = (run["summary"].get("error") or {}).get("name")
            assert flow not in self.flows[:LEAKING] or ended == "/refuse", run["summary"]
            statuses.append(run["status"])
            administrator = self.server.bearer("administrator")
            await self.server.post(f"/flow-versions/{flow.version_id}/upload", json={}, key=administrator)
        self.server.clock.advance(seconds=1)
        await self.server.notify()
        return statuses


LEAKING = 11


async def test_no_canary_is_found_anywhere(
    server: World,
    remote: Remote,
    post: Mailbox,
    postgres_port: int,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capfd: pytest.CaptureFixture[str],
) -> None:
    remote.answer = answer
    post.refusal = f"550 no mail for {' '.join(list(canaries.ways(SMTP).values())[:6])}"
    plant = Plant(server, remote)
    async with files.serving(tmp_path_factory.mktemp("served")) as sftp:
        await plant.surroundings()
        await plant.over_http()
        assert len(plant.flows) == LEAKING
        await plant.over_other_ways(sftp, postgres_port)
        secrets = [*SECRETS, *await plant.for_people(), sftp.private_key]
        statuses = await plant.run_all()
    assert statuses == [3] * LEAKING + [3, 2, 2, 2, 3]
    assert len(secrets) == len(set(secrets)) == 30
    require_sent(remote, post)
    found = await canaries.look(server, tmp_path)

    def export(db: Any, flow: Flow) -> dict[str, Any]:
        return exchange.export_flow(db, accounts.operator(db, 1, server.clock.now), flow.id)

    for flow in plant.flows:
        found.add("export", server.platform.database.read_now(export, flow))
    printed = capfd.readouterr()
    found.add("log", printed.out + printed.err)
    assert sum(b"[redacted]" in content for _, content in found.parts) > 100
    assert any("blobs" in place for place, _ in found.parts)
    leaks = found.leaks(secrets)
    assert leaks == [], (len(leaks), leaks[:5], sorted({(place, secret) for place, secret, _ in leaks}))


def require_sent(remote: Remote, post: Mailbox) -> None:
    """Nothing was found because it was never used? It was."""
    told = {one for seen in remote.seen for one in canaries.told_to(seen)}
    assert {*SENT, ACCESS, *OF_CONNECTION, *OF_FLOW} <= told
    assert {f"/hook/{token}" for token in OF_HOOKS} <= {seen.path for seen in remote.seen}
    assert post.logins
    assert {password for _, password in post.logins} == {SMTP.encode()}


@pytest.mark.parametrize("secret", SECRETS)
def test_a_leak_would_be_found(secret: str) -> None:
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
