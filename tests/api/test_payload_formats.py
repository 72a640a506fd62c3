"""Payloads in CSV and XML: read or refused at the door, kept as they came, worked on as records."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.world import Flow, World

DUTCH = 'text/csv; charset=windows-1252; delimiter=";"'
CSV = "sku;name;stock\r\na;Café;3\r\nb;Thé;0\r\n".encode("cp1252")
BAD = [
    ("text/csv", b"a,b\n1,2,3", "The body is not valid text/csv: Line 2 has 3 cells"),
    ("text/csv", b"a\n\xe9", "The byte 0xe9 at position 2 is no utf-8"),
    ("text/csv; charset=klingon", b"a", "'klingon' is no character set"),
    ("text/csv; delimiter=xy", b"a", "The delimiter of CSV is one character"),
    ("application/xml", b"<a>", "The body is not valid application/xml: Line 1"),
    ("text/xml", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "declares entities"),
    ("application/soap+xml", b"<a>" * 65 + b"</a>" * 65, "deeper than 64 levels"),
]


@pytest.mark.parametrize(("content_type", "body", "said"), BAD)
async def test_a_body_that_is_not_what_it_says_is_refused_at_every_door(
    sqlite_server: World, content_type: str, body: bytes, said: str
) -> None:
    flow = await sqlite_server.flow()
    hook = urlsplit((await sqlite_server.post(f"/flows/{flow.id}/webhooks")).data["url"])
    doors: list[tuple[str, dict[str, Any]]] = [
        (f"/flows/{flow.id}/start/raw", {}),
        (f"/flows/{flow.id}/manual/raw", {}),
        (f"{hook.path}?{hook.query}", {"key": None}),
    ]
    for path, options in doors:
        answer = await sqlite_server.post(path, body=body, headers={"content-type": content_type}, **options)
        assert answer.status == 422, path
        assert said in answer.json()["errors"]["body"][0]


async def test_csv_is_worked_on_as_records_and_kept_as_it_came(server: World) -> None:
    flow = await server.flow(
        step("filter", where={"field": "stock", "operator": "greater", "value": 0}),
        step("map", rules=[{"target": "code", "source": "sku"}, {"target": "title", "source": "name"}]),
        step("assert", body=[{"code": "a", "title": "Café"}]),
        step("split"),
        step("assert", body={"code": "a", "title": "Café"}),
    )
    run = await worked(server, flow, CSV, DUTCH)
    assert (run["status"], run.get("summary", {}).get("error")) == (2, None)
    [kept] = (await server.get("/payload-metadata", query={"filter[flow_run_id]": run["id"]})).data
    assert kept["content_type"] == DUTCH
    download = await server.get(f"/payload-metadata/{kept['id']}/download")
    assert download.body == CSV


async def test_a_wrong_guess_fails_as_an_assertion(server: World) -> None:
    flow = await server.flow(step("assert", where={"field": "a.b", "operator": "equals", "value": "2"}))
    run = await worked(server, flow, b"<a><b>1</b></a>", "application/xml")
    assert run["status"] == 3
    assert "'a.b' is \"1\"" in run["summary"]["error"]["message"]


async def worked(server: World, flow: Flow, body: bytes, content_type: str) -> dict[str, Any]:
    """The run of a payload."""
    started = await server.post(
        f"/flows/{flow.id}/start/raw", body=body, headers={"content-type": content_type}
    )
    await server.work()
    found: dict[str, Any] = (await server.get(f"/flow-runs/{started.json()['flow_run_id']}")).data
    return found


def step(microservice: str, **config: Any) -> dict[str, Any]:
    return {"microservice": microservice, "config": config}
