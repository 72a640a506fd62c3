"""Stories of the canvas: fields mapped by a sample, templates completed, steps copied, deletions undone, conflicts."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.async_api import Locator, Page, expect

ORDERS = [{"number": "A1", "customer": {"name": "Ann"}, "total": 20}]
PAID = {"field": "status", "operator": "equals", "value": "paid"}


async def call(page: Page, method: str, path: str, body: Any = None) -> Any:
    """Do something over the API as who is signed in."""
    sent = {"Content-Type": "application/json", "Origin": page.url.partition("/flows")[0].rstrip("/")}
    data = None if body is None else json.dumps(body)
    answer = await page.request.fetch(f"/api/v1{path}", method=method, headers=sent, data=data)
    assert answer.ok, await answer.text()
    return await answer.json()


async def drawn(page: Page, *steps: dict[str, Any]) -> tuple[int, int]:
    """A flow of steps that follow each other, opened on the canvas: its id and that of its draft."""
    flow = (await call(page, "POST", "/flows", {"name": "Canvas"}))["data"]["id"]
    version = (await call(page, "GET", f"/flows/{flow}/versions"))["data"][0]["id"]
    graph = f"/flow-versions/{version}/graph"
    last = (await call(page, "GET", graph))["data"]["steps"][0]["id"]
    for step in steps:
        last = (await call(page, "POST", f"{graph}/steps", {"parent_id": last, **step}))["data"]["id"]
    await page.goto(f"/flows/{flow}/canvas")
    return flow, version


async def ran(page: Page, flow: int, version: int, payload: Any = None) -> None:
    """Run a version to its end."""
    sent = {} if payload is None else {"payload": json.dumps(payload)}
    run = (await call(page, "POST", f"/flows/{flow}/manual/{version}", sent))["flow_run_id"]
    while (await call(page, "GET", f"/flow-runs/{run}"))["data"]["status"] < 2:
        await page.wait_for_timeout(50)


def box(page: Page, name: str) -> Locator:
    return page.locator(".react-flow__node-step").filter(has_text=name)


async def saved(page: Page) -> None:
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()


async def hangs(page: Page, version: int) -> dict[str, tuple[str | None, str | None]]:
    """On which step and route each step hangs, by name."""
    graph = (await call(page, "GET", f"/flow-versions/{version}/graph"))["data"]
    steps = {step["id"]: step["name"] for step in graph["steps"]}
    routes = {route["id"]: route["name"] for route in graph["routes"]}
    return {
        step["name"]: (steps.get(step.get("parent_id")), routes.get(step.get("flow_step_route_id")))
        for step in graph["steps"]
    }


async def test_fields_are_mapped_beside_a_payload_of_a_run(page: Page):
    flow, version = await drawn(page)
    await ran(page, flow, version, ORDERS)
    trigger = (await call(page, "GET", f"/flow-versions/{version}/graph"))["data"]["steps"][0]["id"]
    shape = {"microservice": "map", "name": "Shape", "parent_id": trigger}
    await call(page, "POST", f"/flow-versions/{version}/graph/steps", shape)
    await page.reload()
    await box(page, "Shape").click()
    await page.get_by_role("button", name="Map fields").click()
    editor = page.get_by_role("dialog", name="Map fields")
    sample, rules = editor.get_by_role("region", name="Sample"), editor.get_by_role("region", name="Rules")
    await sample.get_by_role("button", name="Take number").click()
    await rules.get_by_role("textbox", name="Target").fill("ref.id")
    await rules.get_by_role("button", name="Add a transform").click()
    await rules.get_by_role("combobox", name="Transform 1").fill("prefix")
    await page.get_by_role("option", name="prefix").click()
    await rules.get_by_role("textbox", name="Text").fill("SO-")
    await sample.get_by_role("button", name="Take customer.name").drag_to(
        rules.get_by_text("Click a field of the sample")
    )
    result = editor.get_by_role("region", name="Result")
    await expect(result.get_by_text('{"id":"SO-A1"}')).to_be_visible()
    await expect(result.get_by_text('{"name":"Ann"}')).to_be_visible()
    await editor.get_by_role("button", name="Done").click()
    await expect(page.get_by_role("complementary", name="Step").get_by_text("ref.id")).to_be_visible()
    await saved(page)


async def test_templates_are_completed_as_one_types(page: Page):
    body = {"microservice": "manual-payload", "name": "Ask", "config": {"body": {"id": 1}}}
    track = {"microservice": "track", "name": "Note", "config": {"entity_type": "order", "value": "x"}}
    check = {"microservice": "assert", "name": "Check", "config": {"body": {"id": 1}}}
    flow, version = await drawn(page, body, track, check)
    await call(page, "PUT", f"/flow-versions/{version}/variables", {"variables": {"shop": "nl"}})
    await ran(page, flow, version)
    await page.reload()
    await box(page, "Note").click()
    field = page.get_by_label(re.compile("^Value"))
    await field.fill("")
    await field.press_sequentially("{{s")
    await page.get_by_role("option", name="{{shop}}").click()
    await field.press_sequentially(" [[")
    await page.get_by_role("option", name="[[payload.id]]").click()
    await expect(field).to_have_value("{{shop}} [[payload.id]]")
    await saved(page)
    await box(page, "Check").click()
    code = page.get_by_role("textbox", name="Body")
    await code.fill('{"shop": "')
    await code.press("End")
    await code.press_sequentially("{{sh")
    await page.get_by_role("option", name="{{shop}}").click()
    await expect(code).to_contain_text('{"shop": "{{shop}}')


async def test_steps_are_copied_by_key_and_what_hung_on_routes_comes_back(page: Page):
    route = {
        "microservice": "route",
        "name": "By state",
        "config": {"routes": [{"name": "Paid", "where": PAID}]},
    }
    _, version = await drawn(page, route)
    graph = f"/flow-versions/{version}/graph"
    known = (await call(page, "GET", graph))["data"]
    [paid], parent = known["routes"], known["steps"][-1]["id"]
    wait = {"microservice": "delay", "name": "Wait", "config": {"seconds": 1}}
    await call(
        page, "POST", f"{graph}/steps", {**wait, "parent_id": parent, "flow_step_route_id": paid["id"]}
    )
    await page.reload()
    before = await hangs(page, version)

    await box(page, "Trigger").click()
    await page.keyboard.press("Escape")
    await page.keyboard.press("ArrowDown")
    await expect(box(page, "By state")).to_be_focused()
    await page.keyboard.press("Delete")
    await expect(box(page, "By state")).to_have_count(0)
    await saved(page)
    assert await hangs(page, version) == {"Trigger": (None, None), "Wait": ("Trigger", None)}
    await page.keyboard.press("Control+z")
    await expect(box(page, "By state")).to_be_visible()
    await saved(page)
    assert (
        await hangs(page, version)
        == before
        == {
            "Trigger": (None, None),
            "By state": ("Trigger", None),
            "Wait": ("By state", "Paid"),
        }
    )

    await box(page, "Wait").focus()
    await page.keyboard.press("Control+c")
    await page.keyboard.press("Control+v")
    await expect(box(page, "Wait")).to_have_count(2)
    await saved(page)


async def test_one_is_asked_when_somebody_else_changed_the_draft(page: Page, refusals: set[int]):
    refusals.add(409)
    _, version = await drawn(page, {"microservice": "delay", "name": "Wait", "config": {"seconds": 1}})
    step = (await call(page, "GET", f"/flow-versions/{version}/graph"))["data"]["steps"][-1]
    path = f"/flow-versions/{version}/graph/steps/{step['id']}"
    await box(page, "Wait").click()
    seconds = page.get_by_role("textbox", name="Seconds")
    await expect(seconds).to_have_value("1")
    for choice, expected in (("Apply mine again", "5"), ("Load theirs", "30")):
        theirs = "20" if choice == "Apply mine again" else "30"
        await call(page, "PATCH", path, {"config": {"seconds": int(theirs)}})
        await seconds.fill("5" if choice == "Apply mine again" else "6")
        await expect(page.get_by_text("changed this draft")).to_be_visible()
        await expect(seconds).to_have_value("5" if choice == "Apply mine again" else "6")
        await page.get_by_role("button", name=choice).click()
        await saved(page)
        await expect(seconds).to_have_value(expected)
        now = (await call(page, "GET", f"/flow-versions/{version}/graph"))["data"]["steps"][-1]
        assert now["config"]["seconds"] == int(expected)


async def test_what_one_types_stays_while_it_is_saved_or_refused(page: Page, refusals: set[int]):
    refusals.add(422)
    where = {"field": "name", "operator": "matches", "value": "x"}
    _, version = await drawn(page, {"microservice": "filter", "name": "Some", "config": {"where": where}})
    await box(page, "Some").click()
    name = page.get_by_role("textbox", name="Name", exact=True)
    await name.fill("Only ")
    await expect(box(page, "Only")).to_be_visible()
    await saved(page)
    await name.press_sequentially("some")
    await expect(name).to_have_value("Only some")
    value = page.get_by_role("textbox", name="Value")
    await value.fill("(")
    await expect(page.get_by_text("Not saved")).to_be_visible()
    await page.get_by_role("switch", name="Switched on").press("Space")
    await expect(page.get_by_text("switched off")).to_be_visible()
    await expect(page.get_by_text("Not saved")).to_be_visible()
    await expect(value).to_have_value("(")
    await value.fill("(a|b)")
    await saved(page)
    step = (await call(page, "GET", f"/flow-versions/{version}/graph"))["data"]["steps"][-1]
    assert (step["name"], step["config"]["where"]["value"]) == ("Only some", "(a|b)")
