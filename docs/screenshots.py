"""Takes the pictures of the pages that the docs show, of the demo's sample flow: `make screenshots`.

It needs Chromium as the browser tests do, and writes docs/images.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from tests import debian

IMAGES = Path(__file__).parent / "images"
EMAIL, PASSWORD = "admin@example.com", "only-for-pictures"
SIZE = {"width": 1200, "height": 720}
OTHERS = {"Stock levels": "30 2 * * *", "Invoices": "0 6-18/2 * * 1-5", "Returns": "10 */6 * * *"}
# What changes from one time to the next is waited for; then the picture is taken.
PICTURES = {
    "home": ("/", "light"),
    "canvas": ("/flows/1/canvas?version=2", "light"),
    "run": ("/flows/1/canvas?version=1&run=1", "dark"),
    "compare": ("/flows/1/compare", "light"),
    "schedules": ("/schedules", "dark"),
}


@contextmanager
def demo(directory: str) -> Iterator[tuple[str, str]]:
    """The demo's address, and its API key."""
    settings = {
        "FLOWLOOM_DATA_DIR": directory,
        "FLOWLOOM_ADMIN_EMAIL": EMAIL,
        "FLOWLOOM_ADMIN_PASSWORD": PASSWORD,
    }
    command = [sys.executable, "-m", "flowloom", "demo", "--port", "0"]
    with subprocess.Popen(
        command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        told = ""
        while not (key := re.search(r"flk_\S+", told)):
            told += server.stdout.readline()
        yield re.findall(r"http://127\.0\.0\.1:\d+", told)[0], key[0]
        server.terminate()


def prepare(page: Page, key: str) -> None:
    """Run the sample flow, change a draft of it, and schedule some others."""
    api = page.context.request
    headers = {"Authorization": key}

    def call(method: str, path: str, data: Any = None) -> Any:
        answer = api.fetch(f"/api/v1{path}", method=method, headers=headers, data=data)
        return answer.json()["data"]

    call("POST", "/flows/1/start")
    while call("GET", "/flow-runs/1")["status"] < 2:
        time.sleep(0.1)
    call("POST", "/flows/1/versions/1/copy")
    steps = call("GET", "/flow-versions/2/graph")["steps"]
    large = {"field": "total", "operator": "greater", "value": 100}
    where = {"any": [steps[2]["config"]["where"], large]}
    call("PATCH", f"/flow-versions/2/graph/steps/{steps[2]['id']}", {"config": {"where": where}})
    for name, cron in OTHERS.items():
        flow = call("POST", "/flows", {"name": name, "is_enabled": True})["id"]
        version = call("GET", f"/flows/{flow}/versions")[0]["id"]
        schedule = {"cron_string": cron, "timezone": "Europe/Berlin"}
        call("POST", f"/flow-versions/{version}/schedules", schedule)
        call("PUT", f"/flows/{flow}/versions/{version}", {"deployed_at": f"{datetime.now(UTC):%FT%TZ}"})


def take() -> None:
    """Take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        demo(directory) as (address, key),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=debian.chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_context(base_url=address, viewport=SIZE).new_page()
        prepare(page, key)
        page.request.post("/api/v1/login", data={"email": EMAIL, "password": PASSWORD})
        for name, (path, scheme) in PICTURES.items():
            page.emulate_media(color_scheme=scheme)
            page.goto(path)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=IMAGES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    take()
