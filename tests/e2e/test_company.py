"""What belongs to the whole company: a version becomes an app, and somebody is told."""

from __future__ import annotations

from playwright.async_api import Page, expect


async def test_a_deployed_version_is_named_uploaded_and_installed_as_a_flow(page: Page):
    await page.goto("/flows/1/versions")
    await page.get_by_role("button", name="More about version 1").click()
    await page.get_by_role("menuitem", name="Label and message").click()
    await page.get_by_role("textbox", name="Label").fill("2026.4")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("cell", name="2026.4")).to_be_visible()
    await page.get_by_role("button", name="More about version 1").click()
    await page.get_by_role("menuitem", name="Upload to the marketplace").click()
    await expect(page.get_by_role("dialog").get_by_text("secrets do not go along")).to_be_visible()
    await page.get_by_role("dialog").get_by_role("button", name="Upload").click()
    await expect(page.get_by_text("It is version 1 of the app")).to_be_visible()

    await page.get_by_role("link", name="Marketplace").click()
    await page.get_by_role("button", name="Install").click()
    await page.get_by_role("textbox", name="Name of the flow").fill("Second warehouse")
    await page.get_by_role("dialog").get_by_role("button", name="Install").click()
    await expect(page.get_by_role("heading", name="Second warehouse")).to_be_visible()


async def test_a_group_is_told_and_the_message_is_listed(page: Page):
    await page.goto("/notification-groups")
    await page.get_by_role("button", name="New group").click()
    await page.get_by_role("textbox", name="Name", exact=True).fill("Night shift")
    await page.get_by_role("combobox", name="Channel 1").click()
    await page.get_by_role("option", name="The server's log").click()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Send a test").click()
    await expect(page.get_by_text("A message is on its way.")).to_be_visible()
    await page.get_by_role("tab", name="Messages").click()
    await expect(page.get_by_role("cell", name="sent", exact=True)).to_be_visible(timeout=20_000)
