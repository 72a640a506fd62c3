"""Writes web/src/api/contract.ts from the server's API document: its types, and what each operation takes and gives.

python web/generate.py          writes it
python web/generate.py --check  says whether it is fresh, by its exit code
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "src/api/contract.ts"
HEAD = """// Written by web/generate.py from /openapi.json; not by hand.

export type Id = string | number;
export type Value = string | number | boolean | undefined;

"""
PRIMITIVES = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
PREFIX = "#/components/schemas/"


def written() -> str:
    """The text of contract.ts."""
    document = json.loads(subprocess.check_output([sys.executable, "-m", "flowloom", "openapi"]))
    schemas = document["components"]["schemas"]
    types = [f"export type {_name(name)} = {_type(schema)};\n" for name, schema in sorted(schemas.items())]
    return (
        HEAD
        + "\n".join(types)
        + "\nexport const operations = {\n"
        + _routes(document)
        + "} as const;\n\n"
        + ("export type Operations = {\n" + "".join(_operations(document)) + "};\n")
    )


def _name(schema: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", schema))


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _name(schema["$ref"].removeprefix(PREFIX))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            joint = " & " if several == "allOf" else " | "
            return joint.join(dict.fromkeys(_type(one) for one in schema[several]))
    match schema.get("type"):
        case "array":
            return f"Array<{_type(schema.get('items', {}))}>"
        case "object":
            return _object(schema)
        case str(kind):
            return PRIMITIVES[kind]
        case list(kinds):
            return " | ".join(_type({**schema, "type": kind}) for kind in kinds)
    return "unknown"


def _object(schema: dict[str, Any]) -> str:
    properties = schema.get("properties")
    if not properties:
        values = schema.get("additionalProperties", True)
        return f"Record<string, {_type(values) if isinstance(values, dict) else 'unknown'}>"
    required = set(schema.get("required", ()))
    fields = (
        f"  {_key(name)}{'' if name in required else '?'}: {_type(field)};\n"
        for name, field in properties.items()
    )
    return "{\n" + "".join(fields) + "}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name)


def _each(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _routes(document: dict[str, Any]) -> str:
    return "".join(
        f"  {operation['operationId']}: [{json.dumps(method)}, {json.dumps(path)}],\n"
        for path, method, operation in _each(document)
    )


def _operations(document: dict[str, Any]) -> Iterator[str]:
    for _, _, operation in _each(document):
        parameters = operation.get("parameters", ())
        taken = {
            "path": _parameters(parameters, "path", "Id"),
            "query": _parameters(parameters, "query", "Value", "?"),
            "body": _body(operation.get("requestBody")),
            "answer": _body(operation["responses"].get("200")),
        }
        yield f"  {operation['operationId']}: {{ {' '.join(f'{part}: {kind};' for part, kind in taken.items())} }};\n"


def _parameters(parameters: Any, place: str, kind: str, mark: str = "") -> str:
    fields = [f"{_key(one['name'])}{mark}: {kind}" for one in parameters if one["in"] == place]
    return "{ " + "; ".join(fields) + " }" if fields else "undefined"


def _body(holder: dict[str, Any] | None) -> str:
    content = (holder or {}).get("content", {}).get("application/json")
    return "undefined" if content is None else _type(content.get("schema", {}))


if __name__ == "__main__":
    text = written()
    if "--check" in sys.argv:
        if not TARGET.exists() or TARGET.read_text() != text:
            sys.exit("web/src/api/contract.ts is not that of the API; run: make docs")
    else:
        TARGET.write_text(text)
