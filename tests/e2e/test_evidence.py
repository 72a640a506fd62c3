"""What the pages show of a run: side by side where there is room, while it goes on, and what it had not come to."""

from __future__ import annotations

import json
from typing import Any

from playwright.async_api import Page, expect
from tests.e2e.test_canvas import call, drawn, ran

ORDERS = {"items": [{"number": f"A{number}"} for number in (1, 2, 3)]}
EACH = {"microservice": "split", "name": "Each", "config": {"path": "items"}}


def step(page: Page, name: str) -> Any:
    return page.get_by_role("main").get_by_role("button", name=name)


async def test_a_run_that_goes_on_shows_what_it_has_recorded(page: Page):
    wait = {"microservice": "delay", "name": "Wait", "config": {"seconds": 3600}}
    keep = {"microservice": "track", "name": "Note", "config": {"entity_type": "order", "value": "number"}}
    flow, version = await drawn(page, EACH, keep, wait)
    sent = {"payload": json.dumps(ORDERS)}
    run = (await call(page, "POST", f"/flows/{flow}/manual/{version}", sent))["flow_run_id"]
    await page.goto(f"/runs/{run}")
    await expect(page.get_by_text("waiting")).to_be_visible()
    await step(page, "Note").click()
    after = page.get_by_role("region", name="After")
    await expect(after.get_by_text('"A3"')).to_be_visible()
    await expect(page.get_by_role("region", name="Before").get_by_text('"A3"')).to_be_visible()
    await step(page, "Wait").click()
    await expect(after.get_by_text("Nothing that came out of this step is recorded yet.")).to_be_visible()
    await page.goto(f"/flows/{flow}/canvas?version={version}&run={run}")
    await page.get_by_test_id("canvas").get_by_text("Note").first.click()
    panel = page.get_by_role("complementary", name="Run")
    await expect(panel.get_by_text('"A1"')).to_be_visible()
    await page.get_by_role("button", name="Stop").click()
    await expect(panel.get_by_text("stopped", exact=True)).to_be_visible()


async def test_a_run_that_failed_shows_what_it_had_not_come_to(page: Page, address: str):
    nowhere = {"direction": "send", "method": "POST", "url": f"{address}/nowhere", "retries": 0}
    flow, version = await drawn(page, EACH, {"microservice": "connector", "name": "Send", "config": nowhere})
    await ran(page, flow, version, ORDERS)
    run = (await call(page, "GET", f"/flow-runs?filter[flow_id]={flow}"))["data"][0]["id"]
    await page.goto(f"/runs/{run}")
    await step(page, "Send").click()
    await expect(page.get_by_role("region", name="Before").get_by_text('"A1"')).to_be_visible()
    rest = page.get_by_role("region", name="Not tried yet")
    await expect(rest.get_by_text('"A3"')).to_be_visible()
    await expect(rest.get_by_text('"A1"')).to_have_count(0)
