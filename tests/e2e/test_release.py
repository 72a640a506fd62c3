"""After a roll-back the canvas shows the version that is deployed now, and begins with no other one."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, Route, expect
from tests.e2e.test_canvas import call, drawn
from tests.e2e.test_stories import deploy

AT = {"deployed_at": "2026-01-01T00:00:00Z"}


async def test_the_canvas_begins_with_the_version_that_is_deployed_now(page: Page):
    flow, first = await drawn(page)
    await call(page, "PUT", f"/flows/{flow}/versions/{first}", AT)
    second = (await call(page, "POST", f"/flows/{flow}/versions/{first}/copy"))["data"]["id"]
    await call(page, "PUT", f"/flows/{flow}/versions/{second}", AT)
    await page.reload()
    shown = page.get_by_role("combobox", name="Version", exact=True)
    await expect(shown).to_have_value("Version 2, Deployed")
    await page.get_by_role("tab", name="Versions").click()
    await deploy(page, "Roll back to this")
    await expect(page.get_by_text("Version 1 is deployed", exact=True)).to_be_visible()

    goes_on = asyncio.Event()

    async def hold(route: Route) -> None:
        await goes_on.wait()
        await route.continue_()

    await page.route("**/versions?per_page=100*", hold)
    async with page.expect_request("**/versions?per_page=100*"):
        await page.get_by_role("tab", name="Canvas").click()
    await expect(page.get_by_label("Loading")).to_be_visible()
    await expect(shown).to_have_count(0)
    goes_on.set()
    await expect(shown).to_have_value("Version 1, Deployed")
