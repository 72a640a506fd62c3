"""Who may only read is offered nothing that changes something, on any page."""

from __future__ import annotations

import re

from playwright.async_api import Browser, Page, expect
from tests.e2e import axe, pages
from tests.e2e.conftest import watched

# What a button may be called that only shows, finds or leads somewhere.
HARMLESS = re.compile(
    r"Account and appearance|Find|Actions of .+|More about version \d+|Past slots.*|The other way round|Variables"
    r"|Show all steps|Go to the steps|Zoom (in|out)|With warnings|(Is paid|Keep|Note|Trigger)(, \w+)?|last"
)
OFFERED = """() => [...document.querySelectorAll("button, [role=button], a[role=button], [role=switch]")]
  .filter((one) => one.checkVisibility() && !one.disabled && one.role !== "tab")
  .map((one) => (one.ariaLabel || one.labels?.[0]?.innerText || one.innerText).split("\\n")[0])"""


async def test_a_reader_is_offered_nothing_that_changes_something(browser: Browser, furnished: str):
    async with watched(browser, furnished) as page:
        await pages.sign_in(page, pages.READER, pages.READER_PASSWORD)
        found, faults = [], []
        for address in pages.addresses():
            await page.goto(address)
            await axe.shown(page)
            found += [
                (address, name) for name in await page.evaluate(OFFERED) if not HARMLESS.fullmatch(name)
            ]
            faults += await axe.look(page, address, ("light",))
        assert (found, faults) == ([], [])
        assert await items(page, "/flows", "Actions of Orders") == ["Export"]
        await page.goto("/users")
        await expect(page.get_by_text("This page is for the role administrator")).to_be_visible()


async def items(page: Page, address: str, menu: str) -> list[str]:
    await page.goto(address)
    await page.get_by_role("button", name=menu).click()
    await page.get_by_role("menuitem").first.wait_for()
    return await page.get_by_role("menuitem").all_inner_texts()
