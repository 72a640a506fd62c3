"""Writes docs/reference from the code: the API, settings, step types, transforms, conditions and commands.

Run it with `make docs`; a test fails while a page is not what the code says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import typer.main

from flowloom import cli, settings
from flowloom.api import app as application
from flowloom.domain import comparison, transforms
from flowloom.engine import telemetry
from flowloom.steps import registry

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py; change the code, then run `make docs`. -->"
NAMES = ("api.md", "settings.md", "step-types.md", "transforms.md", "conditions.md", "cli.md")
TAKES = {
    "nothing": "none",
    "value": "a value",
    "list": "a list",
    "pair": "a list of two: low and high, both included",
    "pattern": "a regular expression (RE2: linear time, no backreferences)",
    "date": "an ISO date or time, or one seen from now: `now`, `yesterday`, `-7 days`",
}


@cache
def pages() -> dict[str, str]:
    """Every page of the reference: its text by file name."""
    made = (
        api(application.document()),
        settings_page(),
        step_types(),
        transforms_page(),
        conditions(),
        commands(),
    )
    return {name: f"{NOTE}\n\n{text.strip()}\n" for name, text in zip(NAMES, made, strict=True)}


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, or nothing without rows."""
    if not rows:
        return ""
    lines = [heads, ["---"] * len(heads), *[[_cell(cell) for cell in row] for row in rows]]
    return "\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(value: object) -> str:
    return f"`{value}`" if value not in ("", None) else ""


def as_json(value: object) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def api(document: Mapping[str, Any]) -> str:
    """Every operation, by tag, with its role, query parameters and body."""
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            text = _operation(document, f"{method.upper()} {path}", operation)
            by_tag.setdefault(operation["tags"][0], []).append(text)
    sections = "".join(f"\n## {tag}\n\n{''.join(found)}" for tag, found in by_tag.items())
    return f"""# API

The whole document, with every model, is served at `/openapi.json`. All answers are JSON: `{{"data": ...}}`, lists
with `meta` and `links`; failures `{{"message": ..., "errors"?: {{field: [...]}}}}`. Send an API key, or `Bearer` and a
token, in the `Authorization` header. Each operation names the lowest role that may call it
(read-only < user < manager < administrator; an API key acts as manager).
{sections}"""


def _operation(document: Mapping[str, Any], title: str, operation: Mapping[str, Any]) -> str:
    asked = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
    parameters = [(code(one["name"]), one.get("description", "")) for one in asked]
    about = operation.get("description", "").rstrip(".")
    return (
        f"### {title}\n\n{operation['summary']}. Role: {operation['x-role']}.\n"
        + (f"\n{about}.\n" if about not in ("", operation["summary"]) else "")
        + table(["query", "meaning"], parameters)
        + table(["body", "type", "meaning"], _body_rows(document, operation))
        + "\n"
    )


def _body_rows(document: Mapping[str, Any], operation: Mapping[str, Any]) -> list[list[str]]:
    content = operation.get("requestBody", {}).get("content", {})
    if "*/*" in content:
        return [["the payload", "any content type", "Kept as it comes; JSON is checked"]]
    schema = content.get("application/json", {}).get("schema", {})
    model = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
    return list(_fields(model))


def _fields(schema: Mapping[str, Any]) -> Iterator[list[str]]:
    """A row for each field of an object: name, type and default, meaning."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        kind = _kind(field) + (", required" if name in required else "")
        if field.get("default") not in (None, {}, []):
            kind += f", default {as_json(field['default'])}"
        yield [code(name), kind, field.get("description", "")]


def _kind(field: Mapping[str, Any]) -> str:
    """The type of a field, in words."""
    if "$ref" in field:
        return str(field["$ref"].rpartition("/")[2]).replace("JsonValue", "any JSON")
    if "const" in field:
        return as_json(field["const"])
    if "enum" in field:
        return ", ".join(as_json(value) for value in field["enum"])
    members = field.get("anyOf") or field.get("oneOf")
    if members:
        return " or ".join(dict.fromkeys(_kind(one) for one in members if one.get("type") != "null"))
    if field.get("type") == "array":
        return f"list of {_kind(field.get('items', {}))}"
    kind = field.get("type", "any")
    return f"{' or '.join(kind) if isinstance(kind, list) else kind}{_bounds(field)}"


def _bounds(field: Mapping[str, Any]) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is None and high is None:
        return ""
    return (
        f" from {low:g}" + (f" to {high:.15g}" if high is not None else "")
        if low is not None
        else f" to {high:g}"
    )


def settings_page() -> str:
    rows = [
        [code(one["env"]), code(one["default"]), one["description"]]
        for one in sorted(settings.describe(), key=lambda one: one["env"])
    ]
    traces = [[code(name), code(default), meaning] for name, default, meaning in telemetry.VARIABLES]
    secrets = ", ".join(f"`{settings.env_name(name)}_FILE`" for name in sorted(settings.SECRETS))
    return f"""# Settings

Every setting is an environment variable. `flowloom serve` and `flowloom demo` also take `--host`, `--port`,
`--data-dir` and `--database-url`, which win. A secret may stand in a file instead: {secrets}.
{table(["variable", "default", "meaning"], rows)}
## Traces

Whether and where [runs are traced](../how-to/trace.md) is said by OpenTelemetry's own variables; these hold, and all
others that its SDK for Python knows.
{table(["variable", "default", "meaning"], traces)}"""


def step_types() -> str:
    return "# Step types\n\nThe `microservice` of a step is its type.\n" + "".join(
        _step_type(one) for one in registry.describe()
    )


def _step_type(one: Mapping[str, Any]) -> str:
    schema = one["schema"]
    inner = [
        f"\n**{name}**: {model.get('description', '')}\n{table(['key', 'type', 'meaning'], list(_fields(model)))}"
        for name, model in schema.get("$defs", {}).items()
        if "properties" in model
    ]
    examples = "".join(_example(example) for example in one["examples"])
    return (
        f"\n## {one['microservice']}\n\n{one['help']}\n\n*When it fails*: {one['failure']}\n"
        f"{table(['config', 'type', 'meaning'], list(_fields(schema)))}{''.join(inner)}{examples}"
    )


def _example(example: Mapping[str, Any]) -> str:
    shown: dict[str, Any] = {"config": example["config"]}
    for name, label in (("variables", "variables"), ("payloads", "in"), ("expect", "out")):
        if example[name]:
            shown[label] = example[name]
    lines = "\n".join(f"{label}: {json.dumps(value, ensure_ascii=False)}" for label, value in shown.items())
    return f"\n{example['title']}:\n\n```\n{lines}\n```\n"


def transforms_page() -> str:
    rows = [
        [code(one["name"]), ", ".join(_argument(argument) for argument in one["arguments"]), one["help"]]
        for one in transforms.describe()
    ]
    return f"""# Transforms

A map rule's `transforms` is a list of `{{"name": ..., argument: ...}}`, worked in order, at most
{transforms.MAX_TRANSFORMS}. A missing or null value passes through as it is, but for `default`, `lookup`, `boolean` and
`count`. Data that a transform cannot work on fails the step, naming the transform and what it got.
{table(["name", "arguments", "gives"], rows)}"""


def _argument(argument: Mapping[str, Any]) -> str:
    kind = " / ".join(as_json(choice) for choice in argument.get("choices", ())) or argument["kind"]
    end = " (required)" if argument["required"] else f" = {as_json(argument['default'])}"
    return f"`{argument['name']}` {kind}{end}"


def conditions() -> str:
    rows = [[code(name), TAKES[one.takes]] for name, one in comparison.OPERATORS.items()]
    rules = (comparison.__doc__ or "").split("\n\n")[1]
    return f"""# Conditions

A condition is `{{"field", "operator", "value"}}`, or a group `{{"all": [...]}}`, `{{"any": [...]}}` or
`{{"not": [...]}}` (none of them may hold) of conditions. `field` is a path in the record, `.` the record itself, or a
template such as `[[meta.key]]`; `value` may hold templates. With `*` in the field any of its values satisfies; a
negative operator asks that none does the opposite. Dates seen from now count from when the run was queued.
{table(["operator", "value"], rows)}
{rules}
"""


def commands() -> str:
    root = typer.main.get_command(cli.app)
    codes: dict[int, list[str]] = {}
    for kind, number in cli.EXIT_CODES.items():
        codes.setdefault(number, []).append(kind.replace("_", " "))
    rows = [["0", "done"], ["1", "failed inside"], ["2", "wrong usage"]]
    rows += [[str(number), ", ".join(kinds)] for number, kinds in sorted(codes.items())]
    return f"""# Commands

`python -m flowloom` is the same as `flowloom`. What went wrong is said in one line on standard error.
{table(["exit code", "meaning"], rows)}{"".join(_commands(root, "flowloom"))}"""


def _commands(command: Any, path: str) -> Iterator[str]:
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from _commands(inner, f"{path} {name}")
        return
    arguments = "".join(f" {one.name.upper()}" for one in command.params if not one.opts[0].startswith("-"))
    rows = [
        [code(one.opts[0] if one.opts[0].startswith("-") else one.name.upper()), one.help or ""]
        for one in command.params
    ]
    yield f"\n## {path}{arguments}\n\n{command.help}\n{table(['option', 'meaning'], rows)}"


def main() -> None:
    """Write the pages."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
