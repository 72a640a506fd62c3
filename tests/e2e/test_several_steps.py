"""Several steps of the canvas chosen at once, and moved, copied and deleted together, each as one thing to undo."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Locator, Page, expect
from tests.e2e.test_canvas import box, call, drawn, hangs, saved

WAITS: tuple[dict[str, Any], ...] = tuple(
    {"microservice": "delay", "name": name, "config": {"seconds": 1}} for name in ("One", "Two", "Three")
)
IN_LINE = {"Trigger": (None, None), "One": ("Trigger", None), "Two": ("One", None), "Three": ("Two", None)}


def chosen(page: Page) -> Locator:
    return page.get_by_role("toolbar", name="Chosen steps")


async def count(page: Page, steps: int) -> None:
    await expect(chosen(page).get_by_role("status")).to_have_text(f"{steps} steps")


async def places(page: Page, version: int) -> dict[str, tuple[int, int] | None]:
    steps = (await call(page, "GET", f"/flow-versions/{version}/graph"))["data"]["steps"]
    found = {step["name"]: step.get("position") for step in steps}
    return {name: place and (place["x"], place["y"]) for name, place in found.items()}


def column(found: dict[str, tuple[int, int] | None], name: str) -> int:
    place = found[name]
    assert place is not None
    return place[0]


async def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    await page.mouse.move(*start)
    await page.mouse.down()
    await page.mouse.move(*end, steps=8)
    await page.mouse.up()


async def middle(step: Locator) -> tuple[float, float]:
    found = await step.bounding_box()
    assert found is not None
    return found["x"] + found["width"] / 2, found["y"] + found["height"] / 2


async def test_steps_that_are_chosen_with_the_mouse_are_moved_and_deleted_as_one(page: Page):
    _, version = await drawn(page, *WAITS)
    await box(page, "One").click()
    await box(page, "Three").click(modifiers=["Shift"])
    await count(page, 2)
    await expect(page.get_by_role("complementary", name="Step")).to_have_count(0)
    await box(page, "Three").click(modifiers=["Control"])
    await expect(chosen(page).get_by_role("status")).to_have_text("1 step")

    (x, y), (_, bottom) = await middle(box(page, "Two")), await middle(box(page, "Three"))
    await page.keyboard.down("Shift")
    await drag(page, (x - 200, y), (x, bottom))
    await page.keyboard.up("Shift")
    await count(page, 2)

    await drag(page, (x, y), (x + 120, y))
    await saved(page)
    moved = await places(page, version)
    assert moved["One"] is None
    assert column(moved, "Two") == column(moved, "Three") > 0
    await page.get_by_role("button", name="Undo").click()
    await saved(page)
    back = await places(page, version)
    assert column(back, "Two") == column(back, "Three") == 0

    await page.keyboard.press("Delete")
    await expect(box(page, "Two")).to_have_count(0)
    await saved(page)
    assert await hangs(page, version) == {"Trigger": (None, None), "One": ("Trigger", None)}
    await page.keyboard.press("Control+z")
    await expect(box(page, "Three")).to_be_visible()
    await saved(page)
    assert await hangs(page, version) == IN_LINE


async def test_steps_that_are_chosen_by_key_are_moved_and_copied(page: Page):
    _, version = await drawn(page, *WAITS)
    await box(page, "One").focus()
    await page.keyboard.press("Shift+ArrowDown")
    await expect(box(page, "Two")).to_be_focused()
    await count(page, 2)
    await page.keyboard.press("Alt+ArrowRight")
    await page.keyboard.press("Alt+ArrowRight")
    await saved(page)
    moved = await places(page, version)
    assert [name for name, place in moved.items() if place] == ["One", "Two"]
    assert column(moved, "One") == column(moved, "Two") > 0
    await page.keyboard.press("Control+z")
    await expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    await saved(page)
    back = await places(page, version)
    assert column(back, "One") == column(back, "Two") == 0
    await page.keyboard.press("Control+c")
    await page.keyboard.press("Control+v")
    await expect(box(page, "One")).to_have_count(2)
    await count(page, 2)
    await saved(page)
    assert len((await call(page, "GET", f"/flow-versions/{version}/graph"))["data"]["steps"]) == 6
    await page.keyboard.press("Control+z")
    await expect(box(page, "One")).to_have_count(1)
    await page.keyboard.press("Control+a")
    await count(page, 4)
    await page.keyboard.press("Delete")
    await expect(box(page, "Three")).to_have_count(0)
    await saved(page)
    assert await hangs(page, version) == {"Trigger": (None, None)}
    await page.keyboard.press("Control+z")
    await expect(box(page, "Three")).to_be_visible()
    await saved(page)
    assert await hangs(page, version) == IN_LINE
