"""A plan: a version's definition compiled once into steps that can run, cached by content hash."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from flowloom import errors
from flowloom.domain import graph, templates
from flowloom.steps import contract, registry
from flowloom.store import definitions

CACHED_PLANS = 512


@dataclass(slots=True)
class PlanStep:
    """A step ready to run and what follows it: `next` on no route, `legs` by route key."""

    key: str
    name: str
    microservice: str
    index: int
    compiled: contract.Compiled
    has_routes: bool
    routes_in_order: bool
    is_enabled: bool
    variables: templates.Tree | None
    # The try-catch that takes a payload which fails here.
    guard: PlanStep | None = None
    next: list[PlanStep] = field(default_factory=list)
    legs: dict[str, list[PlanStep]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a run begins, its first variables, and every step by key; the lookup tables and connections that these use,
    whether one claims keys of a data pool, and whether there are secrets to go with it."""

    trigger: PlanStep
    variables: Mapping[str, Any]
    steps: Mapping[str, PlanStep]
    lookups: frozenset[str]
    claims_keys: bool
    connections: frozenset[int]
    has_secrets: bool

    def require(self, key: str | None) -> PlanStep:
        """The step to begin with, the trigger unless another is named. Raises errors.Missing."""
        if key is None:
            return self.trigger
        if key not in self.steps:
            raise errors.Missing("Step", key)
        return self.steps[key]

    def has(self, microservice: str) -> bool:
        """Whether a step of this type is in it."""
        return any(step.microservice == microservice for step in self.steps.values())


def load(connection: Connection, content_hash: str) -> Plan:
    """The plan of a kept definition, compiled where it is read: in a thread. Raises errors.Missing, errors.Invalid."""
    return compile(definitions.load(connection, content_hash))


def compile(definition: graph.Definition) -> Plan:
    """Compile a definition. Raises errors.Invalid, naming step and field, for one that cannot run."""
    steps: dict[str, PlanStep] = {}
    for index, step in enumerate(definition.steps):
        steps[step.key] = compile_step(step, index, definition)
        _attach(steps, step)
    trigger = next((step for step in steps.values() if step.microservice == graph.TRIGGER), None)
    if trigger is None:
        raise errors.Invalid.field("steps", "A version has exactly one trigger step; this one has none.")
    lookups = frozenset(name for step in steps.values() for name in step.compiled.lookups)
    claims_keys = any(step.compiled.pool is not None for step in steps.values())
    used = (step.config.get("connection_id") for step in definition.steps)
    connections = frozenset(id for id in used if isinstance(id, int))
    has_secrets = bool(definition.secrets)
    return Plan(trigger, definition.variables, steps, lookups, claims_keys, connections, has_secrets)


def _attach(steps: Mapping[str, PlanStep], step: graph.StepDefinition) -> None:
    if step.parent is None:
        return
    parent = steps[step.parent]
    followers = parent.next if step.route is None else parent.legs.setdefault(step.route, [])
    followers.append(steps[step.key])
    is_tried = parent.compiled.catch not in (None, step.route)
    steps[step.key].guard = parent if is_tried else parent.guard


def compile_step(step: graph.StepDefinition, index: int, definition: graph.Definition) -> PlanStep:
    """A step of a definition, with nothing attached. Raises errors.Invalid, naming step and field."""
    step_type = registry.get(step.microservice)
    config, problems = registry.check(step_type, step.config)
    if config is None:
        raise errors.Invalid({f"steps.{step.key}.{name}": words for name, words in problems.items()})
    return PlanStep(
        key=step.key,
        name=step.name,
        microservice=step.microservice,
        index=index,
        compiled=step_type.compile(config, _legs(step.key, definition.routes)),
        has_routes=step_type.has_routes,
        routes_in_order=step_type.routes_in_order,
        is_enabled=step.is_enabled,
        variables=templates.compile_tree(step.variables) if step.variables else None,
    )


def _legs(step_key: str, routes: Sequence[graph.RouteDefinition]) -> list[contract.Leg]:
    return [contract.Leg(route.key, route.name, route.where) for route in routes if route.step == step_key]


class Plans:
    """The plans of the versions that run, the least recently used going first."""

    def __init__(self) -> None:
        self._plans: OrderedDict[str, Plan] = OrderedDict()

    def get(self, content_hash: str) -> Plan | None:
        plan = self._plans.get(content_hash)
        if plan is not None:
            self._plans.move_to_end(content_hash)
        return plan

    def add(self, content_hash: str, plan: Plan) -> Plan:
        """Keep a plan; the same plan."""
        self._plans[content_hash] = plan
        if len(self._plans) > CACHED_PLANS:
            self._plans.popitem(last=False)
        return plan
