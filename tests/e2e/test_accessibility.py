"""No page has a fault that keeps somebody from using it: axe looks at each, light and dark, full and empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from tests.e2e import pages
from tests.e2e.conftest import EMAIL, PASSWORD, serving, watched

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
# Colours count once nothing moves any more; what moves for ever is not waited for.
LOOK = """async () => {
  const moves = (one) => one.playState === "running" && one.effect.getTiming().iterations !== Infinity;
  while (document.getAnimations().some(moves)) await new Promise((seen) => setTimeout(seen, 20));
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 200)).join(" ")}`);
}"""


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[str]:
    """A server on which nothing was made yet."""
    with serving(tmp_path, "serve", FLOWLOOM_ADMIN_EMAIL=EMAIL, FLOWLOOM_ADMIN_PASSWORD=PASSWORD) as (found, _):
        yield found


async def look(page: Page, where: str) -> list[str]:
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    found: list[Any] = await page.evaluate(LOOK)
    return [f"{where}: {fault}" for fault in found]


async def faults(page: Page, addresses: list[str], schemes: tuple[str, ...] = ("light", "dark")) -> list[str]:
    found: list[str] = []
    for address in addresses:
        await page.goto(address)
        await page.evaluate(AXE.read_text())
        for scheme in schemes:
            await page.emulate_media(color_scheme=scheme)
            found += await look(page, f"{address} {scheme}")
    return found


async def test_axe_finds_no_serious_fault_on_any_page(browser: Browser, empty: str):
    async with watched(browser, empty) as page:
        found = await faults(page, ["/sign-in"])
        api = await pages.sign_in(page, EMAIL, PASSWORD)
        fresh = [address for address in pages.addresses() if "1" not in address]
        found += await faults(page, fresh)
        await pages.furnish(api)
        found += await faults(page, pages.addresses())
        await pages.sign_in(page, pages.READER, pages.READER_PASSWORD)
        found += await faults(page, pages.addresses(), ("light",))
    assert found == []
