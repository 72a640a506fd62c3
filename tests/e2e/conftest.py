"""What every story in the browser needs: a server of its own, a shop to talk to, and somebody signed in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Page, async_playwright
from tests import debian

EMAIL, PASSWORD = "mo@example.com", "correct-horse-battery"
# Debian's Chromium reaches for nothing outside with these.
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
READY = re.compile(r"(http://127\.0\.0\.1:\d+)")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=debian.chromium(), args=QUIET)
        yield chromium
        await chromium.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a demo server: Flowloom with its sample flow and the sample shop."""
    home = tmp_path_factory.mktemp("demo")
    settings = {
        "FLOWLOOM_DATA_DIR": str(home),
        "FLOWLOOM_ADMIN_EMAIL": EMAIL,
        "FLOWLOOM_ADMIN_PASSWORD": PASSWORD,
        "FLOWLOOM_OUTBOUND_ALLOW": "127.0.0.1",
    }
    command = [sys.executable, "-m", "flowloom", "demo", "--port", "0"]
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=log, text=True
        ) as server,
    ):
        assert server.stdout is not None
        try:
            yield next(found[1] for line in server.stdout if (found := READY.search(line)))
        finally:
            server.terminate()


@pytest.fixture
async def page(browser: Browser, address: str) -> AsyncIterator[Page]:
    """A page of somebody signed in as administrator. It must log no error, and no request may fail."""
    context = await browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
    page, wrong = await context.new_page(), []
    page.on("console", lambda line: wrong.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda one: wrong.append(f"{one.status} {one.url}") if one.status >= 400 else None)
    page.set_default_timeout(15_000)
    await page.goto("/sign-in")
    await page.get_by_label("E-mail").fill(EMAIL)
    await page.locator("input[type=password]").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"{address}/")
    yield page
    await context.close()
    assert wrong == []
