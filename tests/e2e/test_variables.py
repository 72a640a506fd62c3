"""The variables of a draft, changed in their dialog and taken back with the undo of the canvas."""

from __future__ import annotations

from playwright.async_api import Page, expect
from tests.e2e.test_canvas import call, drawn, saved


async def test_a_change_of_variables_is_undone_like_one_of_steps(page: Page, refusals: set[int]):
    refusals.add(422)
    _, version = await drawn(page)
    path = f"/flow-versions/{version}/variables"
    await page.get_by_role("button", name="Variables").click()
    dialog = page.get_by_role("dialog", name="Variables of the version")
    await dialog.get_by_role("button", name="Add a row").click()
    await dialog.get_by_label("Variables: name 1").fill("not a name")
    await dialog.get_by_label("Variables: value 1").fill("nl")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await dialog.get_by_label("Variables: name 1").fill("shop")
    await dialog.get_by_role("button", name="Add a secret").click()
    await dialog.get_by_label("Secret 1: name").fill("token")
    await dialog.get_by_label("Secret 1: value").fill("correct-horse")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)
    await saved(page)
    assert await call(page, "GET", path) == {"data": {"shop": "nl"}, "secrets": ["token"]}
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("button", name="Redo")).to_be_enabled()
    await saved(page)
    assert await call(page, "GET", path) == {"data": {}, "secrets": ["token"]}
    await page.get_by_role("button", name="Redo").click()
    await expect(page.get_by_role("button", name="Redo")).to_be_disabled()
    await saved(page)
    await page.get_by_role("button", name="Variables").click()
    await expect(dialog.get_by_label("Variables: name 1")).to_have_value("shop")
