"""A connection is made, found by a part of its name, and tested."""

from __future__ import annotations

from playwright.async_api import Page, expect


async def test_a_connection_is_tested_where_it_is_listed(page: Page, address: str):
    await page.goto("/connections")
    await page.get_by_role("button", name="New connection").click()
    await page.get_by_role("textbox", name="Name", exact=True).fill("Our own door")
    await page.get_by_role("textbox", name="Base URL").fill(f"{address}/healthz")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("textbox", name="Find by name").fill("OWN d")
    await expect(page.get_by_role("row")).to_have_count(2)

    await page.get_by_role("row", name="Our own door").get_by_role("button", name="Test").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_text("It works")).to_be_visible()
    await expect(dialog.get_by_text("It answered 200.")).to_be_visible()
    await dialog.get_by_role("button", name="Close").last.click()

    await page.get_by_role("textbox", name="Find by name").fill("nobody")
    await expect(page.get_by_text('None has "nobody" in its name')).to_be_visible()
