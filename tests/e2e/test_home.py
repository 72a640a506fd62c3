"""The first hour: setting up after a first start, the sample, the list of flows, the palette and the keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from tests.e2e.conftest import serving, watched

OWN = "correct-horse-battery"


@pytest.fixture
def first_start(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of a server on an empty database, and the password that it generated."""
    with serving(tmp_path, "serve") as (address, said):
        yield address, next(line.split()[1] for line in said if "password" in line)


async def sign_in(page: Page, email: str, password: str) -> None:
    await page.get_by_label("E-mail").fill(email)
    await page.locator("input[type=password]").fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def test_from_the_first_start_to_a_flow_that_ran(browser: Browser, first_start: tuple[str, str]):
    address, password = first_start
    async with watched(browser, address) as page:
        await page.goto("/sign-in")
        await sign_in(page, "admin@example.com", password)
        await expect(page.get_by_role("heading", name="Set up Flowloom")).to_be_visible()
        await page.goto("/flows")
        await expect(page.get_by_role("heading", name="Set up Flowloom")).to_be_visible()
        await page.get_by_label("Company").fill("Lamps")
        await page.get_by_label("Your name").fill("Jo")
        await page.get_by_label("E-mail").fill("jo@example.com")
        await page.locator("input[type=password]").fill(OWN)
        await page.get_by_role("button", name="Set up").click()

        await expect(page.get_by_text("There is no flow yet")).to_be_visible()
        await page.get_by_role("button", name="Load a sample").click()
        await expect(page.get_by_role("heading", name="Sample: paid orders")).to_be_visible()
        await page.get_by_role("button", name="Run", exact=True).click()
        await page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
        panel = page.get_by_role("complementary", name="Run")
        await expect(panel.get_by_text("success", exact=True)).to_be_visible()

        await page.get_by_role("button", name="Account and appearance").click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await sign_in(page, "jo@example.com", OWN)
        await expect(page.get_by_role("region", name="Flows in the last 24 hours")).to_contain_text(
            "1 succeeded"
        )
        await expect(page.get_by_text("Nothing needs attention")).to_be_visible()


async def test_a_flow_is_handed_on_and_found(page: Page, tmp_path: Path):
    await page.get_by_role("link", name="Flows").click()
    actions = page.get_by_label("Actions of Paid orders to the warehouse")
    await actions.click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name="Export").click()
    file = tmp_path / "flow.json"
    await (await download.value).save_as(file)
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"flow": {"name": "Handed on", "labels": ["mine"]}}))

    await page.get_by_role("button", name="Import").click()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="File").click()
    await (await chooser.value).set_files(file)
    await page.get_by_role("dialog").get_by_role("button", name="Import").click()
    await expect(page.get_by_role("heading", name="Handed on")).to_be_visible()

    await page.get_by_role("link", name="Flows").click()
    await page.get_by_label("Flows with the label mine").click()
    await expect(page.get_by_role("link", name="Paid orders to the warehouse")).to_have_count(0)
    await page.get_by_label("Actions of Handed on").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete flow").click()
    await expect(page.get_by_text('There is no flow with the label "mine"')).to_be_visible()


async def test_the_keyboard_leads_everywhere(page: Page):
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()
    await page.keyboard.press("g")
    await page.keyboard.press("r")
    await expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Find a page")).to_be_focused()
    await page.keyboard.type("warehouse")
    await expect(page.get_by_role("option", name="Paid orders to the warehouse")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Paid orders to the warehouse")).to_be_visible()
    await page.keyboard.press("n")
    await expect(page.get_by_role("dialog", name="New flow")).to_be_visible()


async def test_the_account_menu_opens_from_the_keyboard_and_gives_the_focus_back(page: Page):
    button = page.get_by_role("button", name="Account and appearance")
    for _ in range(2):
        await button.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("menuitem", name="Sign out")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("menuitem", name="Sign out")).to_be_hidden()
        await expect(button).to_be_focused()
