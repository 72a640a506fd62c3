"""Documents that hold a flow: their shape, and everything that one must satisfy before a flow is made of it.

A document comes from anywhere, so nothing of it is believed: types, lengths, keys, configs, conditions and
crons are checked here, and each complaint names the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal

import msgspec

from flowloom import errors
from flowloom.domain import conditions, graph, templates
from flowloom.services import graphs, schedules, secret_variables
from flowloom.steps import registry

FORMAT: Final = "flowloom.flow"
FORMAT_VERSION: Final = 1
MAX_NAME: Final = 255
_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_PLACE = re.compile(r" - at `.*?\$\.?(?P<place>[^`]*)`$")
_MISSING = re.compile(r"Object missing required field `(?P<name>.+)`")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
SecretName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,200}$")]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Flow(msgspec.Struct, kw_only=True):
    """The flow itself."""

    name: Name
    description: Annotated[str, msgspec.Meta(max_length=10_000)] = ""
    priority: Annotated[int, msgspec.Meta(ge=1, le=5)] = 3
    labels: Annotated[list[Label], msgspec.Meta(max_length=50)] = []
    concurrency: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    concurrency_key: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None
    run_timeout_seconds: Annotated[int, msgspec.Meta(ge=1, le=604_800)] | None = None


class Schedule(msgspec.Struct, kw_only=True):
    """A schedule of its version."""

    cron_string: str
    timezone: str = "UTC"
    overlap: Literal["skip", "queue", "allow"] = "queue"
    catch_up: Literal["none", "latest", "all"] = "latest"
    jitter_seconds: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 0
    dst_gap: Literal["skip", "next"] = "next"
    dst_repeat: Literal["first", "second", "both"] = "first"


class Document(msgspec.Struct, kw_only=True):
    """A flow with one version of it."""

    format: str = FORMAT
    format_version: int = FORMAT_VERSION
    flow: Flow
    definition: graph.Definition
    schedules: Annotated[list[Schedule], msgspec.Meta(max_length=schedules.MAX_SCHEDULES)] = []
    # The names of the secrets that its steps use; their values never leave the server.
    secrets: Annotated[list[SecretName], msgspec.Meta(max_length=secret_variables.MAX_SECRETS)] = []


# Made at import, as every typed decoder: see store/definitions.py.
_DOCUMENTS: Final = msgspec.json.Decoder(Document)


def read(document: Mapping[str, Any]) -> Document:
    """The document, its steps sorted so that each comes after its parent. Raises Invalid naming the place."""
    _require_format(document)
    try:
        found = _DOCUMENTS.decode(msgspec.json.encode(dict(document)))
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None
    if _NUL.search(msgspec.json.encode(found)):
        raise errors.Invalid.field("document", "A text in the document holds a NUL character; remove it.")
    with _at("flow", "Flow"):
        found.flow.name = _name(found.flow.name)
        if found.flow.concurrency_key is not None:
            templates.compile(found.flow.concurrency_key, "concurrency_key")
    _require_variables("definition", found.definition.variables)
    found.definition.secrets = {}
    _check_steps(found.definition)
    _check_routes(found.definition)
    for number, schedule in enumerate(found.schedules):
        with _at(f"schedules.{number}", f"Schedule {number + 1}"):
            schedules.timetable(msgspec.to_builtins(schedule))
    found.definition.steps = _parents_first(found.definition.steps)
    return found


def _require_format(document: Mapping[str, Any]) -> None:
    if document.get("format") != FORMAT:
        raise errors.Invalid.field(
            "format", f"The format must be '{FORMAT}': the document is no exported flow."
        )
    if document.get("format_version") != FORMAT_VERSION:
        raise errors.Invalid.field(
            "format_version", f"Format version {FORMAT_VERSION} is read here; export the flow again."
        )


def _explained(text: str) -> errors.Invalid:
    """msgspec's message, its place as a dotted field."""
    found = _PLACE.search(text)
    place = re.sub(r"\[(\d+|\.\.\.)\]", r".\1", found["place"]).replace("....", ".") if found else ""
    words = text[: found.start()] if found else text
    missing = _MISSING.match(words)
    if missing is not None:
        place, words = f"{place}.{missing['name']}".lstrip("."), "This field is required"
    field = place.strip(".") or "document"
    return errors.Invalid.field(field, f"{field}: {words}.")


@contextmanager
def _at(place: str, label: str) -> Iterator[None]:
    """Put the place before the fields, and the label before the messages, of what is invalid inside."""
    try:
        yield
    except errors.Invalid as invalid:
        raise errors.Invalid(
            {
                f"{place}.{name}": [f"{label}: {text}" for text in texts]
                for name, texts in invalid.errors.items()
            }
        ) from None


def _check_steps(definition: graph.Definition) -> None:
    steps = definition.steps
    if len(steps) > graphs.MAX_STEPS:
        raise errors.Invalid.field("definition.steps", f"A version has at most {graphs.MAX_STEPS} steps.")
    triggers = [step for step in steps if step.microservice == graph.TRIGGER]
    if len(triggers) != 1 or triggers[0].parent is not None:
        raise errors.Invalid.field(
            "definition.steps", "A version has exactly one trigger step, which follows nothing."
        )
    _require_unique_keys("definition.steps", [step.key for step in steps])
    keys = {step.key for step in steps}
    routes = {route.key: route for route in definition.routes}
    for number, step in enumerate(steps):
        with _at(f"definition.steps.{number}", f'Step "{step.key}"'):
            _check_step(step)
            _require_place(step, keys, routes)


def _check_step(step: graph.StepDefinition) -> None:
    step.name = _name(step.name)
    _require_variables("", step.variables)
    templates.compile_tree(step.variables, "variables")
    if step.position is not None and step.position.keys() != {"x", "y"}:
        raise errors.Invalid.field("position", "The position on the canvas is {x, y}, or null.")
    registry.require_bounded(step.config)
    registry.check(registry.get(step.microservice), step.config)


def _require_place(
    step: graph.StepDefinition, keys: set[str], routes: Mapping[str, graph.RouteDefinition]
) -> None:
    if step.parent is not None and step.parent not in keys:
        raise errors.Invalid.field("parent", f"There is no step with the key '{step.parent}' to follow.")
    if step.route is None:
        return
    route = routes.get(step.route)
    if route is None or route.step != step.parent:
        raise errors.Invalid.field("route", f"The step it follows has no route with the key '{step.route}'.")


def _check_routes(definition: graph.Definition) -> None:
    routes = definition.routes
    if len(routes) > graphs.MAX_STEPS:
        raise errors.Invalid.field("definition.routes", f"A version has at most {graphs.MAX_STEPS} routes.")
    _require_unique_keys("definition.routes", [route.key for route in routes])
    steps = {step.key: step for step in definition.steps}
    seen: set[tuple[str, str]] = set()
    for number, route in enumerate(routes):
        with _at(f"definition.routes.{number}", f'Route "{route.key}"'):
            _check_route(route, steps.get(route.step))
            if (route.step, route.name) in seen:
                raise errors.Invalid.field("name", f"Another route of this step is called '{route.name}'.")
        seen.add((route.step, route.name))


def _check_route(route: graph.RouteDefinition, step: graph.StepDefinition | None) -> None:
    route.name = _name(route.name)
    if step is None:
        raise errors.Invalid.field("step", f"There is no step with the key '{route.step}'.")
    if not registry.get(step.microservice).has_routes:
        raise errors.Invalid.field("step", f"A {step.microservice} step has no routes.")
    if route.where is not None:
        conditions.compile(route.where)


def _require_unique_keys(place: str, keys: Sequence[str]) -> None:
    seen: set[str] = set()
    for number, key in enumerate(keys):
        if not _KEY.fullmatch(key):
            raise errors.Invalid.field(
                f"{place}.{number}.key", "A key has 1 to 40 letters, digits, '-' and '_'."
            )
        if key in seen:
            raise errors.Invalid.field(f"{place}.{number}.key", f"The key '{key}' is there twice.")
        seen.add(key)


def _name(text: str) -> str:
    """The name without white space around it. Raises Invalid."""
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise errors.Invalid.field("name", f"A name has 1 to {MAX_NAME} characters, not only white space.")
    return name


def _require_variables(place: str, variables: Mapping[str, Any]) -> None:
    registry.require_bounded(variables, f"{place}.variables".lstrip("."))
    for name in variables:
        if not templates.is_variable_name(name):
            field = f"{place}.variables.{name[:50]}".lstrip(".")
            raise errors.Invalid.field(field, "A variable's name has letters, digits, '_', '-' and '.' only.")


def _parents_first(steps: Sequence[graph.StepDefinition]) -> list[graph.StepDefinition]:
    """The steps depth first, from each that hangs on nothing. Raises Invalid for a cycle."""
    followers: dict[str | None, list[graph.StepDefinition]] = {}
    for step in steps:
        followers.setdefault(step.parent, []).append(step)
    found: list[graph.StepDefinition] = []
    stack = followers.get(None, [])[::-1]
    while stack:
        found.append(stack.pop())
        stack.extend(reversed(followers.get(found[-1].key, [])))
    reached = {step.key for step in found}
    for number, step in enumerate(steps):
        if step.key not in reached:
            raise errors.Invalid.field(
                f"definition.steps.{number}.parent",
                f'Step "{step.key}" follows itself, by way of its parents.',
            )
    return found
