"""Every page there is, read from the router itself, and a company with one of everything for them to show."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import APIRequestContext, Page, async_playwright

ROUTER = Path(__file__).parents[2] / "web/src/router.tsx"
ROUTE = re.compile(
    r"const (?P<name>\w+) = createRoute\(\{\s*getParentRoute: \(\) => (?P<parent>\w+),\s*path: \"(?P<path>[^\"]+)\""
)
READER, READER_PASSWORD = "reader@example.com", "only-to-look-around"
STEPS: tuple[dict[str, Any], ...] = (
    {"microservice": "track", "name": "Note", "config": {"entity_type": "order", "value": "id"}},
    {
        "microservice": "cache",
        "name": "Keep",
        "config": {"action": "add", "scope": "company", "key": "last", "value": "[[payload.id]]"},
    },
    {
        "microservice": "assert",
        "name": "Is paid",
        "config": {"where": {"field": "status", "operator": "equals", "value": "paid"}},
    },
)
RUNS_ENDED = 2


def addresses() -> list[str]:
    """Where all pages of the first record of each kind are, but those of somebody who is not signed in."""
    found = {each["name"]: each for each in ROUTE.finditer(ROUTER.read_text())}

    def whole(name: str) -> str:
        return whole(found[name]["parent"]) + found[name]["path"] if name in found else ""

    paths = {whole(name) for name in found} - {
        "/sign-in",
        "/set-up",
        "/welcome",
        "/flows/$flow",
        "/flows/$flow/",
    }
    return sorted(re.sub(r"\$\w+", "1", path) for path in paths)


@dataclass
class Api:
    """The API with the session of a page."""

    request: APIRequestContext

    async def __call__(self, method: str, path: str, data: Any = None) -> Any:
        answer = await self.request.fetch(f"/api/v1{path}", method=method, data=data)
        assert answer.ok, (method, path, await answer.text())
        return (await answer.json()).get("data")


async def sign_in(page: Page, email: str, password: str) -> None:
    await Api(page.request)("POST", "/login", {"email": email, "password": password})


async def furnish(address: str, email: str, password: str) -> None:
    """One of everything, on a server that has nothing."""
    async with async_playwright() as playwright:
        api = Api(await playwright.request.new_context(base_url=address))
        await api("POST", "/login", {"email": email, "password": password})
        await work(api)
        await keep(api)


async def work(api: Api) -> None:
    """A flow with three versions, a schedule and two runs, of which one failed; and one that is not deployed."""
    flow = await api("POST", "/flows", {"name": "Orders", "is_enabled": True, "labels": ["shop"]})
    path = f"/flows/{flow['id']}"
    await draw(api, 1)
    await api(
        "POST", "/flow-versions/1/schedules", {"cron_string": "30 2 * * *", "timezone": "Europe/Berlin"}
    )
    await release(api, path, 1)
    for status in ("paid", "open"):
        await api("POST", f"{path}/start/raw", {"id": 1042, "status": status})
    while any(run["status"] < RUNS_ENDED for run in await api("GET", "/flow-runs")):
        await asyncio.sleep(0.05)
    await api("POST", f"{path}/versions/1/copy")
    await release(api, path, 2)
    await api("POST", f"{path}/versions/2/copy")
    await api("POST", "/flow-versions/2/upload")
    await api("POST", "/flows", {"name": "Sketch", "description": "Not deployed yet"})


async def draw(api: Api, version: int) -> None:
    graph = f"/flow-versions/{version}/graph"
    [last] = (await api("GET", graph))["steps"]
    for step in STEPS:
        last = await api("POST", f"{graph}/steps", step | {"parent_id": last["id"]})


async def release(api: Api, path: str, version: int) -> None:
    await api("PUT", f"{path}/versions/{version}", {"deployed_at": "2026-01-01T00:00:00Z"})


async def keep(api: Api) -> None:
    """What flows use, and who uses Flowloom."""
    auth = {"type": "bearer", "token": "a-token-of-the-shop"}
    await api("POST", "/connections", {"name": "Shop", "base_url": "https://shop.example", "auth": auth})
    endpoint = {"key": "orders", "name": "Orders", "direction": "receive", "method": "GET", "path": "/orders"}
    await api(
        "POST",
        "/connectors",
        {"name": "Shop", "document": {"base_url": "https://shop.example", "endpoints": [endpoint]}},
    )
    await api("POST", "/lookup-tables", {"name": "countries", "description": "ISO codes"})
    await api("POST", "/lookup-tables/1/rows", {"left": "DE", "right": "Germany"})
    await api("POST", "/data-pools", {"name": "orders", "description": "Orders that were sent"})
    await api("POST", "/data-pools/1/entries", {"keys": ["1042"]})
    await api("POST", "/notification-groups", {"name": "On duty", "channels": [{"type": "log"}]})
    await api("POST", "/api-keys", {"name": "Warehouse"})
    reader = {"name": "Ray", "email": READER, "password": READER_PASSWORD, "role": "read-only"}
    await api("POST", "/users", reader)
