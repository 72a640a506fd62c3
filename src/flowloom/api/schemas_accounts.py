"""The models of users, API keys, logins, connections, marketplace apps and webhooks in the API's document."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

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


class UserCreate(schemas.Body):
    email: Email = Field(description="Unique in this installation, in any case of letters")
    name: ShortName
    password: Password | None = Field(
        default=None, description="Left out, nobody can sign in as this user before an invitation is accepted"
    )
    role: RoleName


class UserUpdate(schemas.Body):
    """What is left out stays as it is."""

    email: Email | None = None
    name: ShortName | None = None
    password: Password | None = Field(default=None, description="A new one ends the user's logins")
    role: RoleName | None = None


class Invitation(schemas.Record):
    token: str = Field(description="Stands in the address /welcome#<token>, and is never answered again")
    expires_at: AwareDatetime


class InvitationAccept(schemas.Body):
    token: Annotated[str, StringConstraints(max_length=200)]
    password: Password = Field(description="Ends the user's other logins, and the link")


class CompanyUpdate(schemas.Body):
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
    must_set_up: bool = Field(description="You are the first administrator and have not set the company up")


class SetUp(schemas.Body):
    """Who the first administrator is, and whose company it is."""

    name: ShortName
    email: Email = Field(description="Unique in this installation, in any case of letters")
    password: Password = Field(description="Takes the place of the generated one and ends its logins")
    company_name: ShortName


class Login(schemas.Body):
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


class ApiKeyCreate(schemas.Body):
    name: ShortName


class ApiKey(schemas.Record):
    id: int
    name: str
    hint: str = Field(description="The last four characters of the key")
    created_at: AwareDatetime
    revoked_at: AwareDatetime | None = Field(default=None, description="Absent while the key works")


class NewApiKey(ApiKey):
    key: str = Field(description="Shown this once; send it as `Authorization: <key>`")


class ConnectionAuth(schemas.Body):
    """`bearer` takes token, `basic` username and password, `header` name and value.

    `oauth2_client_credentials` takes token_url, client_id and client_secret, and if needed scope and audience;
    `oauth2_refresh_token` takes token_url, client_id and refresh_token, and if needed client_secret and scope.
    """

    type: (
        Literal["none", "bearer", "basic", "header", "oauth2_client_credentials", "oauth2_refresh_token"]
        | None
    ) = Field(default=None, description="Of a connection with a connector, the connector's unless given")
    token: Text | None = None
    username: Text | None = None
    password: Text | None = None
    name: Text | None = None
    value: Text | None = None
    token_url: Annotated[str, StringConstraints(max_length=2000)] | None = Field(
        default=None, description="Where access tokens come from; its host is allowed too"
    )
    client_id: Text | None = None
    client_secret: Text | None = None
    refresh_token: Text | None = Field(
        default=None, description="One that the other side gives in its place is kept by itself"
    )
    scope: Text | None = Field(default=None, description="With spaces between")
    audience: Text | None = None
    credentials_in: Literal["body", "header"] | None = Field(
        default=None, description="Where the token endpoint wants the client's id and secret; body unless set"
    )


class RateLimit(schemas.Body):
    """One of per_second and per_minute; requests wait for their turn."""

    per_second: float | None = Field(default=None, ge=0.001, le=10_000)
    per_minute: float | None = Field(default=None, ge=0.01, le=600_000)
    burst: int | None = Field(default=None, ge=1, le=10_000, description="Requests at once; 1 unless set")


class CircuitBreaker(schemas.Body):
    """After so many failures in a row that pass by themselves, no request goes out for a while."""

    failures: int = Field(ge=1, le=1000)
    pause_seconds: float = Field(ge=1, le=86_400)


class ConnectionServer(schemas.Body):
    """Which fields there are depends on the protocol: see their descriptions."""

    host: Annotated[str, StringConstraints(max_length=253)] | None = Field(
        default=None, description="All but sqlite: a name or an address"
    )
    port: int | None = Field(default=None, ge=1, le=65535, description="The protocol's own unless given")
    username: Annotated[str, StringConstraints(max_length=255)] | None = None
    password: Text | None = None
    private_key: Annotated[str, StringConstraints(max_length=20_000)] | None = Field(
        default=None, description="sftp: instead of a password; without a passphrase"
    )
    host_key: Annotated[str, StringConstraints(max_length=20_000)] | None = Field(
        default=None, description="sftp: the server's public key as in known_hosts, or its SHA256 fingerprint"
    )
    database: Annotated[str, StringConstraints(max_length=255)] | None = Field(
        default=None, description="postgresql and mysql"
    )
    tls: bool | None = Field(
        default=None,
        description="postgresql and mysql: encrypt, and check the certificate and the host's name",
    )
    file: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="sqlite: the name of a file in `files/` of the data directory"
    )


class ConnectionUpdate(schemas.Body):
    """What is left out stays; null takes `base_url`, `timeout_seconds`, `rate_limit`, `circuit_breaker` and
    `connector_id` away."""

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
    headers: dict[str, Text] | None = Field(
        default=None,
        description="Sent with every request and shown again; a secret belongs in `auth`, as type `header`",
    )
    timeout_seconds: int | None = Field(default=None, ge=1, le=1800)
    rate_limit: RateLimit | None = Field(
        default=None, description="For all runs together, in each process; a change counts at once"
    )
    circuit_breaker: CircuitBreaker | None = None
    protocol: Literal["http", "sftp", "postgresql", "mysql", "sqlite"] | None = Field(
        default=None, description="http unless given; it stays"
    )
    server: ConnectionServer | None = Field(
        default=None,
        description="Over another protocol than http, instead of base_url, allowed_hosts, auth, headers, rate_limit, "
        "circuit_breaker, connector_id. Without its secret the stored one stays, as long as host, port, host key "
        "and tls stay",
    )
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
    secrets: dict[str, str | None] | None = Field(
        default=None,
        description="Variables that are never answered, over http only: `{{name}}` in url, query, headers and body of "
        "steps with this connection. 8 to 10,000 characters each, or null to keep a value; given, they replace all "
        "there were. Further hosts need them again",
    )

    def given(self) -> dict[str, Any]:
        """The fields that were sent; null counts only where it takes something away."""
        sent = self.model_dump(exclude_unset=True)
        clearable = ("base_url", "timeout_seconds", "rate_limit", "circuit_breaker", "connector_id")
        return {name: value for name, value in sent.items() if value is not None or name in clearable}


class ConnectionCreate(ConnectionUpdate):
    name: schemas.Name


class ConnectionAuthView(schemas.Record):
    type: str
    username: str | None = Field(default=None, description="With basic")
    name: str | None = Field(default=None, description="With header")
    token_url: str | None = Field(default=None, description="With oauth2")
    client_id: str | None = Field(default=None, description="With oauth2")
    scope: str | None = Field(default=None, description="With oauth2")
    audience: str | None = Field(default=None, description="With oauth2_client_credentials")
    credentials_in: Literal["body", "header"] | None = Field(default=None, description="With oauth2")
    has_secret: bool


class RateLimitView(schemas.Record):
    per_second: float | None = None
    per_minute: float | None = None
    burst: int


class Circuit(schemas.Record):
    """Whether requests go out: all (closed), none (open), or one to see how it goes (half_open)."""

    state: Literal["closed", "open", "half_open"]
    opens_until: AwareDatetime | None = Field(default=None, description="While it is open")


class ConnectionServerView(schemas.Record):
    host: str | None = None
    port: int | None = None
    username: str | None = None
    host_key: str | None = None
    database: str | None = None
    tls: bool | None = None
    file: str | None = None


class ConnectionTested(schemas.Record):
    result: Literal["works", "reached", "failed"] = Field(
        description="Reached: it is there, and what it says tells nothing about the credentials"
    )
    message: str = Field(description="In words")
    duration_ms: int
    status: int | None = Field(default=None, description="Over HTTP, where it answered")
    answer: str | None = Field(default=None, description="The beginning of a fault that it answered")


class Connection(schemas.Record):
    id: int
    name: str
    base_url: str | None = None
    allowed_hosts: list[str]
    protocol: str
    server: ConnectionServerView | None = Field(default=None, description="Over another protocol than http")
    auth: ConnectionAuthView
    headers: dict[str, str]
    timeout_seconds: int | None = None
    rate_limit: RateLimitView | None = None
    circuit_breaker: CircuitBreaker | None = None
    circuit: Circuit | None = Field(default=None, description="With a circuit_breaker")
    connector_id: int | None = None
    variables: dict[str, Scalar] | None = Field(
        default=None, description="With the connector's defaults; absent without any"
    )
    secrets: list[str] | None = Field(
        default=None, description="The names of its secret variables; absent without any"
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


class Install(schemas.Body):
    name: schemas.Name | None = Field(default=None, description="Of the new flow; the app's unless given")
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="The newest unless given")


class WebhookCreate(schemas.Body):
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
    callback_url: str = Field(description="The same for callers who wait for what a callback step answers")
    has_secret: bool
    created_at: AwareDatetime
