"""The notifier: what is in the outbox arrives, is tried again, and says what became of it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests import mailbox as mailboxes
from tests import remote as remotes
from tests import world
from tests.mailbox import Mailbox
from tests.remote import Remote
from tests.world import World

from flowloom.engine import mail

MAIL = {"type": "email", "to": ["jo@example.com", "ann@example.com"]}


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with mailboxes.serving() as opened:
        yield opened


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    async with remotes.serving() as opened:
        yield opened


@pytest.fixture
async def server(database_url: str, tmp_path: Path, mailbox: Mailbox) -> AsyncIterator[World]:
    overrides = {"smtp_url": mailbox.url(), "smtp_from": "flowloom@example.com"}
    async with world.open_world(database_url, tmp_path, **overrides) as opened:
        yield opened


@asynccontextmanager
async def sqlite_world(template: Path, directory: Path, **overrides: Any) -> AsyncIterator[World]:
    shutil.copy(template, directory / "flowloom.db")
    url = f"sqlite+pysqlite:///{directory / 'flowloom.db'}"
    async with world.open_world(url, directory, **overrides) as opened:
        yield opened


async def group(server: World, *channels: dict[str, Any]) -> int:
    id: int = (await server.post("/notification-groups", json={"name": "Ops", "channels": channels})).data[
        "id"
    ]
    return id


async def flow_that_notifies(server: World, *channels: dict[str, Any]) -> world.Flow:
    config = {
        "group_id": await group(server, *channels),
        "subject": "Order [[payload.id]]\nfor {{shop}}",
        "text": "Ordered: [[payload.id]]",
    }
    return await server.flow({"microservice": "notify", "config": config, "variables": {"shop": "nl"}})


async def listed(server: World, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await server.get("/notifications", query={"sort": "id", **query})).data
    return found


async def test_a_step_tells_every_channel_once(server: World, mailbox: Mailbox, remote: Remote) -> None:
    hook = {"type": "webhook", "url": remote.url("/hook?token=secret")}
    flow = await flow_that_notifies(server, MAIL, hook, {"type": "log"})
    run = await flow.run({"id": 7})
    assert run["status"] == 2
    queued = await listed(server)
    assert [(one["channel"], one["state"]) for one in queued] == [
        ("email", "queued"),
        ("webhook", "queued"),
        ("log", "queued"),
    ]
    with capture_logs() as logs:
        assert await server.notify() == 3
    (message,) = mailbox.messages
    assert (message["Subject"], message["From"]) == ("Order 7 for nl", "flowloom@example.com")
    assert message["To"] == "jo@example.com, ann@example.com"
    assert message.get_content().strip() == "Ordered: 7"
    assert mailbox.recipients == [["jo@example.com", "ann@example.com"]]
    (seen,) = remote.seen
    assert seen.body == {
        "subject": "Order 7 for nl",
        "text": "Ordered: 7",
        "flow_id": flow.id,
        "run_id": run["id"],
        "at": "2026-03-02T10:00:00.000000Z",
    }
    assert seen.key is not None
    assert [log["subject"] for log in logs if log["event"] == "notification"] == ["Order 7 for nl"]
    sent = await listed(server)
    assert {(one["state"], one["attempts"], one.get("next_at"), one.get("error")) for one in sent} == {
        ("sent", 1, None, None)
    }
    assert [one.get("to") for one in sent] == [MAIL["to"], [f"127.0.0.1:{remote.port}"], None]
    assert await server.notify() == 0


async def test_the_list_is_filtered(server: World) -> None:
    flow = await flow_that_notifies(server, {"type": "log"}, MAIL)
    run = await flow.run({"id": 7})
    assert len(await listed(server, **{"filter[flow_id]": flow.id, "filter[flow_run_id]": run["id"]})) == 2
    assert len(await listed(server, **{"filter[channel]": "log"})) == 1
    assert await listed(server, **{"filter[state]": "sent,failed"}) == []
    assert await listed(server, **{"filter[flow_id]": flow.id + 1}) == []
    assert (await server.get("/notifications", query={"filter[state]": "lost"})).status == 422
    assert (await server.get("/notifications", key=server.other_key)).data == []


async def test_a_webhook_is_tried_again_under_the_same_key(server: World, remote: Remote) -> None:
    id = await group(server, {"type": "webhook", "url": remote.url()})
    remote.answers(503, 200)
    (queued,) = (await server.post(f"/notification-groups/{id}/test")).data
    assert queued["state"] == "queued"
    await server.notify()
    (tried,) = await listed(server)
    assert (tried["state"], tried["attempts"], tried["error"]) == ("queued", 1, "The webhook answered 503.")
    assert tried["next_at"] == "2026-03-02T10:00:30.000000Z"
    assert await server.notify() == 0
    server.clock.advance(seconds=30)
    assert await server.notify() == 1
    (sent,) = await listed(server)
    assert (sent["state"], sent["attempts"], "error" in sent) == ("sent", 2, False)
    assert len(remote.seen) == 2
    assert len(remote.per_key()) == 1


async def test_it_gives_up_after_about_an_hour(server: World, remote: Remote) -> None:
    id = await group(server, {"type": "webhook", "url": remote.url()})
    remote.answers(500)
    await server.post(f"/notification-groups/{id}/test")
    began = server.clock.now
    while (await listed(server))[0]["state"] == "queued":
        await server.notify()
        server.clock.advance(seconds=30)
    assert len(remote.seen) == 8
    assert 3600 < (server.clock.now - began).total_seconds() < 4000
    (failed,) = await listed(server, **{"filter[state]": "failed"})
    assert failed["error"] == "The webhook answered 500."


async def test_a_private_address_is_refused_for_good(server: World) -> None:
    id = await group(server, {"type": "webhook", "url": "http://169.254.169.254/latest"})
    await server.post(f"/notification-groups/{id}/test")
    await server.notify()
    (failed,) = await listed(server)
    assert (failed["state"], failed["attempts"]) == ("failed", 1)
    assert "FLOWLOOM_OUTBOUND_ALLOW" in failed["error"]


async def test_a_message_the_server_refuses_fails_at_once(server: World, mailbox: Mailbox) -> None:
    mailbox.refusal = "554 looks like spam."
    await server.post(f"/notification-groups/{await group(server, MAIL)}/test")
    await server.notify()
    (failed,) = await listed(server)
    assert (failed["state"], failed["error"]) == (
        "failed",
        "The SMTP server 127.0.0.1 answered 554 looks like spam.",
    )


async def test_a_server_in_trouble_is_asked_again(server: World, mailbox: Mailbox) -> None:
    mailbox.refusal = "451 try later"
    await server.post(f"/notification-groups/{await group(server, MAIL)}/test")
    await server.notify()
    assert (await listed(server))[0]["state"] == "queued"
    mailbox.refusal = None
    server.clock.advance(seconds=30)
    await server.notify()
    assert [(one["state"], one["attempts"]) for one in await listed(server)] == [("sent", 2)]
    assert len(mailbox.messages) == 1


async def test_an_address_that_is_refused_is_named(server: World, mailbox: Mailbox) -> None:
    mailbox.refused = ("ann@example.com",)
    await server.post(f"/notification-groups/{await group(server, MAIL)}/test")
    await server.notify()
    (sent,) = await listed(server)
    assert (sent["state"], sent["error"]) == ("sent", "The SMTP server 127.0.0.1 refused ann@example.com.")
    assert mailbox.recipients == [["jo@example.com"]]
    mailbox.refused = tuple(MAIL["to"])
    await server.post(f"/notification-groups/{await group(server, MAIL)}/test")
    await server.notify()
    assert (await listed(server))[1]["state"] == "failed"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server that does not answer is waited for in real time."""
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 1.0)


async def test_a_slow_server_holds_up_nobody_else(server: World, mailbox: Mailbox, remote: Remote) -> None:
    mailbox.hangs = True
    slow = await group(server, MAIL)
    for _ in range(20):
        await server.post(f"/notification-groups/{slow}/test")
    assert await server.server.loops.notifier.tick(server.clock.now) == 8
    await server.post(
        f"/notification-groups/{await group(server, {'type': 'webhook', 'url': remote.url()})}/test"
    )
    assert await server.server.loops.notifier.tick(server.clock.now) == 1
    await remote.until(1)
    await server.server.loops.notifier.stop()
    assert {one["state"] for one in await listed(server, **{"filter[channel]": "email"})} == {"queued"}


async def test_without_a_server_e_mail_fails_at_once(sqlite_server: World) -> None:
    await sqlite_server.post(f"/notification-groups/{await group(sqlite_server, MAIL)}/test")
    await sqlite_server.notify()
    (failed,) = await listed(sqlite_server)
    assert failed["state"] == "failed"
    assert (
        failed["error"] == "No e-mail can be sent: the operator names an SMTP server with FLOWLOOM_SMTP_URL."
    )


@pytest.mark.parametrize(("credentials", "state"), [("jo:p%40ss@", "sent"), ("jo:wrong@", "queued")])
async def test_it_logs_in(sqlite_template: Path, tmp_path: Path, credentials: str, state: str) -> None:
    async with mailboxes.serving(with_login=True) as mailbox:
        url = mailbox.url(credentials)
        async with sqlite_world(sqlite_template, tmp_path, smtp_url=url) as server:
            await server.post(f"/notification-groups/{await group(server, MAIL)}/test")
            await server.notify()
            (row,) = await listed(server)
            assert row["state"] == state
            assert "wrong" not in str(row)
    assert mailbox.logins[0][0] == b"jo"


async def test_nobody_listens(sqlite_template: Path, tmp_path: Path) -> None:
    async with sqlite_world(sqlite_template, tmp_path, smtp_url="smtp://127.0.0.1:1") as server:
        await server.post(f"/notification-groups/{await group(server, MAIL)}/test")
        await server.notify()
        (row,) = await listed(server)
        assert (row["state"], row["attempts"]) == ("queued", 1)
        assert row["error"].startswith("The SMTP server 127.0.0.1 cannot be used")


async def test_what_was_under_way_at_the_end_is_sent_again(server: World, remote: Remote) -> None:
    id = await group(server, {"type": "webhook", "url": remote.url()})
    remote.answer = remotes.hang
    await server.post(f"/notification-groups/{id}/test")
    await server.server.loops.notifier.tick(server.clock.now)
    await remote.until(1)
    await server.server.loops.notifier.stop()
    remote.answer = remotes.accept
    await server.notify()
    assert [one["state"] for one in await listed(server)] == ["sent"]
    assert len(remote.per_key()) == 1


async def test_old_messages_go_with_the_logs(server: World) -> None:
    id = await group(server, {"type": "log"})
    await server.post(f"/notification-groups/{id}/test")
    await server.notify()
    server.clock.advance(seconds=31 * 86400)
    await server.post(f"/notification-groups/{id}/test")
    await server.server.loops.pruner.tick(server.clock.now)
    assert [one["state"] for one in await listed(server)] == ["queued"]


async def test_a_group_that_is_gone_is_told_of(server: World) -> None:
    flow = await flow_that_notifies(server, {"type": "log"})
    run_id = await flow.start({"id": 7})
    await server.put(flow.path, json={"deployed_at": None})
    assert (await server.delete("/notification-groups/1")).status == 200
    await server.work()
    (failed,) = await listed(server)
    assert (failed["flow_run_id"], failed["state"]) == (run_id, "failed")
    assert failed["error"] == "Notification group 1 was not found; choose another one."
    assert await server.notify() == 0


async def test_the_same_place_of_a_run_tells_once(server: World) -> None:
    """A retry begins again at the notify step; what it told before is not told again."""
    flow = await flow_that_notifies(server, {"type": "log"})
    run = await flow.run([{"id": 7}])
    step = (await server.get(flow.graph)).data["steps"][1]
    again = await server.post(f"/flow-runs/{run['id']}/retry", json={"from_step": step["key"]})
    await server.work()
    assert (again.status, len(await listed(server))) == (200, 1)


async def test_a_webhook_is_called_with_its_secrets_and_nothing_tells_them(
    server: World, remote: Remote
) -> None:
    secrets = {"token": "tok-4f9a8b7c6d5e"}
    hook = {"type": "webhook", "url": remote.url("/in/{{token}}?t={{token}}"), "secrets": secrets}
    await server.post(f"/notification-groups/{await group(server, hook)}/test")
    remote.answers(503)
    assert await server.notify() == 1
    [seen] = remote.seen
    assert (seen.path, seen.query) == ("/in/tok-4f9a8b7c6d5e", {"t": "tok-4f9a8b7c6d5e"})
    listed = await server.get("/notifications")
    assert listed.data[0]["error"] == "The webhook answered 503."
    assert b"tok-4f9a" not in listed.body


async def test_a_password_that_the_mail_server_sends_back_is_not_kept(
    sqlite_template: Path, tmp_path: Path
) -> None:
    async with mailboxes.serving(with_login=True) as mailbox:
        mailbox.password = b"correct horse"
        mailbox.refusal = f"550 {'x' * 900} correct horse"
        url = mailbox.url("jo:correct%20horse@")
        async with sqlite_world(sqlite_template, tmp_path, smtp_url=url) as opened:
            await opened.post(f"/notification-groups/{await group(opened, MAIL)}/test")
            await opened.notify()
            [told] = await listed(opened)
    assert told["error"].endswith("x [redacted].")
