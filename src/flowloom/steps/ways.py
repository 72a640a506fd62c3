"""The ways of a connector to a system: over HTTP, to a file server or into a database. One is chosen."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from flowloom import errors
from flowloom.steps import contract, database, file_server
from flowloom.steps.reading import Reading

_OTHER_WAYS: Final = ("sftp", "sql")
_COMMON: Final = frozenset({"direction", "connection_id", "timeout_seconds", "retries"})
_ALSO_OF_FILES: Final = frozenset({"body", "format", "response_format", "send_format"})
_TEMPLATE: dict[str, Any] = {"x-template": True}


class Ways(contract.Config):
    """The fields that say where a connector goes, and in which direction."""

    direction: Literal["receive", "send"] = Field(
        description="receive asks for records; send hands each payload over"
    )
    sftp: file_server.Sftp | None = Field(None, description="Files on a server, instead of a URL")
    sql: database.Sql | None = Field(None, description="A statement for a database, instead of a URL")
    connection_id: int | None = Field(
        None,
        validate_default=True,
        description="Id of the connection that holds the base URL or the server, and the credentials; "
        "needed with sftp and sql",
    )
    url: str | None = Field(
        None,
        min_length=1,
        validate_default=True,
        description="Relative to the connection's base URL, or absolute; needed unless sftp or sql is given",
        json_schema_extra=_TEMPLATE,
    )

    @field_validator("connection_id", "url")
    @classmethod
    def _require_what_is_needed(cls, value: object, info: ValidationInfo) -> object:
        """Without a URL there must be a connection. What is given but wrong is absent from the data."""
        is_http = all(info.data.get(name, cls) is None for name in _OTHER_WAYS)
        if value is None and is_http == (info.field_name == "url"):
            raise PydanticCustomError("missing", "Field required")
        return value


def other(
    config: Ways, timeout_seconds: float, reading: Reading, encode: file_server.Encode
) -> contract.Run | None:
    """What runs instead of a request over HTTP, if another way is chosen; `reading` and `encode` are for files.

    Raises errors.Invalid for two ways at once, for what only a request has, and for wrong templates.
    """
    is_send = config.direction == "send"
    if config.connection_id is None:
        return None
    if config.sql is not None:
        _require_fitting(config, "sql", _COMMON)
        return database.compile(config.sql, config.connection_id, timeout_seconds, is_send=is_send)
    if config.sftp is not None:
        _require_fitting(config, "sftp", _COMMON | _ALSO_OF_FILES | (set() if is_send else {"path"}))
        return file_server.compile(
            config.sftp, config.connection_id, timeout_seconds, reading, encode, is_send=is_send
        )
    return None


def _require_fitting(config: Ways, way: str, fitting: frozenset[str]) -> None:
    for name in sorted(config.model_fields_set - fitting - {way}):
        if getattr(config, name) not in (None, {}, []):
            raise errors.Invalid.field(name, f"This does not go together with {way}; remove one of them.")
