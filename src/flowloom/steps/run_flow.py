"""The run-flow step: starts another flow, for each payload or once for the bucket, and waits for it if asked to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from msgspec.structs import replace
from pydantic import Field

from flowloom import errors
from flowloom.domain import run as runs
from flowloom.domain import templates
from flowloom.domain.payload import Payload
from flowloom.steps import contract

# A child's end wakes whoever waits for it; a wake that is lost costs no more than this.
LOOK_AGAIN: Final = timedelta(seconds=60)
STOPS_WITHIN: Final = timedelta(seconds=1)


class RunFlow(contract.Config):
    flow_id: int = Field(ge=1, description="Id of the flow to start.")
    version_id: int | None = Field(
        None, ge=1, description="Id of the version to run; unset, the one that is Deployed at that moment."
    )
    per: Literal["payload", "bucket"] = Field(
        "payload", description="payload: a run for each; bucket: one run, whose payload is the list of them."
    )
    wait: bool = Field(False, description="Whether to go on only after the started run has ended.")
    parallel: int = Field(
        10, ge=1, le=1000, description="How many of the runs started here may be worked on at the same time."
    )
    variables: dict[str, Any] = Field(
        default_factory=dict,
        max_length=200,
        description="Variables that the started run gets, by name; templates are filled in here.",
        json_schema_extra={"x-template": True},
    )


def compile(config: RunFlow, legs: Sequence[contract.Leg]) -> contract.Compiled:
    """Raises errors.Invalid on the variable whose name or template is wrong."""
    for name in config.variables:
        if not templates.is_variable_name(name):
            message = f"'{name}' is no variable name; it has letters, digits, '_', '-' and '.' only."
            raise errors.Invalid.field(f"variables.{name[:50]}", message)
    variables = {
        name: templates.compile_tree(value, f"variables.{name}") for name, value in config.variables.items()
    }

    def child(context: contract.Context, payload: Payload) -> contract.Child:
        scope = context.scope(payload)
        filled = {name: tree.value(scope) for name, tree in variables.items()}
        return contract.Child(
            config.flow_id, config.version_id, payload, filled, config.wait, config.parallel
        )

    async def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        if context.waited is not None:
            return _result(config, context, payload, await context.child(context.waited))
        state = await context.start_child(child(context, payload))
        return _result(config, context, payload, state) if config.wait else _done(payload, state.run_id)

    return contract.Compiled(run, effect=True, once=config.per == "bucket")


def _result(
    config: RunFlow, context: contract.Context, payload: Payload, state: contract.ChildState
) -> contract.Outcome:
    """What a started run came to, or that it goes on."""
    if not runs.is_finished(state.status):
        return _waiting(config, context, state)
    status = runs.Status(state.status)
    if status in (runs.Status.SUCCESS, runs.Status.PARTIAL):
        return _done(state.answer or payload, state.run_id, payload, status)
    why = f"Run {state.run_id} of flow {config.flow_id} ended as {status.name.lower()}"
    return contract.Fail(f"{why}: {state.message}" if state.message else f"{why}.", "child")


def _waiting(config: RunFlow, context: contract.Context, state: contract.ChildState) -> contract.Wait:
    why = f"Waits for run {state.run_id} of flow {config.flow_id}."
    if state.is_stopping:
        # Without a state the step begins anew, and does it again.
        until = context.clock_now + STOPS_WITHIN
        return contract.Wait(f"{why[:-1]} to stop.", until, None, child_id=state.run_id)
    until = context.clock_now + LOOK_AGAIN
    return contract.Wait(why, until, state.run_id, child_id=state.run_id, for_child=state.wakes_parent)


def _done(
    made: Payload, run_id: int, incoming: Payload | None = None, status: runs.Status | None = None
) -> contract.Done:
    incoming = incoming or made
    about = {"child_flow_run_id": str(run_id)}
    if status is not None:
        about["child_status"] = status.name.lower()
    meta = {**incoming.meta, **made.meta, **about}
    return contract.Done([replace(made, meta=meta, position=incoming.position)])


TYPE = contract.StepType(
    microservice="run-flow",
    title="Run flow",
    help=(
        "Starts another flow with the payload, its meta and the variables named here. Without `wait` the "
        "payload goes on at once; with it, when the started run has ended, and is then what that run's callback "
        "step answered, if it did. `child_flow_run_id` (and `child_status`) stand in its meta. Flows that would "
        "start each other in a circle cannot be deployed."
    ),
    failure=(
        "A flow that is missing, disabled or not deployed fails the payload; with `wait`, so does a started "
        "run that fails or is stopped. A retry keeps the started runs that succeeded "
        "and goes on with those that did not, under the keys they sent with; given another payload or other "
        "variables than before, it starts them anew. With `per` bucket, payloads over 64 MB together fail the run."
    ),
    config=RunFlow,
    compile=compile,
    examples=[
        contract.Example(
            "Hand every order to the invoicing flow and wait for it",
            {"flow_id": 2, "wait": True, "parallel": 5, "variables": {"shop": "{{shop}}"}},
        ),
        contract.Example("Start the stock flow once, with all payloads", {"flow_id": 3, "per": "bucket"}),
    ],
)
