"""Whole stories of somebody in front of a browser, from an empty flow to a release that is taken back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

ORDERS = '[{"number": "A1", "status": "paid", "total": 20}, {"number": "A2", "status": "open", "total": 5}]'


def new_flow(page: Page, name: str) -> None:
    page.get_by_role("link", name="Flows").click()
    page.get_by_role("button", name="New flow").click()
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("button", name="Create and draw").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def add_step(page: Page, title: str) -> None:
    """Add a step at the end of what is drawn, and see its panel."""
    page.get_by_label("Add a step here").last.click()
    page.get_by_label("Find a step").fill(title)
    page.keyboard.press("Enter")
    expect(
        page.get_by_role("complementary", name="Step").get_by_role("textbox", name="Name", exact=True)
    ).to_have_value(title)


def saved(page: Page) -> None:
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()


def run(page: Page, payload: str) -> None:
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("textbox", name="Payload", exact=True).fill(payload)
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()


def deploy(page: Page, button: str = "Deploy") -> None:
    page.get_by_role("button", name=button, exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()


def test_a_flow_is_drawn_run_deployed_changed_and_rolled_back(page: Page):
    new_flow(page, "Paid orders")
    add_step(page, "Filter")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_role("textbox", name="Field", exact=True).fill("status")
    page.get_by_role("textbox", name="Value", exact=True).fill("paid")
    add_step(page, "Batch")
    page.get_by_role("textbox", name="Size", exact=True).fill("10")
    saved(page)

    run(page, ORDERS)
    panel = page.get_by_role("complementary", name="Run")
    expect(panel.get_by_text("success", exact=True)).to_be_visible()
    page.get_by_test_id("canvas").get_by_text("Filter", exact=True).first.click()
    expect(panel.get_by_role("cell", name="A2")).to_be_visible()
    panel.get_by_text("After", exact=True).click()
    expect(panel.get_by_role("cell", name="A1")).to_be_visible()
    expect(panel.get_by_role("cell", name="A2")).to_have_count(0)
    page.get_by_role("button", name="Back to editing").click()

    deploy(page)
    expect(page.get_by_text("Version 1 is deployed", exact=True)).to_be_visible()
    page.get_by_role("button", name="Copy to draft").click()
    expect(page.get_by_role("combobox", name="Version", exact=True)).to_have_value(
        re.compile("Version 2, Draft")
    )
    add_step(page, "Delay")
    page.get_by_role("textbox", name="Seconds", exact=True).fill("1")
    saved(page)
    deploy(page)
    expect(page.get_by_text("Version 2 is deployed", exact=True)).to_be_visible()

    page.get_by_role("tab", name="Versions").click()
    deploy(page, "Roll back to this")
    expect(page.get_by_text("Version 1 is deployed", exact=True)).to_be_visible()


def test_a_step_that_was_deleted_comes_back_with_undo(page: Page):
    new_flow(page, "Undone")
    add_step(page, "Delay")
    page.get_by_role("textbox", name="Seconds", exact=True).fill("3")
    saved(page)
    page.get_by_role("button", name="Delete step").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete step").click()
    canvas = page.get_by_test_id("canvas")
    expect(canvas.get_by_text("Delay")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(canvas.get_by_text("Delay").first).to_be_visible()
    canvas.get_by_text("Delay").first.click()
    expect(page.get_by_role("textbox", name="Seconds", exact=True)).to_have_value("3")
