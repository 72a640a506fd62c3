"""Whole stories of somebody in front of a browser, from an empty flow to a release that is taken back."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

ORDERS = '[{"number": "A1", "status": "paid", "total": 20}, {"number": "A2", "status": "open", "total": 5}]'


async def new_flow(page: Page, name: str) -> None:
    await page.get_by_role("link", name="Flows").click()
    await page.get_by_role("button", name="New flow").click()
    await page.get_by_role("textbox", name="Name", exact=True).fill(name)
    await page.get_by_role("button", name="Create and draw").click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()


async def add_step(page: Page, title: str) -> None:
    """Add a step at the end of what is drawn, and see its panel."""
    await page.locator(".react-flow__node-end").get_by_label("Add a step here").last.click()
    await page.get_by_label("Find a step").fill(title)
    await page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="Step").get_by_role("textbox", name="Name", exact=True)
    await expect(panel).to_have_value(title)


async def saved(page: Page) -> None:
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()


async def run(page: Page, payload: str) -> None:
    await page.get_by_role("button", name="Run", exact=True).click()
    await page.get_by_role("textbox", name="Payload", exact=True).fill(payload)
    await page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()


async def deploy(page: Page, button: str = "Deploy") -> None:
    await page.get_by_role("button", name=button, exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()


async def test_a_flow_is_drawn_run_deployed_changed_and_rolled_back(page: Page):
    await new_flow(page, "Paid orders")
    await add_step(page, "Filter")
    await page.get_by_role("button", name="Add a condition").click()
    await page.get_by_role("combobox", name="Field", exact=True).fill("status")
    await page.get_by_role("textbox", name="Value", exact=True).fill("paid")
    await add_step(page, "Batch")
    await page.get_by_role("textbox", name="Size", exact=True).fill("10")
    await saved(page)

    await run(page, ORDERS)
    panel = page.get_by_role("complementary", name="Run")
    await expect(panel.get_by_text("success", exact=True)).to_be_visible()
    await page.get_by_test_id("canvas").get_by_text("Filter", exact=True).first.click()
    await expect(panel.get_by_role("cell", name="A1")).to_be_visible()
    await expect(panel.get_by_role("cell", name="A2")).to_have_count(0)
    await panel.get_by_text("Before", exact=True).click()
    await expect(panel.get_by_role("cell", name="A2")).to_be_visible()
    await page.get_by_role("button", name="Back to editing").click()

    await deploy(page)
    await expect(page.get_by_text("Version 1 is deployed", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Copy to draft").click()
    await expect(page.get_by_role("combobox", name="Version", exact=True)).to_have_value(
        re.compile("Version 2, Draft")
    )
    await add_step(page, "Delay")
    await page.get_by_role("textbox", name="Seconds", exact=True).fill("1")
    await saved(page)
    await deploy(page)
    await expect(page.get_by_text("Version 2 is deployed", exact=True)).to_be_visible()

    await page.get_by_role("tab", name="Versions").click()
    await deploy(page, "Roll back to this")
    await expect(page.get_by_text("Version 1 is deployed", exact=True)).to_be_visible()


async def test_a_step_that_was_deleted_comes_back_with_undo(page: Page):
    await new_flow(page, "Undone")
    await add_step(page, "Delay")
    await page.get_by_role("textbox", name="Seconds", exact=True).fill("3")
    await saved(page)
    await page.get_by_role("button", name="Delete step").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete step").click()
    canvas = page.get_by_test_id("canvas")
    await expect(canvas.get_by_text("Delay")).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(canvas.get_by_text("Delay").first).to_be_visible()
    await canvas.get_by_text("Delay").first.click()
    await expect(page.get_by_role("textbox", name="Seconds", exact=True)).to_have_value("3")
