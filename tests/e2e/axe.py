"""axe in the browser: what of a page somebody could not see, hear or reach."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Page, expect

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
# Colours count once nothing moves any more; what moves for ever is not waited for.
LOOK = """async (only) => {
  const moves = (one) => one.playState === "running" && one.effect.getTiming().iterations !== Infinity;
  while (document.getAnimations().some(moves)) await new Promise((seen) => setTimeout(seen, 20));
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...(only && { runOnly: only }) });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html }) => html.slice(0, 200))].join(" "));
}"""
# What there is to find in the dark, that was not found in the light, are its colours.
SCHEMES = {"light": None, "dark": ["color-contrast"]}


async def shown(page: Page) -> None:
    """Wait until the page has shown what it read."""
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)


async def look(page: Page, where: str, schemes: Sequence[str] = tuple(SCHEMES)) -> list[str]:
    """The serious faults of what is shown."""
    await page.evaluate(AXE.read_text())
    found: list[str] = []
    for scheme in schemes:
        await page.emulate_media(color_scheme=scheme)
        found += [f"{where} {scheme}: {fault}" for fault in await page.evaluate(LOOK, SCHEMES[scheme])]
    return found


async def visit(page: Page, addresses: list[str], schemes: Sequence[str] = tuple(SCHEMES)) -> list[str]:
    found: list[str] = []
    for address in addresses:
        await page.goto(address)
        await shown(page)
        found += await look(page, address, schemes)
    return found
