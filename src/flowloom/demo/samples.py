"""The sample flow of the demo: paid orders of the sample shop, mapped and sent to its warehouse in batches."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, update

from flowloom.services import connections, flows, graphs, releases, schedules, versions
from flowloom.services.actor import Actor
from flowloom.store import tables
from flowloom.store.secrets import Vault

NAME = "Paid orders to the warehouse"
SHOP = "Sample shop"
LOGIN = "demo-shop-key"
STEPS: tuple[dict[str, Any], ...] = (
    {
        "microservice": "connector",
        "name": "Get orders",
        "config": {
            "direction": "receive",
            "url": "/orders",
            "query": {"per_page": "50"},
            "path": "orders",
            "pagination": {"type": "next_url", "url_path": "next"},
        },
    },
    {
        "microservice": "filter",
        "name": "Paid ones",
        "config": {"where": {"field": "status", "operator": "equals", "value": "paid"}},
    },
    {
        "microservice": "map",
        "name": "As the warehouse wants them",
        "config": {
            "rules": [
                {"target": "reference", "source": "number"},
                {"target": "channel", "variable": "channel"},
                {"target": "ship_to.name", "source": "customer.name"},
                {
                    "target": "ship_to.country",
                    "source": "customer.country",
                    "transforms": [{"name": "upper"}],
                },
                {"target": "lines.*.sku", "source": "lines.*.sku"},
                {"target": "lines.*.quantity", "source": "lines.*.quantity"},
                {"target": "total", "source": "total"},
            ]
        },
    },
    {"microservice": "batch", "name": "Ten at a time", "config": {"size": 10}},
    {
        "microservice": "connector",
        "name": "Send to the warehouse",
        "config": {"direction": "send", "url": "/warehouse/orders", "method": "POST"},
    },
)


def plant(connection: Connection, actor: Actor, vault: Vault, shop_url: str) -> int:
    """Make the connection and the flow, deploy it with a schedule, and enable it; the flow's id."""
    shop = {
        "name": SHOP,
        "base_url": shop_url,
        "auth": {"type": "header", "name": "X-Shop-Key", "value": LOGIN},
    }
    connection_id = connections.create(connection, actor, vault, shop)["id"]
    about = "Every quarter of an hour, and whenever you start it."
    fields = {"name": NAME, "description": about, "is_enabled": True, "priority": 3, "labels": ["sample"]}
    flow_id = flows.create(connection, actor, fields)["id"]
    version_id = versions.of_flows(connection, [flow_id])[flow_id][0]["id"]
    graphs.set_variables(connection, actor, version_id, vault, {"channel": "webshop"}, None, None)
    _draw(connection, actor, version_id, connection_id)
    schedules.create(connection, actor, version_id, {"cron_string": "*/15 * * * *"})
    releases.deploy(connection, actor, flow_id, version_id, actor.at)
    return int(flow_id)


def move_shop(connection: Connection, shop_url: str) -> None:
    """Let the sample's connection lead to where the shop listens now: the port may be another one at each start."""
    table = tables.connections.c
    moved = update(tables.connections).where(table.name == SHOP, table.base_url.like("http://127.0.0.1:%"))
    connection.execute(moved.values(base_url=shop_url, allowed_hosts=[urlsplit(shop_url).netloc]))


def _draw(connection: Connection, actor: Actor, version_id: int, connection_id: int) -> None:
    drawn, _ = graphs.read(connection, actor, version_id)
    parent_id = drawn["steps"][0]["id"]
    for number, step in enumerate(STEPS, 1):
        config = dict(step["config"])
        if step["microservice"] == "connector":
            config["connection_id"] = connection_id
        position = {"x": 0.0, "y": 120.0 * number}
        fields = {**step, "config": config, "parent_id": parent_id, "position": position}
        parent_id = graphs.add_step(connection, actor, version_id, fields)["id"]
