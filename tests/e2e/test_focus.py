"""The canvas by keyboard: from the toolbar to a step, from there to its settings and back."""

from __future__ import annotations

from playwright.async_api import Page, expect
from tests.e2e.test_canvas import box, drawn
from tests.e2e.test_several_steps import drag


async def test_the_keyboard_leads_to_a_step_and_its_settings_and_back(page: Page):
    await drawn(page, {"microservice": "delay", "name": "Wait", "config": {"seconds": 1}})
    steps = page.get_by_role("application", name="Steps")
    await expect(steps).to_have_accessible_description(
        "Arrow keys lead from step to step, Enter opens one and leads on to its settings, plus adds one after it."
    )
    await page.get_by_role("button", name="Deploy").focus()
    for name in ("Zoom in", "Zoom out", "Show all steps"):
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name=name)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(box(page, "Trigger")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(box(page, "Wait")).to_be_focused()
    for name in ("Go to the steps", "Show all steps"):
        await page.keyboard.press("Shift+Tab")
        await expect(page.get_by_role("button", name=name)).to_be_focused()

    await box(page, "Trigger").focus()
    await page.keyboard.press("Enter")
    name = page.get_by_role("complementary", name="Step").get_by_role("textbox", name="Name", exact=True)
    await expect(name).to_have_value("Trigger")
    await page.keyboard.press("Enter")
    await expect(name).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(box(page, "Trigger")).to_be_focused()
    await expect(name).to_have_count(0)


async def test_a_step_out_of_sight_is_reached_too(page: Page):
    await drawn(page, {"microservice": "delay", "name": "Wait", "config": {"seconds": 1}})
    await box(page, "Wait").focus()
    await page.get_by_role("button", name="Show all steps").focus()
    pane = await page.get_by_test_id("canvas").bounding_box()
    assert pane is not None
    for _ in range(2):
        start = (pane["x"] + 60, pane["y"] + 60)
        await drag(page, start, (pane["x"] + pane["width"] - 10, pane["y"] + pane["height"] - 10))
    await expect(box(page, "Wait")).to_have_count(0)
    await page.get_by_role("button", name="Show all steps").focus()
    await page.keyboard.press("Tab")
    await expect(box(page, "Wait")).to_be_focused()
