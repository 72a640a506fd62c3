"""A connector that tests share: a shop with a region, a token and two endpoints."""

from __future__ import annotations

import copy
from typing import Any

DOCUMENT: dict[str, Any] = {
    "base_url": "https://{{region}}.shop.example.com/v1",
    "auth": {"type": "header", "name": "X-Key"},
    "headers": {"X-Region": "{{region}}"},
    "timeout_seconds": 20,
    "variables": [
        {"name": "region", "default": "eu", "description": "Where the shop is"},
        {"name": "store"},
    ],
    "endpoints": [
        {
            "key": "orders.list",
            "name": "List orders",
            "direction": "receive",
            "path": "/stores/{{store}}/orders",
            "query": {"status": "open"},
            "pagination": {"type": "page", "size_param": "per_page", "size": 2},
            "records": "data",
        },
        {
            "key": "orders.create",
            "name": "Create an order",
            "direction": "send",
            "method": "PUT",
            "path": "/orders/[[payload.id]]",
            "headers": {"X-Store": "{{store}}"},
            "body": {"number": "[[payload.id]]", "store": "{{store}}"},
        },
    ],
}


def document(**fields: Any) -> dict[str, Any]:
    """The document, some of it set otherwise."""
    return {**copy.deepcopy(DOCUMENT), **fields}


def endpoint(**fields: Any) -> dict[str, Any]:
    """A document whose one endpoint is set so."""
    return document(endpoints=[{**DOCUMENT["endpoints"][0], **fields}])
