"""What a run goes on with after a wait, a crash or a retry is matched to what it recorded: by position and content."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import update
from tests.engine.test_catch import add_try, hang_on
from tests.engine.test_effects import begin, crash, get_run
from tests.engine.test_evidence import payloads
from tests.engine.test_retry import retry
from tests.remote import Remote, Seen, hang
from tests.world import Flow, World

from flowloom.domain.payload import Payload
from flowloom.engine import past
from flowloom.store import tables

SUCCESS, FAILURE, PARTIAL = 2, 3, 5
ORDERS = [{"n": "a"}, {"n": "b"}, {"n": "c"}]
# Records that the table does not know are left out, the others stand one by one.
KNOWN = (
    {
        "microservice": "map",
        "config": {
            "rules": [
                {"target": "n", "source": "n"},
                {
                    "target": "o",
                    "source": "n",
                    "transforms": [{"name": "lookup_table", "table": "t"}],
                },
            ]
        },
    },
    {"microservice": "filter", "config": {"where": {"field": "o", "operator": "is_not_empty"}}},
    {"microservice": "split", "config": {}},
)


async def table(server: World, rows: str) -> None:
    """The lookup table holds these rows, each a letter and a letter."""
    await server.post("/lookup-tables", json={"name": "t"})
    body = "".join(f"{left},{right}\n" for left, right in rows.split()).encode()
    assert (await server.put("/lookup-tables/1/csv", body=body)).status == 200


def sent(remote: Remote, path: str = "/") -> str:
    return "".join(body["n"] for body in remote.bodies(path))


def refuses(name: str, path: str = "/") -> Any:
    async def answer(seen: Seen) -> web.Response:
        is_bad = seen.path == path and seen.body["n"] == name
        return web.Response(status=400 if is_bad else 200)

    return answer


async def test_a_retry_sends_what_the_table_has_more_now_and_nothing_again(server: World, remote: Remote):
    await table(server, "bx cy")
    flow = await server.flow(*KNOWN, remote.send())
    remote.answer = refuses("c")
    run = await flow.run(ORDERS)
    assert (run["status"], sent(remote)) == (FAILURE, "bc")
    await table(server, "az bx cy")
    remote.answers(200)
    second = await retry(server, run["id"])
    assert (second["status"], sent(remote)) == (SUCCESS, "bcac")
    assert len(set(remote.keys())) == 4 - (remote.keys()[1] == remote.keys()[3])
    send = second["summary"]["steps"][-1]["key"]
    after = await payloads(server, second, send, "after")
    assert [one["body"]["n"] for one in after] == ["a", "b", "c"]


async def test_nothing_is_sent_again_when_a_row_is_taken_away(server: World, remote: Remote):
    await table(server, "az bx cy")
    flow = await server.flow(*KNOWN, remote.send("/one"), remote.send("/two"))
    remote.answer = refuses("c", "/two")
    run = await flow.run(ORDERS)
    assert (run["status"], sent(remote, "/one"), sent(remote, "/two")) == (FAILURE, "abc", "abc")
    await table(server, "bx cy")
    remote.answers(200)
    assert (await retry(server, run["id"]))["status"] == SUCCESS
    assert (sent(remote, "/one"), sent(remote, "/two")) == ("abc", "abcc")
    assert remote.keys("/two")[2] == remote.keys("/two")[3]


async def test_another_value_is_another_payload(server: World, remote: Remote):
    await table(server, "bx cy")
    flow = await server.flow(*KNOWN, remote.send())
    remote.answer = refuses("c")
    run = await flow.run(ORDERS)
    await table(server, "bq cy")
    remote.answers(200)
    assert (await retry(server, run["id"]))["status"] == SUCCESS
    assert [body["o"] for body in remote.bodies()] == ["x", "y", "q", "y"]


async def test_the_table_is_edited_while_the_run_waits(server: World, remote: Remote):
    await table(server, "bx cy")
    delay = {"microservice": "delay", "config": {"seconds": 100}}
    flow = await server.flow(*KNOWN, remote.send("/one"), delay, remote.send("/two"))
    id = await flow.start(ORDERS)
    await server.work()
    await table(server, "az bx cy")
    for _ in range(2):
        server.clock.advance(seconds=101)
        await server.work()
    run = await get_run(server, id)
    assert (run["status"], sent(remote, "/one"), sent(remote, "/two")) == (SUCCESS, "bca", "abc")
    assert max(remote.per_key().values()) == 1


async def test_the_table_is_edited_while_nobody_works(server: World, remote: Remote):
    await table(server, "bx cy")
    flow = await server.flow(*KNOWN, remote.send("/one"), remote.send("/two"))

    async def hang_at_two(seen: Seen) -> web.Response:
        return await (hang(seen) if seen.path == "/two" else refuses("")(seen))

    remote.answer = hang_at_two
    id = await flow.start(ORDERS)
    await begin(server)
    await remote.until(3)
    await crash(server)
    await table(server, "az bx cy")
    remote.answers(200)
    await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    # The first one's call at /two was under way: it is made again, under its key.
    assert (sent(remote, "/one"), sent(remote, "/two")) == ("bca", "babc")
    assert remote.per_key().most_common(2)[0][1] == 2
    assert len(remote.per_key()) == 6


async def guarded(server: World, remote: Remote) -> Flow:
    """One by one, try {send to /} catch {send to /bad, wait, send to /late}."""
    flow = await server.flow(*KNOWN, deploy=False)
    guard = await add_try(flow, flow.last_step_id)
    await hang_on(flow, guard, "try", remote.send("/", retries=0))
    flow.last_step_id = await hang_on(flow, guard, "catch", remote.send("/bad"))
    await flow.add("delay", config={"seconds": 100})
    await flow.add(**remote.send("/late"))
    await flow.deploy()
    return flow


async def test_a_failure_is_that_of_its_payload_wherever_it_stands(server: World, remote: Remote):
    await table(server, "bx cy")
    remote.answer = refuses("b")
    flow = await guarded(server, remote)
    id = await flow.start(ORDERS)
    await server.work()
    await table(server, "az bx cy")
    server.clock.advance(seconds=101)
    await server.work()
    assert (await get_run(server, id))["status"] == PARTIAL
    assert [sent(remote, path) for path in ("/", "/bad", "/late")] == ["bca", "b", "b"]
    letters = (await server.get("/dead-letters")).data
    bodies = [(await server.get(f"/dead-letters/{one['id']}/download")).json()["n"] for one in letters]
    assert bodies == ["b"]


async def test_two_that_fail_at_one_position_are_both_kept(server: World, remote: Remote):
    await table(server, "bx cy")

    async def refuse_all(seen: Seen) -> web.Response:
        return web.Response(status=400 if seen.path == "/" else 200)

    remote.answer = refuse_all
    flow = await guarded(server, remote)
    await flow.start(ORDERS)
    await server.work()
    await table(server, "az bx cy")
    for _ in range(2):
        server.clock.advance(seconds=101)
        await server.work()
    letters = (await server.get("/dead-letters", query={"sort": "id"})).data
    bodies = [(await server.get(f"/dead-letters/{one['id']}/download")).json()["n"] for one in letters]
    assert (bodies, sent(remote, "/bad"), sent(remote)) == (["b", "c", "a"], "bca", "bca")


async def test_what_failed_a_step_without_effects_does_not_go_on_later(server: World, remote: Remote):
    await table(server, "az cy")
    looked_up = {"name": "lookup_table", "table": "t", "on_miss": "fail"}
    rules = [{"target": "n", "source": "n", "transforms": [looked_up]}]
    flow = await server.flow({"microservice": "split", "config": {}}, deploy=False)
    guard = await add_try(flow, flow.last_step_id)
    flow.last_step_id = await hang_on(flow, guard, "try", {"microservice": "map", "config": {"rules": rules}})
    await flow.add("delay", config={"seconds": 100})
    await flow.add(**remote.send("/good"))
    await hang_on(flow, guard, "catch", remote.send("/bad"))
    await flow.deploy()
    id = await flow.start(ORDERS)
    await server.work()
    await table(server, "az bx cy")
    for _ in range(2):
        server.clock.advance(seconds=101)
        await server.work()
    assert (await get_run(server, id))["status"] == PARTIAL
    assert (sent(remote, "/good"), sent(remote, "/bad")) == ("zy", "b")


async def test_a_receive_for_another_payload_asks_anew(server: World, remote: Remote):
    await table(server, "bx")
    bad = {"where": True}

    async def pages(seen: Seen) -> web.Response:
        if seen.path == "/to":
            return web.Response(status=400 if bad["where"] else 200)
        return web.json_response({"n": seen.path})

    remote.answer = pages
    receive = remote.receive("/", url=remote.url("/of-[[payload.o]]"))
    flow = await server.flow(*KNOWN, receive, remote.send("/to"))
    run = await flow.run(ORDERS)
    bad["where"] = False
    await table(server, "bq")
    assert (await retry(server, run["id"]))["status"] == SUCCESS
    assert sent(remote, "/to") == "/of-x/of-q"


DE_DUPE = {"microservice": "de-dupe", "config": {"pool": "orders", "key": "n"}}


async def test_a_de_dupe_drops_nothing_that_stood_elsewhere_before(server: World, remote: Remote):
    await server.post("/data-pools", json={"name": "orders"})
    await table(server, "bx cy")
    flow = await server.flow(*KNOWN, DE_DUPE, remote.send())
    remote.answer = refuses("c")
    run = await flow.run([*ORDERS, {"n": "b"}])
    assert (run["status"], sent(remote)) == (FAILURE, "bc")
    await table(server, "az bx cy")
    remote.answers(200)
    assert (await retry(server, run["id"]))["status"] == SUCCESS
    assert sent(remote) == "bcac"


async def test_nor_within_one_run(server: World, remote: Remote):
    await server.post("/data-pools", json={"name": "orders"})
    await table(server, "bx cy")
    delay = {"microservice": "delay", "config": {"seconds": 100}}
    flow = await server.flow(*KNOWN, DE_DUPE, delay, remote.send())
    id = await flow.start([*ORDERS, {"n": "b"}])
    await server.work()
    await table(server, "az bx cy")
    for _ in range(2):
        server.clock.advance(seconds=101)
        await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    assert sent(remote) == "abc"


async def test_a_changed_list_keeps_what_it_claimed(server: World, remote: Remote):
    await server.post("/data-pools", json={"name": "orders"})
    await table(server, "bx cy")
    delay = {"microservice": "delay", "config": {"seconds": 100}}
    flow = await server.flow(*KNOWN[:2], DE_DUPE, delay, remote.send())
    id = await flow.start([*ORDERS, {"n": "b"}])
    await server.work()
    await table(server, "az bx cy")
    for _ in range(2):
        server.clock.advance(seconds=101)
        await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    assert [[record["n"] for record in body] for body in remote.bodies()] == [["a", "b", "c"]]


async def test_rows_of_an_older_version_are_matched_by_position(server: World, remote: Remote):
    await table(server, "bx cy")
    flow = await server.flow(*KNOWN, remote.send())
    remote.answer = refuses("c")
    run = await flow.run(ORDERS)

    def forget(db: Any) -> None:
        rows = tables.payloads.c
        db.execute(update(tables.payloads).where(rows.kind == "effect").values(state={"of": "0.0"}))

    await server.platform.database.write(forget)
    await table(server, "bq cy")
    remote.answers(200)
    assert (await retry(server, run["id"]))["status"] == SUCCESS
    assert sent(remote) == "bcc"


def test_what_a_try_catch_says_of_a_failure_is_no_content():
    order = Payload({"n": 1}, meta={"a": "1", "b": "2"})
    told = replace(order, meta={"b": "2", "error_message": "No answer.", "a": "1"}, position="0.7")
    assert past.digest(order) == past.digest(told)
    others = [
        replace(order, body={"n": 2}),
        replace(order, meta={"a": "1", "b": "3"}),
        replace(order, content_type="application/hal+json"),
    ]
    assert len({past.digest(one) for one in [order, *others]}) == 4


def test_what_cannot_be_written_has_no_digest():
    assert past.digest(Payload([1, 2], "text/csv")) is None


@dataclass
class Receiver:
    """Who is sent to: it does each key once."""

    done: dict[tuple[str, str], None] = field(default_factory=dict)
    calls: int = 0

    def take(self, position: str, content: str) -> None:
        self.calls += 1
        self.done[position, content] = None


LISTS = st.lists(st.sampled_from("abcde"), max_size=8)
ATTEMPTS = st.lists(st.tuples(LISTS, st.sets(st.integers(0, 7))), min_size=1, max_size=5)


@given(ATTEMPTS)
def test_each_record_is_sent_once_whatever_is_edited_between_attempts(attempts: Any):
    """Lists of contents at their positions; of each attempt some positions fail. Never more is sent than ever was."""
    recorded: dict[str, str] = {}
    receiver = Receiver()
    needed: Counter[str] = Counter()
    for contents, failing in [*attempts, (attempts[-1][0], set())]:
        known = past.Past()
        for position, content in recorded.items():
            known.add("send", position, content)
        held, places = Counter(recorded.values()), []
        for number, content in enumerate(contents):
            position = str(number)
            place = known.place("send", position, content) if known.knows("send") else position
            assert not known.knows("send") or known.place("send", position, content) == place
            places.append(place)
            if place in recorded:
                assert recorded[place] == content
            elif number not in failing:
                recorded[place] = content
                receiver.take(place, content)
        assert len(set(places)) == len(places)
        # Whatever there was a record of was taken: only what is missing was worked on.
        now = Counter(contents)
        assert sum(place in recorded for place in places) >= sum((held & now).values())
        needed |= now
    assert receiver.calls == len(receiver.done) == len(recorded)
    assert Counter(recorded.values()) <= needed
    assert Counter(attempts[-1][0]) <= Counter(recorded.values())
