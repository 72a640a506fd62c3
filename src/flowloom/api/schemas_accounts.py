"""The models of users, API keys, logins, connections, marketplace apps and webhooks in the API's document."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from flowloom.api import schemas
from flowloom.services.connector_documents import Scalar

MAX_EMAIL = 254
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def _email(value: str) -> str:
    value = value.strip().lower()
    if not _EMAIL.fullmatch(value) or len(value) > MAX_EMAIL:
        raise ValueError("Use an e-mail address, such as jo@example.com")
    return value


Email = Annotated[str, AfterValidator(_email)]
ShortName = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Password = Annotated[str, StringConstraints(min_length=10, max_length=200)]
RoleName = Literal["read-only", "user", "manager", "administrator"]
Text = Annotated[str, StringConstraints(max_length=10_000)]
Host = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]


class UserCreate(BaseModel):
    email: Email = Field(description="Unique in this installation, in any case of letters")
    name: ShortName
    password: Password
    role: RoleName


class UserUpdate(BaseModel):
    """What is left out stays as it is."""

    email: Email | None = None
    name: ShortName | None = None
    password: Password | None = Field(default=None, description="A new one ends the user's logins")
    role: RoleName | None = None


class CompanyUpdate(BaseModel):
    """What is left out stays as it is."""

    name: ShortName | None = None
    concurrency: int | None = Field(
        default=None, ge=0, le=10_000, description="Runs at a time; 0 is what the server's settings say"
    )


class Company(schemas.Record):
    id: int
    name: str
    concurrency: int = Field(description="Runs at a time; 0 is what the server's settings say")
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Me(schemas.Record):
    """Who asks."""

    id: int | None = Field(default=None, description="Absent for an API key")
    email: str | None = Field(default=None, description="Absent for an API key")
    name: str
    role: RoleName
    company_id: int
    company_name: str
    is_api_key: bool


class Login(BaseModel):
    """`username` and `email` are the same: one of them is needed."""

    username: Annotated[str, StringConstraints(max_length=MAX_EMAIL)] | None = None
    email: Annotated[str, StringConstraints(max_length=MAX_EMAIL)] | None = None
    password: Annotated[str, StringConstraints(max_length=200)]

    @property
    def account(self) -> str:
        """The e-mail address as it is stored; empty when none was sent."""
        return (self.email or self.username or "").strip().lower()


class LoginAnswer(schemas.Record):
    message: str
    token: str = Field(description="Send it as `Authorization: Bearer <token>`")
    expires_in: int = Field(description="Seconds")


class ApiKeyCreate(BaseModel):
    name: ShortName


class ApiKey(schemas.Record):
    id: int
    name: str
    hint: str = Field(description="The last four characters of the key")
    created_at: AwareDatetime
    revoked_at: AwareDatetime | None = Field(default=None, description="Absent while the key works")


class NewApiKey(ApiKey):
    key: str = Field(description="Shown this once; send it as `Authorization: <key>`")


class ConnectionAuth(BaseModel):
    """`bearer` takes token, `basic` username and password, `header` name and value."""

    type: Literal["none", "bearer", "basic", "header"] | None = Field(
        default=None, description="Of a connection with a connector, the connector's unless given"
    )
    token: Text | None = None
    username: Text | None = None
    password: Text | None = None
    name: Text | None = None
    value: Text | None = None


class ConnectionUpdate(BaseModel):
    """What is left out stays; null takes `base_url`, `timeout_seconds` and `connector_id` away."""

    name: schemas.Name | None = None
    base_url: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = Field(
        default=None, description="Absolute, http or https; relative URLs of steps go below it"
    )
    allowed_hosts: list[Host] | None = Field(
        default=None,
        max_length=100,
        description="Hosts, `*.` patterns, addresses or networks, each with `:port` if wanted; "
        "left out or empty it is the host of the base URL",
    )
    auth: ConnectionAuth | None = Field(
        default=None,
        description="Without its secret the stored one stays, as long as type and hosts stay",
    )
    headers: dict[str, Text] | None = Field(default=None, description="Sent with every request; not secret")
    timeout_seconds: int | None = Field(default=None, ge=1, le=1800)
    connector_id: schemas.RecordId | None = Field(
        default=None,
        description="What is not said here of base URL, authentication, headers and time comes from it; "
        "null lets go of it",
    )
    variables: dict[schemas.Name, Scalar] | None = Field(
        default=None,
        max_length=200,
        description="`{{name}}` in the connector and in steps with this connection",
    )

    def given(self) -> dict[str, Any]:
        """The fields that were sent; null counts only where it takes something away."""
        sent = self.model_dump(exclude_unset=True)
        clearable = ("base_url", "timeout_seconds", "connector_id")
        return {name: value for name, value in sent.items() if value is not None or name in clearable}


class ConnectionCreate(ConnectionUpdate):
    name: schemas.Name


class ConnectionAuthView(schemas.Record):
    type: str
    username: str | None = Field(default=None, description="With basic")
    name: str | None = Field(default=None, description="With header")
    has_secret: bool


class Connection(schemas.Record):
    id: int
    name: str
    base_url: str | None = None
    allowed_hosts: list[str]
    auth: ConnectionAuthView
    headers: dict[str, str]
    timeout_seconds: int | None = None
    connector_id: int | None = None
    variables: dict[str, Scalar] | None = Field(
        default=None, description="With the connector's defaults; absent without any"
    )
    created_at: AwareDatetime
    updated_at: AwareDatetime


class UploadAnswer(schemas.Record):
    marketplace_app_id: int
    version: int
    private: bool
    flow_id: int
    flow_version_id: int
    iteration: int
    name: str
    created_at: AwareDatetime


class MarketplaceAppVersion(schemas.Record):
    version: int
    iteration: int
    uploaded_by: int
    created_at: AwareDatetime


class MarketplaceApp(schemas.Record):
    id: int
    name: str
    description: str
    flow_id: int
    latest_version: int
    private: bool
    created_at: AwareDatetime
    updated_at: AwareDatetime
    versions: list[MarketplaceAppVersion] | None = Field(default=None, description="When one app is read")


class Install(BaseModel):
    name: schemas.Name | None = Field(default=None, description="Of the new flow; the app's unless given")
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="The newest unless given")


class WebhookCreate(BaseModel):
    name: Annotated[str, StringConstraints(max_length=255, strip_whitespace=True)] = ""
    secret: Annotated[str, StringConstraints(max_length=1000)] | None = Field(
        default=None,
        description="Calls must be signed with it (Standard Webhooks): `whsec_` and base64, or any text "
        "of 16 characters or more",
    )


class Webhook(schemas.Record):
    id: int
    flow_id: int
    name: str
    url: str = Field(description="Where to call it; its signature makes it secret")
    has_secret: bool
    created_at: AwareDatetime
