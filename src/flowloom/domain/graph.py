"""The graph of a version: a tree of steps under one trigger, some of them hanging on a route of their parent.

Run order is depth first: a step, then what follows it, route by route. The definition is the graph without ids,
by stable keys: what a content hash is taken of and what a run is pinned to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from flowloom import errors

TRIGGER: Final = "trigger"
CALLBACK: Final = "callback"


class Step(msgspec.Struct, kw_only=True):
    """A step of a version, as stored."""

    id: int
    key: str
    microservice: str
    name: str
    config: dict[str, Any]
    position: dict[str, float] | None = None
    parent_id: int | None = None
    flow_step_route_id: int | None = None
    is_enabled: bool = True
    variables: dict[str, Any] = msgspec.field(default_factory=dict)


class Route(msgspec.Struct, kw_only=True):
    """A way out of a step that has routes; `where` None takes everything."""

    id: int
    key: str
    flow_step_id: int
    name: str
    position: int
    where: dict[str, Any] | None = None


class StepDefinition(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A step in a definition; `parent` and `route` are keys."""

    key: str
    microservice: str
    name: str
    config: dict[str, Any]
    parent: str | None = None
    route: str | None = None
    position: dict[str, float] | None = None
    is_enabled: bool = True
    variables: dict[str, Any] = msgspec.field(default_factory=dict)


class RouteDefinition(msgspec.Struct, kw_only=True, omit_defaults=True):
    key: str
    step: str
    name: str
    where: dict[str, Any] | None = None


class Definition(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a run executes: steps in run order, routes in order, variables by name; of secrets the digests, by name."""

    steps: list[StepDefinition]
    routes: list[RouteDefinition]
    variables: dict[str, Any]
    secrets: dict[str, str] = msgspec.field(default_factory=dict)

    def changed_since(self, other: Definition) -> set[str]:
        """The keys of the steps that do something else here than in another definition, or are new.

        Another secret is no other work: what was sent with a password that has changed since is not sent again.
        """
        if self.variables != other.variables:
            return {step.key for step in self.steps}
        there = {step.key: other._behaviour(step) for step in other.steps}
        return {step.key for step in self.steps if there.get(step.key) != self._behaviour(step)}

    def _behaviour(self, step: StepDefinition) -> tuple[Any, ...]:
        """What a step does: all of it but its name and place on the canvas, and its routes."""
        plain = msgspec.structs.replace(step, name="", position=None)
        return plain, [(route.key, route.where) for route in self.routes if route.step == step.key]


class Graph:
    """The steps and routes of one version, by id."""

    def __init__(self, steps: Sequence[Step], routes: Sequence[Route]) -> None:
        self.steps = {step.id: step for step in steps}
        self.routes = {
            route.id: route for route in sorted(routes, key=lambda route: (route.position, route.id))
        }

    def require_step(self, id: int) -> Step:
        """The step with this id. Raises Missing."""
        if id not in self.steps:
            raise errors.Missing("Step", id)
        return self.steps[id]

    def children(self, step_id: int) -> list[Step]:
        """The steps that follow a step: those on no route first, then route by route, each by id."""
        rank = {route_id: index for index, route_id in enumerate(self.routes, 1)}
        found = [step for step in self.steps.values() if step.parent_id == step_id]
        return sorted(found, key=lambda step: (rank.get(step.flow_step_route_id or 0, 0), step.id))

    def routes_of(self, step_id: int) -> list[Route]:
        """The routes of a step, in order."""
        return [route for route in self.routes.values() if route.flow_step_id == step_id]

    @property
    def trigger(self) -> Step | None:
        return next((step for step in self.steps.values() if step.microservice == TRIGGER), None)

    def ordered(self) -> list[Step]:
        """All steps in run order; what the trigger does not reach comes last, by id."""
        reached = {step.id: step for step in self._walk()}
        return [*reached.values(), *(step for id, step in sorted(self.steps.items()) if id not in reached)]

    def _walk(self) -> Iterator[Step]:
        followers = self._followers()
        stack = [self.trigger] if self.trigger else []
        seen: set[int] = set()
        while stack:
            step = stack.pop()
            if step.id not in seen:
                seen.add(step.id)
                yield step
                stack.extend(reversed(followers.get(step.id, [])))

    def _followers(self) -> dict[int, list[Step]]:
        """children() of all steps at once."""
        rank = {route_id: index for index, route_id in enumerate(self.routes, 1)}
        followers: dict[int, list[Step]] = {}
        for step in sorted(self.steps.values(), key=lambda s: (rank.get(s.flow_step_route_id or 0, 0), s.id)):
            if step.parent_id is not None:
                followers.setdefault(step.parent_id, []).append(step)
        return followers

    def ancestors(self, step_id: int) -> Iterator[Step]:
        """The steps above a step, nearest first; ends where a cycle closes."""
        seen = {step_id}
        parent = self.steps[step_id].parent_id
        while parent is not None and parent not in seen and parent in self.steps:
            seen.add(parent)
            yield self.steps[parent]
            parent = self.steps[parent].parent_id

    def require_place(self, parent_id: int, route_id: int | None, *, moving: int | None = None) -> None:
        """Raise Invalid unless a step (the one with id `moving`, or a new one) may hang there."""
        if parent_id not in self.steps:
            raise errors.Invalid.field("parent_id", f"Step {parent_id} is not a step of this version.")
        if moving is not None and (
            parent_id == moving or moving in {s.id for s in self.ancestors(parent_id)}
        ):
            raise errors.Invalid.field("parent_id", "A step cannot follow itself or a step that follows it.")
        self._require_route(parent_id, route_id)

    def _require_route(self, parent_id: int, route_id: int | None) -> None:
        if route_id is None:
            return
        route = self.routes.get(route_id)
        if route is None or route.flow_step_id != parent_id:
            raise errors.Invalid.field(
                "flow_step_route_id", f"Route {route_id} is not a route of step {parent_id}."
            )

    def followers_at(self, parent_id: int, route_id: int | None) -> list[Step]:
        """The steps that hang at one place: those a new step put there would come before."""
        return [step for step in self.children(parent_id) if step.flow_step_route_id == route_id]

    def faults(self, has_routes: Mapping[str, bool]) -> dict[str, list[str]]:
        """What keeps this graph from running, by field. `has_routes` tells which step types have routes."""
        found: dict[str, list[str]] = {}
        triggers = [step for step in self.steps.values() if step.microservice == TRIGGER]
        if len(triggers) != 1:
            found["steps"] = [f"A version has exactly one trigger step; this one has {len(triggers)}."]
        reached = {step.id for step in self._walk()}
        for step in self.steps.values():
            fault = self._fault(step, reached, has_routes)
            if fault:
                found[f"steps.{step.id}.{fault[0]}"] = [f"{label(step)}: {fault[1]}"]
        return found

    def _fault(self, step: Step, reached: set[int], has_routes: Mapping[str, bool]) -> tuple[str, str] | None:
        if step.id not in reached:
            return "parent_id", "it does not hang on the trigger; set parent_id to a step of this version."
        if step.microservice == TRIGGER and step.parent_id is not None:
            return "parent_id", "the trigger is the first step and follows nothing."
        parent = self.steps.get(step.parent_id or 0)
        if parent and has_routes.get(parent.microservice) and step.flow_step_route_id is None:
            return "flow_step_route_id", f"it follows {label(parent)}; choose one of its routes."
        if has_routes.get(step.microservice) and not self.routes_of(step.id):
            return "routes", "it has no route; add at least one."
        return None

    def definition(self, variables: Mapping[str, Any], secrets: Mapping[str, str]) -> Definition:
        """The graph without ids, in run order; `secrets` are digests."""
        keys = {step.id: step.key for step in self.steps.values()}
        route_keys = {route.id: route.key for route in self.routes.values()}
        return Definition(
            steps=[_define_step(step, keys, route_keys) for step in self.ordered()],
            routes=[
                RouteDefinition(
                    key=route.key, step=keys[route.flow_step_id], name=route.name, where=route.where
                )
                for route in self.routes.values()
            ],
            variables=dict(variables),
            secrets=dict(secrets),
        )


def _define_step(step: Step, keys: Mapping[int, str], route_keys: Mapping[int, str]) -> StepDefinition:
    return StepDefinition(
        key=step.key,
        microservice=step.microservice,
        name=step.name,
        config=step.config,
        parent=keys.get(step.parent_id or 0),
        route=route_keys.get(step.flow_step_route_id or 0),
        position=step.position,
        is_enabled=step.is_enabled,
        variables=step.variables,
    )


def label(step: Step) -> str:
    """How messages name a step."""
    return f'Step {step.id} "{step.name}"'
