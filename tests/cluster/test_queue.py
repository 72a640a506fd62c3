"""The work queue at one NATS server: what is missing of it is made again, and no request is waited for without end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.cluster import nats_servers

from flowloom.store import deliveries, jetstream, shared_broker, wire
from flowloom.store.handing import Offer, State


@pytest.fixture
async def signals(tmp_path: Path) -> AsyncIterator[shared_broker.SharedBroker]:
    with nats_servers.servers(tmp_path, 1) as [node]:
        await node.ready()
        made = shared_broker.SharedBroker(wire.Wire([node.url], "tests"), "tests", 30)
        await made.start()
        async with asyncio.timeout(20):
            while not made.wire.is_up:
                await asyncio.sleep(0.02)
        yield made
        await made.stop()


async def offer(signals: shared_broker.SharedBroker, run_id: int, priority: int) -> None:
    made = Offer(run_id, 1, priority, State(0, 0, 0))
    [published] = await signals.queue.publish([(made, str(run_id))])
    assert not published.is_old


async def test_a_queue_that_was_made_in_part_is_not_taken_for_whole(signals: shared_broker.SharedBroker):
    with pytest.raises(jetstream.Refused):
        await signals.queue.standing()
    await signals.queue.ensure()
    await signals.wire.request("$JS.API.CONSUMER.DELETE.tests-runs.priority-3")
    with pytest.raises(jetstream.Refused, match="priority-3"):
        await signals.queue.standing()
    await offer(signals, 7, priority=3)
    await signals.queue.ensure()
    assert (await signals.queue.standing()).pending[3] == 1
    assert await signals.deliveries.take(1) == [7]


async def test_a_request_that_a_server_took_along_is_made_again(
    signals: shared_broker.SharedBroker, monkeypatch: pytest.MonkeyPatch
):
    await signals.queue.ensure()
    publish, lost = signals.wire.client.publish, []

    async def lose(subject: str, payload: bytes = b"", **about: Any) -> None:
        if b"expires" in payload:
            lost.append(subject)
        else:
            await publish(subject, payload, **about)

    monkeypatch.setattr(signals.wire.client, "publish", lose)
    assert await signals.deliveries.take(1) == []
    assert len(lost) == len(jetstream.PRIORITIES)
    await offer(signals, 7, priority=3)
    assert await signals.deliveries.take(1) == []
    late = time.monotonic() + jetstream.STANDING_SECONDS + jetstream.FETCH_SECONDS
    monkeypatch.setattr(jetstream, "time", SimpleNamespace(monotonic=lambda: late))
    assert await signals.deliveries.take(1) == [7]


async def test_what_is_put_off_comes_again_later(
    signals: shared_broker.SharedBroker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(deliveries, "LATER", b'-NAK {"delay": 500000000}')
    await signals.queue.ensure()
    await offer(signals, 7, priority=3)
    assert await signals.deliveries.take(1) == [7]
    signals.deliveries.put_off([7])
    assert await signals.deliveries.take(1) == []
    async with asyncio.timeout(5):
        while not (taken := await signals.deliveries.take(1)):
            await signals.wait_for_work(1)
    assert taken == [7]


async def test_who_watches_a_run_while_nats_hangs_hears_nothing_and_goes_on(
    signals: shared_broker.SharedBroker, monkeypatch: pytest.MonkeyPatch
):
    async def hang(**_: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(signals.wire.client, "flush", hang)
    async with signals.watch(7) as events:
        assert events.empty()
