"""A run that failed is found, and retried with another payload."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

CALL = """async ([method, path, body]) => {
  const answer = await fetch(`/api/v1${path}`, {
    method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  return answer.json();
}"""


async def call(page: Page, method: str, path: str, body: Any = None) -> Any:
    """What the server answers to the page's own user."""
    return await page.evaluate(CALL, [method, path, body or {}])


async def picky_flow(page: Page) -> int:
    """A deployed flow that fails on orders that are not paid."""
    flow: int = (await call(page, "POST", "/flows", {"name": "Picky", "is_enabled": True}))["data"]["id"]
    version = (await page.evaluate(f"fetch('/api/v1/flows/{flow}/versions').then((one) => one.json())"))[
        "data"
    ][0]["id"]
    steps = f"/flow-versions/{version}/graph"
    trigger = (await page.evaluate(f"fetch('/api/v1{steps}').then((one) => one.json())"))["data"]["steps"][0][
        "id"
    ]
    paid = {"where": {"field": "status", "operator": "equals", "value": "paid"}}
    step = {"microservice": "assert", "name": "Only paid", "config": paid, "parent_id": trigger}
    await call(page, "POST", f"{steps}/steps", step)
    now = await page.evaluate("new Date().toISOString()")
    await call(page, "PUT", f"/flows/{flow}/versions/{version}", {"deployed_at": now})
    return flow


async def test_a_failed_run_is_retried_with_an_edited_payload(page: Page):
    flow = await picky_flow(page)
    payload = '{"number": "A1", "status": "open"}'
    await call(page, "POST", f"/flows/{flow}/start", {"payload": payload})

    await page.goto(f"/runs?flow={flow}&status=3")
    await expect(page.get_by_role("cell", name="failure")).to_be_visible()
    await page.get_by_role("button", name="Retry all").click()
    await expect(page.get_by_role("dialog").get_by_text("1 run that did not succeed")).to_be_visible()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()

    await page.get_by_role("cell", name="failure").locator("xpath=..").get_by_role("link").first.click()
    await page.get_by_role("button", name="Retry", exact=True).click()
    await page.get_by_role("button", name="Edit the payload").click()
    edited = page.get_by_role("textbox", name="Payload in place of the one there was")
    await expect(edited).to_have_value('{\n  "number": "A1",\n  "status": "open"\n}')
    await edited.fill('{"number": "A1", "status": "paid"}')
    await page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    await expect(page.get_by_text("a retry of")).to_be_visible()
    await expect(page.get_by_text("success", exact=True)).to_be_visible()
