"""Flows in each state that a version can be in, and all that a version holds."""

from __future__ import annotations

from typing import Any

from tests.world import Flow, World

FILTER = {"microservice": "filter", "config": {"where": {"field": "a", "operator": "equals", "value": 1}}}


async def flow_in(server: World, status: str) -> Flow:
    """A flow whose version is in this state."""
    flow = await server.flow(FILTER, deploy=status != "Draft")
    if status == "Inactive":
        await server.put(flow.path, json={"deployed_at": None})
    return flow


async def content_of(server: World, version_id: int) -> Any:
    """Everything of a version but its ids and times, and what refers to them by position."""
    graph = (await server.get(f"/flow-versions/{version_id}/graph")).data
    steps = {step["id"]: number for number, step in enumerate(graph["steps"])}
    routes = {route["id"]: number for number, route in enumerate(graph["routes"])}
    schedules = (await server.get(f"/flow-versions/{version_id}/schedules")).data
    return (
        [
            {**step, "id": 0, "flow_version_id": 0, "parent_id": steps.get(step.get("parent_id")),
             "flow_step_route_id": routes.get(step.get("flow_step_route_id"))}
            for step in graph["steps"]
        ],
        [{**route, "id": 0, "flow_step_id": steps[route["flow_step_id"]]} for route in graph["routes"]],
        [(one["cron_string"], one["timezone"]) for one in schedules],
        (await server.get(f"/flow-versions/{version_id}/variables")).data,
    )  # fmt: skip
