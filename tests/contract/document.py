"""The document of this server as a judge: an answer has the status, the type and exactly the keys it declares."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
from tests.contract.contract import pattern

METHODS = ("get", "post", "put", "patch", "delete")


class Document:
    """An OpenAPI 3.1 document; objects it describes are closed here, so that an undeclared key is found."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self._components = json.loads(json.dumps(spec["components"]))
        for schema in self._components["schemas"].values():
            _close(schema)
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def operations(self) -> list[tuple[str, str, dict[str, Any]]]:
        """All operations, as (method, path template, operation)."""
        return [
            (method.upper(), path, methods[method])
            for path, methods in self.spec["paths"].items()
            for method in METHODS
            if method in methods
        ]

    def find(self, method: str, path: str) -> dict[str, Any] | None:
        """The operation that a request is one of: of two templates the one with fewer parameters."""
        found = [
            (template.count("{"), operation)
            for wanted, template, operation in self.operations()
            if wanted == method and pattern(template).fullmatch(path)
        ]
        return min(found, key=lambda entry: entry[0])[1] if found else None

    def violations(self, method: str, path: str, status: int, content_type: str, body: bytes) -> list[str]:
        """What the document has against an answer; nothing for an operation it does not have."""
        operation = self.find(method, path)
        if operation is None:
            return []
        documented = operation["responses"].get(str(status), operation["responses"].get("default"))
        if documented is None:
            return [f"status {status} is not documented"]
        media_type = content_type.partition(";")[0]
        content = documented.get("content", {})
        if media_type not in content:
            return (
                [] if "*/*" in content else [f"{media_type} is not documented for {status}: {list(content)}"]
            )
        schema = content[media_type].get("schema")
        return self._faults(schema, json.loads(body)) if schema else []

    def _faults(self, schema: dict[str, Any], value: object) -> list[str]:
        key = json.dumps(schema)
        if key not in self._validators:
            complete = {**json.loads(key), "components": self._components}
            self._validators[key] = jsonschema_rs.Draft202012Validator(complete, validate_formats=True)
        found = self._validators[key].iter_errors(value)
        return [f"{'.'.join(map(str, fault.instance_path))}: {fault.message[:300]}" for fault in found]


def _close(schema: Any) -> None:
    if isinstance(schema, list):
        for part in schema:
            _close(part)
    elif isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            _close(part)


_known: list[Document] = []


def of(app: Any) -> Document:
    """The document of an app; all apps of one process have the same."""
    if not _known:
        _known.append(Document(app.state.document()))
    return _known[0]
