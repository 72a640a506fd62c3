"""What leads where: rows of lists, the focus on the canvas, and the way from a deployed version to a draft."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect
from tests.e2e.conftest import PATIENCE_MS

SAMPLE = "Paid orders to the warehouse"


async def open_sample(page: Page) -> None:
    await page.get_by_role("link", name="Flows").click()
    # Beside the link, the row leads there too.
    await page.get_by_role("row").filter(has_text=SAMPLE).get_by_text("Enabled", exact=True).click()
    await expect(page.get_by_role("heading", name=SAMPLE)).to_be_visible()


async def test_the_step_that_has_the_focus_is_seen(page: Page):
    await open_sample(page)
    steps = page.locator(".react-flow__node-step")
    await steps.first.focus()
    await page.keyboard.press("ArrowDown")
    focused = page.locator(".react-flow__node-step:focus-visible .step")
    await expect(focused).to_have_css("outline-style", "solid")
    await expect(steps.first.locator(".step")).to_have_css("outline-style", "none")


async def test_a_deployed_flow_is_given_a_schedule_where_one_looks_for_it(page: Page):
    await open_sample(page)
    await page.get_by_role("tab", name="Schedules").click()
    await expect(page.get_by_text("A deployed version never changes")).to_be_visible()
    await page.get_by_role("button", name="Copy to draft").click()
    await expect(page.get_by_text("They run once this version is deployed.")).to_be_visible()
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_text("Version 2 is deployed", exact=True)).to_be_visible()


async def test_a_run_leaves_the_steps_in_reach_on_a_narrow_screen(page: Page):
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto("/flows/1/canvas")
    await page.get_by_role("button", name="Run", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("complementary", name="Run")
    await expect(panel.get_by_text("Choose a step")).to_be_visible(timeout=2 * PATIENCE_MS)
    await page.locator(".react-flow__node-step").first.click()
    await expect(panel.get_by_role("tab", name="Payloads")).to_be_visible()

    await page.goto("/runs")
    await page.get_by_role("row").nth(1).get_by_role("cell").nth(3).click()
    await page.wait_for_url(re.compile(r"/runs/\d+$"))
