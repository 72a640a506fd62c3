"""A file of one system becomes the document of another: received as CSV, worked on, sent as XML and as CSV."""

from __future__ import annotations

from aiohttp import web
from tests.remote import Remote, Seen
from tests.world import World

CSV = "sku;name;stock\r\na;Café;3\r\nb;Thé;0\r\n".encode("cp1252")


async def test_from_csv_to_xml_and_back(server: World, remote: Remote) -> None:
    async def answer(seen: Seen) -> web.Response:
        return web.Response(body=CSV, content_type="application/octet-stream")

    remote.answer = answer
    read = {"charset": "windows-1252", "delimiter": ";"}
    flow = await server.flow(
        remote.receive("/stock", response_format="csv", format=read),
        {
            "microservice": "filter",
            "config": {"where": {"field": "stock", "operator": "greater", "value": 0}},
        },
        remote.send("/as-it-is"),
        remote.send("/as-xml", send_format="xml"),
    )
    run = await flow.run()
    assert run["status"] == 2, run
    sent = {seen.path: seen for seen in remote.seen}
    assert sent["/as-it-is"].content == "sku;name;stock\r\na;Café;3\r\n".encode("cp1252")
    assert sent["/as-it-is"].headers["content-type"] == 'text/csv; charset=windows-1252; delimiter=";"'
    assert (
        sent["/as-xml"]
        .content.decode()
        .endswith("<records><record><sku>a</sku><name>Café</name><stock>3</stock></record></records>")
    )
