"""Somebody is added, chooses a password with a link, and is in."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect
from tests.e2e.conftest import watched


async def test_a_user_is_added_and_comes_in_by_a_link(page: Page, browser: Browser, address: str):
    await page.goto("/users")
    await page.get_by_role("button", name="Add a user").click()
    await page.get_by_role("textbox", name="Name", exact=True).fill("Jo")
    await page.get_by_role("textbox", name="E-mail").fill("jo@example.com")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Make a link").click()
    link = await page.get_by_role("dialog").locator("pre").inner_text()
    assert link.startswith(f"{address}/welcome#")

    async with watched(browser, address, {422}) as other:
        await choose(other, link)
        await expect(other.get_by_role("heading", name="Home")).to_be_visible()
        await choose(other, link)
        await expect(other.get_by_text("This link was used or has ended")).to_be_visible()


async def choose(page: Page, link: str) -> None:
    """A password, with a link that is opened anew."""
    await page.goto("about:blank")
    await page.goto(link)
    await page.get_by_role("textbox", name="New password").fill("correct-horse-9")
    await page.get_by_role("button", name="Sign in").click()
