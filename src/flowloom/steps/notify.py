"""The notify step: sends a message of each payload to a notification group, and hands the payload on."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from flowloom.domain import templates
from flowloom.domain.payload import Payload
from flowloom.steps import contract


class Notify(contract.Config):
    group_id: int = Field(ge=1, description="Id of the notification group whose channels get the message.")
    subject: str = Field(
        min_length=1,
        max_length=1000,
        description="One line that says what it is about; may hold templates.",
        json_schema_extra={"x-template": True},
    )
    text: str = Field(
        "",
        max_length=50_000,
        description="The message itself; may hold templates.",
        json_schema_extra={"x-template": True},
    )


def compile(config: Notify, legs: Sequence[contract.Leg]) -> contract.Compiled:
    subject, text = templates.compile(config.subject, "subject"), templates.compile(config.text, "text")

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        scope = context.scope(payload)
        notice = contract.Notice(config.group_id, subject.render(scope), text.render(scope))
        return contract.Done([payload], writes=[notice])

    return contract.Compiled(run, effect=True)


TYPE = contract.StepType(
    microservice="notify",
    title="Notify",
    help=(
        "Sends one message for each payload to all channels of a notification group: e-mail, webhook, log. "
        "The payloads go on as they are, without waiting for the delivery. A message is written down together "
        "with the step's checkpoint and delivered at least once, also after a crash; how it went stands in the "
        "list of notifications. Of a subject only the first 500 characters are sent, on one line."
    ),
    failure=(
        "It does not fail: a delivery that goes wrong is tried again for about an hour, beside the run, and is "
        "then marked as failed in the list of notifications."
    ),
    config=Notify,
    compile=compile,
    examples=[
        contract.Example(
            "Tell the warehouse of every large order",
            {
                "group_id": 4,
                "subject": "Order [[payload.id]] over {{limit}}",
                "text": "[[payload.customer.name]] ordered for [[payload.total]].",
            },
        ),
    ],
)
