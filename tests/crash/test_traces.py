"""A server that is killed in the middle of a run: another process goes on with it in the same trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import collector
from tests import remote as remotes
from tests.crash.test_crash import Scene, draw, settled

pytestmark = pytest.mark.crash
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize("caller", [{}, {"traceparent": f"00-{TRACE}-{SPAN}-01"}], ids=["alone", "called"])
async def test_the_trace_goes_on_in_another_process(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caller: dict[str, str]
) -> None:
    async with remotes.serving() as remote, collector.serving() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        scene = Scene(database_url, tmp_path, remote)
        await draw(scene)
        async with scene.serving("effect-recorded:1") as server:
            await server.call("POST", scene.hook, json={"kind": "order", "n": 1}, headers=caller)
            await server.dies()
        async with scene.serving() as server:
            assert [run["status"] for run in await settled(server)] == [2]
        # A server that stops hands over what it has.
        [run] = found.runs()
    sent = [seen.headers["traceparent"].split("-") for seen in remote.seen]
    assert [trace for _, trace, _, _ in sent] == [run.trace_id, run.trace_id]
    assert {span.trace_id for span in found.spans} == {run.trace_id}
    assert {span.parent_id for span in found.steps()} == {run.id}
    assert (run.parent_id, run.about["flowloom.part"]) == (SPAN if caller else "", 2)
    assert (run.trace_id == TRACE) is bool(caller)
    assert [span.about["flowloom.status"] for span in found.parts()] == ["success"]
