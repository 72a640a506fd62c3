"""Somebody schedules a flow over the change of the clocks, and sees on the line of time when it fires."""

from __future__ import annotations

from playwright.async_api import Page, expect
from tests.e2e.test_stories import new_flow


async def choose(page: Page, label: str, option: str) -> None:
    await page.get_by_role("combobox", name=label).click()
    await page.get_by_role("option", name=option, exact=True).click()


async def test_a_flow_is_scheduled_over_the_change_of_the_clocks(page: Page):
    await new_flow(page, "Nightly")
    await page.get_by_role("tab", name="Schedules").click()
    await page.get_by_role("button", name="Add a schedule").click()
    editor = page.get_by_role("dialog")
    await editor.get_by_role("textbox", name="When", exact=True).fill("*/45 * * * *")
    await expect(editor.get_by_text("so the gaps are 45 and 15 minutes")).to_be_visible()

    await editor.get_by_role("textbox", name="When", exact=True).fill("30 2 * * *")
    await editor.get_by_role("combobox", name="Zone").fill("Europe/Berlin")
    await page.get_by_role("option", name="Europe/Berlin").click()
    await expect(editor.get_by_text("At 02:30 every day")).to_be_visible()
    await expect(editor.get_by_text("there is no 02:30: it runs at 03:00 instead")).to_be_visible()
    await expect(editor.get_by_text("02:30 comes twice: it runs the first time")).to_be_visible()
    await choose(page, "A time that comes twice", "Run both times")
    await expect(editor.get_by_text("02:30 comes twice: it runs both times")).to_be_visible()
    times = editor.get_by_role("table", name="The next ten times")
    await expect(times.get_by_role("row")).to_have_count(11)
    await expect(times.get_by_text("02:30").first).to_be_visible()
    await editor.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("cell", name="At 02:30 every day 30 2 * * *")).to_be_visible()

    await page.get_by_role("tab", name="Canvas").click()
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_text("Version 1 is deployed", exact=True)).to_be_visible()
    await page.get_by_role("link", name="Schedules").click()
    line = page.get_by_role("table", name="Next fires").get_by_role("row").filter(has_text="Nightly")
    await expect(line.get_by_text("Europe/Berlin")).to_be_visible()
    await line.get_by_role("button", name="Past slots of Nightly").click()
    await expect(page.get_by_role("dialog").get_by_text("It fired in all of its slots")).to_be_visible()
