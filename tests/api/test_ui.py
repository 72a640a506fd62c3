"""The pages as they are served: what is kept how long, what is a page and what is nothing."""

from __future__ import annotations

import gzip
import re

import pytest
from tests import asgi, world

from flowloom.api import ui

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-encoding": "identity"}


async def get(server: world.World, path: str, headers: dict[str, str]) -> asgi.Answer:
    return await asgi.call(server.server.app, "GET", path, headers=headers)


async def test_every_address_of_the_pages_is_the_same_page(sqlite_server: world.World):
    pages = [await get(sqlite_server, path, headers=HTML) for path in ("/", "/flows/7/canvas", "/sign-in")]
    assert {page.status for page in pages} == {200}
    assert {page.body for page in pages} == {ui.PAGE.read_bytes()}
    assert {page.headers["cache-control"] for page in pages} == {"no-cache"}
    assert "unsafe-eval" not in pages[0].headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/webhooks/x", "/assets/none.js", "/fabric/none"])
async def test_what_programs_ask_for_is_no_page(sqlite_server: world.World, path: str):
    answer = await get(sqlite_server, path, headers=HTML)
    assert answer.status in (401, 404, 405)
    assert answer.headers["content-type"] == "application/json"


async def test_a_program_that_asks_for_no_page_gets_none(sqlite_server: world.World):
    answer = await get(sqlite_server, "/flows/7", headers={"accept": "application/json"})
    assert answer.status == 404
    assert answer.json() == {"message": "There is nothing at this path."}


async def test_assets_are_kept_for_good_and_compressed_for_who_takes_it(sqlite_server: world.World):
    [path] = re.findall(r'src="(/assets/[^"]+\.js)"', ui.PAGE.read_text())
    plain = await get(sqlite_server, path, headers={"accept-encoding": "identity"})
    assert "immutable" in plain.headers["cache-control"]
    assert plain.headers["content-type"].startswith("text/javascript")
    small = ui.FILES / f"{path.lstrip('/')}.gz"
    assert gzip.decompress(small.read_bytes()) == plain.body
    compressed = await get(sqlite_server, path, headers={"accept-encoding": "gzip"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(compressed.body) == plain.body


async def test_no_file_outside_of_the_pages_is_served(sqlite_server: world.World):
    for path in ("/assets/..%2findex.html", "/assets/%2e%2e/%2e%2e/settings.py", "/assets/../ui.py"):
        answer = await get(sqlite_server, path, headers={"accept": "*/*"})
        assert answer.status == 404, path


def test_the_page_runs_no_script_of_its_own():
    assert not re.search(r"<script(?![^>]*\bsrc=)", ui.PAGE.read_text())
