"""The models of a version's graph: its steps, routes and variables as they are edited. See `schemas`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from flowloom.api import schemas, schemas_runs


class StepCreate(schemas.Body):
    microservice: str
    name: schemas.Name | None = None
    config: dict[str, Any] = {}
    parent_id: schemas.RecordId
    flow_step_route_id: schemas.RecordId | None = None
    position: schemas.Position | None = None
    is_enabled: bool = Field(
        default=True,
        description="False: payloads pass the step as they are; at one with routes they end, no route gets them",
    )
    variables: dict[str, Any] = {}
    beside: bool = Field(
        default=False, description="Put it beside what follows the parent there, instead of before it"
    )
    key: str | None = Field(
        default=None,
        pattern=r"^[a-z-]{1,31}-[0-9a-f]{8}$",
        description="That of a step which was deleted and comes back: whatever knew it by its key knows it again",
    )


class StepUpdate(schemas.Body):
    """Read-only keys of a step are ignored; any other key is refused."""

    NULLABLE: ClassVar = ("parent_id", "flow_step_route_id")
    # What a step's answer holds and a client may send back with it.
    READ_ONLY: ClassVar = [
        "id",
        "key",
        "flow_version_id",
        "microservice",
        "problems",
        "created_at",
        "updated_at",
    ]

    name: schemas.Name | None = None
    config: dict[str, Any] | None = None
    position: schemas.Position | None = None
    parent_id: schemas.RecordId | None = None
    flow_step_route_id: schemas.RecordId | None = None
    variables: dict[str, Any] | None = None
    is_enabled: bool | None = None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        made = handler(schema)
        shown = handler.resolve_ref_schema(made)
        for name, field in shown["properties"].items():
            del field["default"]
            if name not in cls.NULLABLE:
                field.update(field.pop("anyOf")[0])
        shown["properties"] |= {name: {"description": "Ignored"} for name in cls.READ_ONLY}
        shown["additionalProperties"] = False
        return made


class RouteFields(schemas.Body):
    name: schemas.Name | None = None
    position: int | None = Field(default=None, ge=0, le=10_000)
    where: dict[str, Any] | None = None


class RouteCreate(RouteFields):
    name: schemas.Name


class StepTry(schemas.Body):
    payload: Any = Field(
        default=None, description="A JSON value, or the text of another content type; 1 MB at most"
    )
    content_type: str = Field(default="application/json", min_length=3, max_length=200)
    meta: dict[str, str] = {}
    config: dict[str, Any] | None = Field(
        default=None, description="Tried instead of the step's own config, without saving it"
    )
    variables: dict[str, Any] = Field(
        default={}, description="Besides those of the version, or instead of them"
    )


class TriedPayload(schemas_runs.StepPayload):
    """A payload that a tried step gave on."""

    route: str | None = Field(default=None, description="The name of the route that it went to")


class TryLog(schemas.Record):
    level: str
    message: str


class TryFailure(schemas.Record):
    message: str
    error_class: str


class Tried(schemas.Record):
    """What a step made of a payload that it was tried on."""

    payloads: list[TriedPayload] = Field(description="The first 25 of them")
    payloads_count: int
    variables: dict[str, Any] = Field(description="As they are after the step")
    logs: list[TryLog]
    failure: TryFailure | None = Field(default=None, description="Why the step failed, if it did")


class Variables(schemas.Body):
    variables: dict[str, Any] = Field(description="All variables of the version, by name")
    secrets: dict[str, str | None] | None = Field(
        default=None,
        description="All secrets of the version, by name: 8 to 10,000 characters each, or null to keep a value. "
        "Left out, they stay as they are",
    )


class VariablesAnswer(schemas.Record):
    data: dict[str, Any] = Field(description="The variables, by name")
    secrets: list[str] = Field(description="The names of the secrets; their values are never answered")


class Graph(schemas.Record):
    steps: list[schemas.Step]
    routes: list[schemas.Route]
    version: schemas.Version


class StepExample(schemas.Record):
    title: str
    config: dict[str, Any]
    payloads: list[Any]
    expect: list[Any] | None = Field(description="What comes out; null where that depends on the world")
    variables: dict[str, Any]


class StepType(schemas.Record):
    """A type of step: its texts, the form of its config, and examples."""

    microservice: str
    title: str
    help: str
    failure: str
    has_routes: bool
    schema_: dict[str, Any] = Field(alias="schema", description="JSON Schema of the config")
    examples: list[StepExample]
