"""The models of notification groups and notifications in the API's document."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints

from flowloom.api import schemas

MAX_ADDRESS = 254
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value) or len(value) > MAX_ADDRESS:
        raise ValueError("Use a plain e-mail address in ASCII, such as jo@example.com")
    return value


Address = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_address)]
GroupName = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
WebAddress = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


class EmailChannel(schemas.Body):
    model_config = ConfigDict(extra="forbid")

    type: Literal["email"]
    to: list[Address] = Field(min_length=1, max_length=50, description="All of them in one message")


class WebhookChannel(schemas.Body):
    model_config = ConfigDict(extra="forbid")

    type: Literal["webhook"]
    url: WebAddress = Field(
        description="Gets a POST of {subject, text, flow_id, run_id, at} as JSON; "
        "`{{name}}` behind its host is one of the secrets"
    )
    secrets: dict[str, str | None] | None = Field(
        default=None,
        description="What is secret of the URL, by name: 8 to 10,000 characters each, never answered. "
        "Left out, or null for one, what the channel with this URL had stays",
    )


class LogChannel(schemas.Body):
    model_config = ConfigDict(extra="forbid")

    type: Literal["log"]


Channel = Annotated[EmailChannel | WebhookChannel | LogChannel, Field(discriminator="type")]
Channels = Annotated[list[Channel], Field(min_length=1, max_length=20)]


class NotificationGroupUpdate(schemas.Body):
    """What is left out stays; channels are replaced as a whole."""

    name: GroupName | None = None
    channels: Channels | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were sent with a value."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class NotificationGroupCreate(schemas.Body):
    name: GroupName
    channels: Channels


class ChannelView(schemas.Record):
    type: Literal["email", "webhook", "log"]
    to: list[str] | None = Field(default=None, description="With email")
    url: str | None = Field(default=None, description="With webhook")
    secrets: list[str] | None = Field(
        default=None, description="With webhook: the names of its secrets; absent without any"
    )


class NotificationGroup(schemas.Record):
    id: int
    name: str
    channels: list[ChannelView]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Notification(schemas.Record):
    """A message to one channel, and what became of it."""

    id: int
    flow_id: int | None = Field(default=None, description="Absent for a test")
    flow_run_id: int | None = Field(default=None, description="Absent when no run is told of")
    channel: Literal["email", "webhook", "log"]
    to: list[str] | None = Field(default=None, description="E-mail addresses, or the host of a webhook")
    subject: str
    text: str
    state: Literal["queued", "sent", "failed"]
    attempts: int
    next_at: AwareDatetime | None = Field(
        default=None, description="When it is tried next, while it is queued"
    )
    error: str | None = Field(default=None, description="What the last attempt came to")
    created_at: AwareDatetime
    updated_at: AwareDatetime
