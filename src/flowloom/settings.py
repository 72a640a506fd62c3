"""Every setting of the server: its default, what is allowed, and how it is read from the environment.

A setting `x` is `FLOWLOOM_X`; a secret one is also read from the file that `FLOWLOOM_X_FILE` names.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from flowloom import errors

SECRETS = frozenset({"database_url", "nats_url", "blob_url", "admin_password", "secret_key", "smtp_url"})

_HOST_NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?", re.IGNORECASE)
_DATABASE_URL = re.compile(r"(?P<scheme>[a-z0-9+]+)://(?P<rest>.*)", re.DOTALL)
_DIALECTS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def env_name(name: str) -> str:
    """The environment variable of a setting: `port` is read from `FLOWLOOM_PORT`."""
    return f"FLOWLOOM_{name.upper()}"


def _database_url(value: str) -> str:
    parts = _DATABASE_URL.fullmatch(value)
    if parts is None or parts["scheme"] not in _DIALECTS:
        raise ValueError("use sqlite:///path/to/flowloom.db or postgresql://user:password@host:5432/name")
    scheme, rest = _DIALECTS[parts["scheme"]], parts["rest"]
    if scheme.startswith("sqlite") and (not rest.startswith("/") or rest in ("/", "/:memory:")):
        raise ValueError("a SQLite database must be a file, such as sqlite:///path/to/flowloom.db")
    return f"{scheme}://{rest}"


def _nats_url(value: str) -> str:
    if not all(server.strip().startswith(("nats://", "tls://")) for server in value.split(",")):
        raise ValueError("use nats://host:4222 or tls://host:4222, several servers with commas between")
    return value


def _blob_url(value: str) -> str:
    parts = urlsplit(value)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    is_folder = parts.scheme == "file" and not parts.netloc and parts.path.strip("/") and not asked
    is_bucket = parts.scheme == "s3" and parts.hostname and set(asked) <= {"endpoint", "region"}
    if not (is_folder or is_bucket) or parts.fragment:
        raise ValueError(
            "use file:///path/to/directory or s3://bucket/prefix?endpoint=https://host&region=name"
        )
    if not re.match("https?://.", asked.get("endpoint", "https://any")):
        raise ValueError("the endpoint of a bucket is an http:// or https:// address")
    return value


def _public_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", value):
        raise ValueError("use the http:// or https:// address under which others reach this server")
    return value.rstrip("/")


def _smtp_url(value: str) -> str:
    parts = urlsplit(value)
    if (
        parts.scheme not in ("smtp", "smtps")
        or not parts.hostname
        or parts.path.strip("/")
        or parts.port == 0
    ):
        raise ValueError("use smtp://user:password@host:587 or smtps://user:password@host:465")
    return value


def _email(value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise ValueError("use an e-mail address, such as admin@example.com")
    return value


def _comma_list(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _destination(value: str) -> str:
    """A host name, address or network in its canonical form."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        if _HOST_NAME.fullmatch(value):
            return value.lower()
        raise ValueError(
            f"{value!r} is no host name, address or network: use names such as shop.internal, "
            "10.1.2.3 or 10.0.0.0/8, without scheme, port or path"
        ) from None
    return str(network) if "/" in value else str(network.network_address)


def _proxy(value: str) -> str:
    """An address or network in its canonical form."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(
            f"{value!r} is no address or network: use addresses such as 127.0.0.1 or 10.0.0.0/8"
        ) from None
    return str(network) if "/" in value else str(network.network_address)


Proxy = Annotated[str, AfterValidator(_proxy)]
Destination = Annotated[str, AfterValidator(_destination)]


class Settings(BaseModel):
    """What the operator decides. Made by `load`; building one directly is for tests."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default=Path("data"),
        description="Directory of the database file, the payload files and the secret key.",
    )
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default_factory=lambda earlier: _sqlite_in(earlier.get("data_dir", Path())),
        repr=False,
        description="Database: `sqlite:///path/to/file.db` or `postgresql://user:password@host:5432/name`. "
        "Unset, it is the SQLite file `flowloom.db` in the data directory.",
    )
    nats_url: Annotated[str, AfterValidator(_nats_url)] | None = Field(
        default=None,
        repr=False,
        description="NATS servers with JetStream, with commas between, such as `nats://user:password@host:4222` or "
        "`tls://host:4222`, which is never left unencrypted; what is special in a password is percent-encoded (`%40` "
        "for `@`). With them any number of processes work together on one PostgreSQL. "
        "Unset, one process does everything.",
    )
    nats_prefix: str = Field(
        default="flowloom",
        pattern="^[A-Za-z0-9_-]{1,64}$",
        description="First word of this installation's names at NATS; two that share a NATS need different ones.",
    )
    nats_replicas: int | None = Field(
        default=None,
        ge=1,
        le=5,
        description="On how many NATS servers the queue is kept. Unset, 3 in a cluster and 1 without.",
    )
    worker_timeout_seconds: float = Field(
        default=30.0,
        ge=1,
        le=3600,
        description="Seconds of silence after which a worker counts as dead and others take over its runs.",
    )
    drain_seconds: float = Field(
        default=5.0,
        ge=0,
        le=3600,
        description="Seconds that runs have to end when the process is told to stop; the rest go to others.",
    )
    blob_url: Annotated[str, AfterValidator(_blob_url)] | None = Field(
        default=None,
        repr=False,
        description="Where large payload bodies are kept: `file:///path` of a directory that several servers share, or "
        "`s3://bucket/prefix?endpoint=https://host&region=name` (extra `s3`), with the credentials of the usual "
        "`AWS_*` variables or as `s3://key:secret@bucket`. Unset, they are files in the data directory.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on; `0.0.0.0` is every one.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: Annotated[str, AfterValidator(_public_url)] | None = Field(
        default=None,
        description="Address under which others reach this server; the URLs of webhooks begin with it. "
        "Unset, they begin with the address of the request that asked.",
    )
    trusted_proxies: Annotated[tuple[Proxy, ...], BeforeValidator(_comma_list)] = Field(
        default=(),
        description="Addresses and networks, with commas between, of the proxies whose `X-Forwarded-For` and "
        "`X-Forwarded-Proto` are believed, such as `127.0.0.1`. Unset, nobody's are.",
    )
    admin_email: Annotated[str, AfterValidator(_email)] = Field(
        default="admin@example.com",
        description="E-mail address of the administrator whom an empty database gets.",
    )
    admin_password: str | None = Field(
        default=None,
        repr=False,
        description="Password of that administrator. Unset, one is generated and printed once.",
    )
    smtp_url: Annotated[str, AfterValidator(_smtp_url)] | None = Field(
        default=None,
        repr=False,
        description="SMTP server that e-mail is sent with: `smtp://user:password@host:587`, secured with STARTTLS "
        "where the server offers it and always before a password, or `smtps://user:password@host:465`. "
        "Unset, no e-mail is sent.",
    )
    smtp_from: Annotated[str, AfterValidator(_email)] = Field(
        default="flowloom@localhost", description="Address that e-mail is sent from."
    )
    secret_key: str | None = Field(
        default=None,
        min_length=16,
        repr=False,
        description="Key that seals stored secrets and signs URLs and logins, 16 characters or more. "
        "Unset, one is made on first start: `secret.key` in the data directory.",
    )
    outbound_allow: Annotated[tuple[Destination, ...], BeforeValidator(_comma_list)] = Field(
        default=(),
        description="Hosts, addresses and networks, with commas between, that connectors may reach "
        "although they are private, such as `shop.internal,10.0.0.0/8`.",
    )
    rate_limit: int = Field(default=0, ge=0, description="Requests a minute for each company; 0 is no limit.")
    concurrency: int = Field(default=64, ge=1, description="Runs that are worked on at the same time.")
    company_concurrency: int = Field(default=0, ge=0, description="The same for one company; 0 is no limit.")
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto", description="`text`, `json`, or `auto`: text on a terminal, JSON otherwise."
    )
    log_retention_days: int = Field(
        default=30, ge=1, description="Days for which runs and logs are kept; a flow may have its own."
    )
    payload_retention_days: int = Field(
        default=7, ge=1, description="Days for which payloads are kept; a flow may have its own."
    )
    metric_retention_days: int = Field(
        default=90, ge=1, description="Days for which metrics are kept by the minute; hours and days stay."
    )

    @classmethod
    def load(cls, environ: Mapping[str, str], **overrides: Any) -> Self:
        """Settings from `environ`; an override that is not None wins, an empty variable counts as unset.

        Raises errors.Invalid whose fields are the environment variables at fault.
        """
        values: dict[str, Any] = {
            name: value for name in cls.model_fields if (value := _read(environ, name)) is not None
        }
        values |= {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**values)
        except ValidationError as fault:
            found = fault.errors(include_url=False)
        raise errors.Invalid({env_name(str(error["loc"][0])): [_explain(error)] for error in found})


def describe() -> list[dict[str, str]]:
    """Every setting as `{name, env, default, description}`, for the reference; "" is no default."""
    return [
        {
            "name": name,
            "env": env_name(name),
            "default": _shown(field.default if field.default_factory is None else None),
            "description": field.description or "",
        }
        for name, field in Settings.model_fields.items()
    ]


def _sqlite_in(data_dir: Path) -> str:
    # In a URL a percent sign begins an escaped character, and a question mark the query.
    return f"sqlite+pysqlite:///{quote((data_dir / 'flowloom.db').as_posix())}"


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(default)
    return "" if default is None else str(default)


def _read(environ: Mapping[str, str], name: str) -> str | None:
    env = env_name(name)
    value, file = environ.get(env), environ.get(f"{env}_FILE")
    if name not in SECRETS or not file:
        return value or None
    if value:
        raise errors.Invalid.field(env, f"{env} and {env}_FILE are both set; keep one of them.")
    return _read_file(f"{env}_FILE", Path(file))


def _read_file(env: str, path: Path) -> str:
    try:
        content = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8 text"
        raise errors.Invalid.field(env, f"{env} names {path}, which cannot be read: {why}.") from None
    if not content:
        raise errors.Invalid.field(env, f"{env} names {path}, which is empty.")
    return content


def _explain(error: ErrorDetails) -> str:
    name = str(error["loc"][0])
    allowed = error["msg"].removeprefix("Value error, ")
    allowed = allowed[0].lower() + allowed[1:]
    shown = "" if name in SECRETS else f" ({str(error['input'])[:80]!r})"
    return f"{env_name(name)}{shown} is not valid: {allowed}."
