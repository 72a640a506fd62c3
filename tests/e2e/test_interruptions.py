"""The server is away for a while, or the session has ended: the page says what to do, and goes on where it was."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, Route, expect
from tests.e2e import pages
from tests.e2e.conftest import EMAIL, PASSWORD, PATIENCE_MS

AWAY = "The server cannot be reached"


@pytest.fixture
async def unwatched(browser: Browser, address: str) -> AsyncIterator[Page]:
    """A page of an administrator, of which requests may fail."""
    context = await browser.new_context(base_url=address)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await pages.sign_in(page, EMAIL, PASSWORD)
    yield page
    await context.close()


async def refuse(route: Route) -> None:
    await route.abort("connectionrefused")


async def test_a_server_that_is_away_is_told_and_found_again(unwatched: Page):
    page = unwatched
    await page.route("**/api/**", refuse)
    await page.goto("/connections")
    await try_again(page, "Sample shop")
    await page.route("**/api/**", refuse)
    await page.get_by_role("link", name="Users").click()
    await try_again(page, EMAIL)


async def try_again(page: Page, shown: str) -> None:
    await expect(page.get_by_role("alert").get_by_text(AWAY)).to_be_visible()
    await page.unroute("**/api/**")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("cell", name=shown)).to_be_visible()


async def test_a_list_that_renews_itself_does_so_again(unwatched: Page):
    page = unwatched
    await page.goto("/runs")
    await expect(page.get_by_text("Nothing has run yet")).to_be_visible()
    await page.route("**/api/**", refuse)
    await expect(page.get_by_role("alert").get_by_text(AWAY)).to_be_visible()
    await page.unroute("**/api/**")
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_change_that_fails_is_told_and_can_be_made_again(unwatched: Page):
    page = unwatched
    await page.goto("/lookup-tables")
    await page.get_by_role("button", name="New table").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("countries")
    await page.route("**/api/**", refuse)
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text(AWAY)).to_be_visible()
    await page.unroute("**/api/**")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("countries").first).to_be_visible()


async def test_a_session_that_ended_leads_to_the_sign_in_and_back(unwatched: Page):
    page = unwatched
    await page.goto("/runs?status=3")
    await expect(page.get_by_text("No run fits these filters")).to_be_visible()
    await page.context.clear_cookies()
    await expect(page.get_by_role("heading", name="Sign in to Flowloom")).to_be_visible()
    await page.get_by_label("E-mail").fill(EMAIL)
    await page.locator("input[type=password]").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("No run fits these filters")).to_be_visible()
