"""A database that may not be written for a while: what is asked is refused, and a run in its middle goes on after."""

from __future__ import annotations

from tests import remote as remotes
from tests.remote import Remote
from tests.store.test_unanswering import read_only
from tests.world import World


async def test_a_run_waits_while_the_database_may_not_be_written(
    server: World, remote: Remote, database_url: str
):
    if server.platform.database.is_sqlite:
        return
    flow = await server.flow(remote.send("/first"), remote.send("/second"))
    run_id = await flow.start({"n": 1})
    replica = read_only(database_url)

    async def fail_over(seen: remotes.Seen) -> object:
        if seen.path == "/first":
            replica.__enter__()
        return await remotes.accept(seen)

    remote.answer = fail_over
    await server.server.duty.dispatcher.tick(server.clock.now)
    await remote.until(1)
    while not server.slept:
        answer = await server.post("/flows", json={"name": "Refused"})
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert (await server.get("/readyz")).status == 503
    assert remote.bodies("/second") == []
    replica.__exit__(None, None, None)
    await server.settle()
    assert (await server.get("/readyz")).status == 200
    assert (await server.get(f"/flow-runs/{run_id}")).data["status"] == 2
    assert remote.bodies("/second") == [{"n": 1}]
