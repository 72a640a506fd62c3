"""What every story in the browser needs: a server of its own, a shop to talk to, and somebody signed in."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from tests import debian
from tests.e2e import pages

EMAIL, PASSWORD = "mo@example.com", "correct-horse-battery"
# Debian's Chromium reaches for nothing outside with these.
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
# A machine that does other work too is slow at times.
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)
READY = re.compile(r"(http://127\.0\.0\.1:\d+)")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=debian.chromium(), args=QUIET)
        yield chromium
        await chromium.close()


@contextmanager
def serving(home: Path, command: str, **settings: str) -> Iterator[tuple[str, list[str]]]:
    """A server on a free port in a directory of its own: its address, and what it said before that."""
    arguments = [sys.executable, "-m", "flowloom", command, "--port", "0"]
    environment = {
        **os.environ,
        "FLOWLOOM_DATA_DIR": str(home),
        "FLOWLOOM_OUTBOUND_ALLOW": "127.0.0.1",
        **settings,
    }
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        assert server.stdout is not None
        said: list[str] = []
        try:
            for line in server.stdout:
                said.append(line)
                if found := READY.search(line):
                    break
            assert found is not None, said
            yield found[1], said
        finally:
            server.terminate()


@asynccontextmanager
async def watched(browser: Browser, address: str, refusals: Collection[int] = ()) -> AsyncIterator[Page]:
    """A page that must log no error, and of which no request may fail, unless with one of these statuses."""
    context = await browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
    page, wrong = await context.new_page(), []
    page.on("console", lambda line: wrong.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda one: wrong.append(f"{one.status} {one.url}") if one.status >= 400 else None)
    page.set_default_timeout(PATIENCE_MS)
    yield page
    await context.close()
    assert [line for line in wrong if not any(str(status) in line for status in refusals)] == []


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a demo server: Flowloom with its sample flow and the sample shop."""
    account = {"FLOWLOOM_ADMIN_EMAIL": EMAIL, "FLOWLOOM_ADMIN_PASSWORD": PASSWORD}
    with serving(tmp_path_factory.mktemp("demo"), "demo", **account) as (found, _):
        yield found


@pytest.fixture
def refusals() -> set[int]:
    """The statuses of failed requests that belong to a story; it adds them."""
    return set()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on which nothing was made yet."""
    account = {"FLOWLOOM_ADMIN_EMAIL": EMAIL, "FLOWLOOM_ADMIN_PASSWORD": PASSWORD}
    with serving(tmp_path_factory.mktemp("bare"), "serve", **account) as (found, _):
        yield found


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with one of everything."""
    account = {"FLOWLOOM_ADMIN_EMAIL": EMAIL, "FLOWLOOM_ADMIN_PASSWORD": PASSWORD}
    with serving(tmp_path_factory.mktemp("furnished"), "serve", **account) as (found, _):
        asyncio.run(pages.furnish(found, EMAIL, PASSWORD))
        yield found


@pytest.fixture
async def page(browser: Browser, address: str, refusals: set[int]) -> AsyncIterator[Page]:
    """A page of somebody signed in as administrator."""
    async with watched(browser, address, refusals) as page:
        await page.goto("/sign-in")
        await page.get_by_label("E-mail").fill(EMAIL)
        await page.locator("input[type=password]").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{address}/")
        yield page
