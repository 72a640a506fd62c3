"""How a connector's config says what an answer is read as, and what a payload is sent as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from pydantic import Field

from flowloom import errors
from flowloom.domain import bulk, declaration, formats, payload
from flowloom.domain.declaration import Declaration
from flowloom.domain.payload import Payload
from flowloom.steps import contract

FormatName = Literal["json", "text", "csv", "xml"]

_TYPES: Mapping[FormatName, str] = {
    "json": payload.JSON_TYPE,
    "text": payload.TEXT_TYPE,
    "csv": payload.CSV_TYPE,
    "xml": payload.XML_TYPE,
}


class Format(contract.Config):
    """What a content type would declare; each goes before what the content type says."""

    charset: str | None = Field(
        None,
        description="The character set of CSV, XML or text, such as windows-1252; UTF-8 unless declared. JSON is UTF-8",
    )
    delimiter: str | None = Field(None, description="What parts the cells of CSV: one character, or tab")
    quote: str | None = Field(None, description="What cells of CSV may stand in: one character")
    header: Literal["present", "absent"] | None = Field(
        None, description="Whether the first row of CSV names the columns"
    )

    @property
    def options(self) -> dict[str, str]:
        """What is set, by the name of the parameter of a content type."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


def check(format: Format | None, name: FormatName | None, field: str) -> None:
    """Raise errors.Invalid on the field of `format` that says nothing of the format named, or cannot be.

    `field` is the config field that names the format.
    """
    if format is None:
        return
    if name is None or name == "json":
        raise errors.Invalid.field(
            "format", f"It says how text, CSV or XML is written; set {field} to one of them."
        )
    options = format.options
    if foreign := next((key for key in options if key != "charset" and name != "csv"), None):
        raise errors.Invalid.field(f"format.{foreign}", f"Only CSV has a {foreign}; remove it.")
    try:
        declared(name, "", format)
    except declaration.Unreadable as error:
        raise errors.Invalid.field(f"format.{error.parameter}", error.why) from None


def declared(name: FormatName, content_type: str, format: Format | None) -> Declaration:
    """What a body of this format is: as its content type says, as far as that is of this format, and the config.

    Raises declaration.Unreadable for a content type that declares what cannot be.
    """
    _, separator, parameters = content_type.partition(";")
    media_type = (
        content_type if payload.kind_of(content_type) == name else f"{_TYPES[name]}{separator}{parameters}"
    )
    return declaration.parse(media_type, format.options if format else None)


def written(sent: Payload, name: FormatName | None, format: Format | None) -> tuple[bytes, str]:
    """The bytes of a payload and their content type: as it is, or in the format named.

    Raises declaration.Unwritable.
    """
    if name is None:
        return formats.encode(sent.body, sent.content_type), _own_type(sent)
    if isinstance(sent.body, bytes):
        raise declaration.Unwritable(f"A payload of type {sent.content_type} cannot be sent as {name}.")
    if name == "json":
        return bulk.encode(sent.body), payload.JSON_TYPE
    content_type = declared(name, "", format).content_type
    return formats.encode(_text(sent) if name == "text" else sent.body, content_type), content_type


def _own_type(sent: Payload) -> str:
    """The content type of the bytes; what is neither text nor records of its own type was written as JSON."""
    is_written = sent.has_records or isinstance(sent.body, str | bytes)
    return sent.content_type if is_written else payload.JSON_TYPE


def _text(sent: Payload) -> str:
    """The body as text: a text itself, else what it is written as."""
    if isinstance(sent.body, str):
        return sent.body
    if sent.is_json:
        return msgspec.json.encode(sent.body).decode()
    raw = formats.encode(sent.body, sent.content_type)
    return raw.decode(declaration.parse(sent.content_type).encoding)
