"""What every story in the browser needs: a server of its own, a shop to talk to, and somebody signed in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests import debian

EMAIL, PASSWORD = "mo@example.com", "correct-horse-battery"
# Debian's Chromium reaches for nothing outside with these.
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
READY = re.compile(r"(http://127\.0\.0\.1:\d+)")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or debian.program(["chromium", "chromium-browser"], "chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield chromium
        chromium.close()


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
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page of somebody signed in as administrator. It must log no error, and no request may fail."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
    page, wrong = context.new_page(), []
    page.on("console", lambda line: wrong.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "response",
        lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
    )
    page.set_default_timeout(15_000)
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(EMAIL)
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/")
    yield page
    context.close()
    assert wrong == []
