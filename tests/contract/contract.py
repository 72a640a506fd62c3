"""The published contract as a judge: what it says of an answer, verbatim, as strict OpenAPI 3.0.

A null where the document does not say `nullable` fails, as do a wrong type, enum value, date or URI. The statuses
that the document leaves out are our own, and every failure has the document's ErrorResponse as its body.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openapi_schema_validator import OAS30Validator, oas30_format_checker

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent / "flow-versions.openapi.json").read_text())
OUR_STATUSES = frozenset({400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503})
ERROR = {"$ref": "#/components/schemas/ErrorResponse"}


@oas30_format_checker.checks("uri")
def is_uri(value: object) -> bool:
    """Whether a text is an absolute URI in the characters that RFC 3986 allows."""
    if not isinstance(value, str):
        return True
    parts = urlsplit(value)
    return (
        bool(parts.scheme and parts.netloc) and re.fullmatch(r"[!#-;=?-\[\]_a-z~]+", value, re.I) is not None
    )


def operations() -> list[tuple[str, str]]:
    """The 13 operations, as (method, path template)."""
    return [(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods]


def violations(method: str, path: str, status: int, body: bytes) -> list[str]:
    """What the contract has against an answer to `method path`; nothing for an operation it does not have."""
    operation = find(method, path)
    if operation is None:
        return []
    documented = operation["responses"].get(str(status))
    if documented is None and status not in OUR_STATUSES:
        return [f"status {status} is neither documented nor ours"]
    content = (documented or {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", ERROR if status >= 400 else {})
    return faults(schema, json.loads(body))


def find(method: str, path: str) -> dict[str, Any] | None:
    """The operation that a request is one of."""
    for template, methods in DOCUMENT["paths"].items():
        if method.lower() in methods and pattern(template).fullmatch(path):
            found: dict[str, Any] = methods[method.lower()]
            return found
    return None


@cache
def pattern(template: str) -> re.Pattern[str]:
    """Matches the paths of a template: `{name}` is one segment."""
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)))


def faults(schema: dict[str, Any], value: object) -> list[str]:
    """Where a value breaks a schema of the contract."""
    found = _validator(json.dumps(schema)).iter_errors(value)
    return [f"{'.'.join(map(str, fault.absolute_path))}: {fault.message[:300]}" for fault in found]


@cache
def _validator(schema: str) -> Any:
    complete = {**json.loads(schema), "components": DOCUMENT["components"]}
    if "$ref" in complete:
        complete = {"allOf": [{"$ref": complete.pop("$ref")}], **complete}
    return OAS30Validator(complete, format_checker=oas30_format_checker)
