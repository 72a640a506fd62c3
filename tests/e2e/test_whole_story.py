"""The whole life of a flow in front of a browser, from nothing to a release that is rolled back and a run repaired."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import Locator, Page, expect
from tests import remote
from tests.e2e.test_stories import add_step, deploy, new_flow, run, saved

ORDERS = {
    "monday": [
        {"number": "A1", "status": "paid", "total": 20},
        {"number": "A2", "status": "open", "total": 5},
    ]
}


@pytest.fixture
async def shop() -> AsyncIterator[remote.Remote]:
    """A shop that gives the orders of a day, and a warehouse that takes what it is sent."""
    async with remote.serving() as serving:

        async def answer(seen: remote.Seen) -> web.Response:
            return web.json_response(ORDERS.get(seen.query.get("day", ""), {"ok": True}))

        serving.answer = answer
        yield serving


def panel(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Step")


async def write(page: Page, **fields: str) -> None:
    for label, text in fields.items():
        field = [panel(page).get_by_role(role, name=label, exact=True) for role in ("textbox", "combobox")]
        await field[0].or_(field[1]).fill(text)


async def connector(page: Page, name: str, direction: str, address: str) -> None:
    await add_step(page, "Connector")
    await write(page, Name=name)
    await panel(page).get_by_role("combobox", name="Direction").click()
    await page.get_by_role("option", name=direction).click()
    await write(page, URL=address)


async def rule(page: Page, target: str, source: str) -> None:
    editor = page.get_by_role("dialog", name="Map fields")
    await editor.get_by_role("button", name="Add a rule").click()
    await editor.get_by_role("textbox", name="Target").fill(target)
    await editor.get_by_role("combobox", name="Source").fill(source)


async def draw(page: Page, shop: remote.Remote) -> None:
    """Six steps: what starts it, orders of a day, the paid ones, other names, tens of them, on to the warehouse."""
    await new_flow(page, "From nothing")
    await connector(page, "Get orders", "receive", shop.url("/orders?day=[[payload.day]]"))
    await add_step(page, "Filter")
    await page.get_by_role("button", name="Add a condition").click()
    await write(page, Field="status", Value="paid")
    await add_step(page, "Map")
    await panel(page).get_by_role("button", name="Map fields").click()
    await rule(page, "reference", "number")
    await page.get_by_role("dialog", name="Map fields").get_by_role("button", name="Done").click()
    await add_step(page, "Batch")
    await write(page, Size="10")
    await connector(page, "To the warehouse", "send", shop.url("/warehouse"))
    await saved(page)


async def succeeds(page: Page) -> None:
    await expect(page.get_by_text("success", exact=True)).to_be_visible()


async def start(page: Page, day: str) -> None:
    await run(page, json.dumps({"day": day}))


async def test_the_whole_life_of_a_flow(page: Page, shop: remote.Remote):
    await draw(page, shop)
    await start(page, "monday")
    await succeeds(page)
    assert shop.bodies("/warehouse") == [[{"reference": "A1"}]]
    await page.get_by_role("button", name="Back to editing").click()
    await deploy(page)
    await expect(page.get_by_text("Version 1 is deployed", exact=True)).to_be_visible()

    await change(page)
    await compare(page)
    await deploy_second(page)
    await start(page, "monday")
    await succeeds(page)
    assert shop.bodies("/warehouse")[1:] == [[{"reference": "A1", "total": 20}]]

    await both_do_well(page)
    await page.get_by_role("tab", name="Versions").click()
    await deploy(page, "Roll back to this")
    await expect(page.get_by_text("Version 1 is deployed", exact=True)).to_be_visible()
    await repair(page, shop)


async def change(page: Page) -> None:
    """Give the draft's map one more rule."""
    await page.get_by_role("button", name="Copy to draft").click()
    await expect(page.get_by_role("combobox", name="Version", exact=True)).to_have_value(
        re.compile("Version 2, Draft")
    )
    await (
        page.get_by_role("button", name="Map, ")
        .or_(page.get_by_role("button", name="Map", exact=True))
        .click()
    )
    await panel(page).get_by_role("button", name="Map fields").click()
    await rule(page, "total", "total")
    await page.get_by_role("dialog", name="Map fields").get_by_role("button", name="Done").click()
    await saved(page)


async def compare(page: Page) -> None:
    await page.get_by_role("tab", name="Compare").click()
    await expect(page.get_by_text("changed", exact=True)).to_have_count(1)
    await expect(page.get_by_text("total").first).to_be_visible()


async def deploy_second(page: Page) -> None:
    await deploy(page, "Deploy version 2")
    await expect(page.get_by_text("Version 2 is deployed", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Roll back to version 1")).to_be_visible()
    await page.get_by_role("tab", name="Canvas").click()


async def both_do_well(page: Page) -> None:
    """Each version has a line of its own."""
    await page.get_by_role("tab", name="Metrics").click()
    chart = page.get_by_role("img", name="Chart: Runs that succeeded")
    await expect(chart.get_by_text("Version 1")).to_be_visible()
    await expect(chart.get_by_text("Version 2")).to_be_visible()


async def repair(page: Page, shop: remote.Remote) -> None:
    """The warehouse refuses what it is sent; the run is retried from there with another payload."""
    works = shop.answer

    async def refuse(seen: remote.Seen) -> web.Response:
        return (
            web.json_response({"error": "closed"}, status=400) if seen.method == "POST" else await works(seen)
        )

    shop.answer = refuse
    await page.get_by_role("tab", name="Canvas").click()
    await start(page, "monday")
    await expect(page.get_by_text("failure", exact=True)).to_be_visible()
    shop.answer = works
    await page.get_by_role("link", name="Run 3", exact=True).click()
    await page.get_by_role("button", name="Retry", exact=True).click()
    await page.get_by_role("button", name="Edit the payload").click()
    edited = page.get_by_role("textbox", name="Payload in place of the one there was")
    await expect(edited).to_have_value(re.compile('"reference": "A1"'))
    await edited.fill('[{"reference": "A1-repaired"}]')
    await page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    await expect(page.get_by_text("a retry of")).to_be_visible()
    await succeeds(page)
    assert shop.bodies("/warehouse")[-1] == [{"reference": "A1-repaired"}]
