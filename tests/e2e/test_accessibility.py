"""No page has a fault that keeps somebody from using it: axe looks at each, light and dark, full and empty."""

from __future__ import annotations

from playwright.async_api import Browser, Page
from tests.e2e import axe, pages
from tests.e2e.conftest import EMAIL, PASSWORD, watched

NARROW = {"width": 390, "height": 844}


async def test_pages_without_records(browser: Browser, bare: str):
    async with watched(browser, bare) as page:
        found = await axe.visit(page, ["/sign-in"])
        await pages.sign_in(page, EMAIL, PASSWORD)
        found += await axe.visit(page, [address for address in pages.addresses() if "1" not in address])
    assert found == []


async def test_pages_with_records(browser: Browser, furnished: str):
    async with watched(browser, furnished) as page:
        await pages.sign_in(page, EMAIL, PASSWORD)
        found = await axe.visit(page, pages.addresses())
        await page.set_viewport_size(NARROW)
        found += await axe.visit(page, pages.addresses(), ("light",))
    assert found == []


async def test_what_opens(browser: Browser, furnished: str):
    async with watched(browser, furnished) as page:
        await pages.sign_in(page, EMAIL, PASSWORD)
        await page.goto("/flows/1/canvas?version=3")
        await page.get_by_role("button", name="Is paid").click()
        await page.get_by_role("complementary", name="Step").wait_for()
        found = await axe.look(page, "the panel of a step")
        await page.get_by_role("button", name="Deploy", exact=True).click()
        found += await opened(page, "the question before a release")
        await page.get_by_role("button", name="Run", exact=True).click()
        found += await opened(page, "the start of a run")
        await page.locator("main").focus()
        await page.keyboard.press("Control+k")
        found += await opened(page, "the command palette")
        await page.locator("main").focus()
        await page.keyboard.press("?")
        found += await opened(page, "the list of keys")
    assert found == []


async def opened(page: Page, what: str) -> list[str]:
    """The faults of a dialog, which is closed again."""
    await page.get_by_role("dialog").wait_for()
    found = await axe.look(page, what)
    await page.keyboard.press("Escape")
    await page.get_by_role("dialog").wait_for(state="detached")
    return found
