"""Imports into connectors: an OpenAPI document or a Postman collection becomes what one could have written by hand.

What cannot be kept is left out with a warning; what is made is judged like any connector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
import pydantic

from flowloom import errors
from flowloom.domain import imported, openapi, postman
from flowloom.domain.imported import Sketch
from flowloom.services import connector_documents
from flowloom.services.connector_documents import ConnectorDocument, ConnectorEndpoint
from flowloom.steps import aside

Format = Literal["openapi", "postman"]
MAX_BYTES: Final = 8 * 1024 * 1024
_READERS: Final = {"openapi": openapi, "postman": postman}
# What an endpoint may lose, and still be of use.
_SPARABLE: Final = (
    (),
    ("body",),
    ("body", "pagination", "records"),
    ("body", "pagination", "records", "query", "headers"),
)


@dataclass(frozen=True, slots=True)
class Made:
    """A connector that may be created. `fields` is {name, description, document}."""

    format: Format
    fields: Mapping[str, Any]
    warnings: list[str]


async def read_aside(document: Mapping[str, Any] | str, format: Format | None, name: str | None) -> Made:
    """What `read` answers; a large document is read in a thread."""
    size_bytes = len(document) * 10 if isinstance(document, str) else aside.about_bytes(document)
    return await aside.run(size_bytes, read, document, format, name)


def read(document: Mapping[str, Any] | str, format: Format | None, name: str | None) -> Made:
    """The connector that a document describes; without a format it is found out. Raises Invalid on `document`."""
    from flowloom.services import import_texts

    whole = import_texts.read(document) if isinstance(document, str) else document
    if not isinstance(whole, dict):
        raise errors.Invalid.field("document", "The document is no object; nothing can be read from it.")
    known = _format_of(whole, format)
    sketch = _READERS[known].read(whole)
    made = {**_system(sketch), "endpoints": _endpoints(sketch)}
    if len(msgspec.json.encode(made)) > MAX_BYTES:
        raise errors.Invalid.field(
            "document", "The connector would be over 8 MB; import a part of the document."
        )
    fields = {
        "name": name or sketch.name or "Imported connector",
        "description": sketch.description,
        "document": made,
    }
    return Made(known, fields, sketch.all_warnings)


def view(made: Made) -> dict[str, Any]:
    """An import as the API shows it."""
    count = len(made.fields["document"]["endpoints"])
    return {"format": made.format, **made.fields, "endpoints_count": count, "warnings": made.warnings}


def _format_of(document: dict[str, Any], asked: Format | None) -> Format:
    formats: tuple[Format, ...] = ("openapi", "postman")
    for format in formats:
        if asked in (None, format) and _READERS[format].is_one(document):
            return format
    expected = {
        "openapi": "an OpenAPI document (2.0, 3.0 or 3.1)",
        "postman": "a Postman collection (2.0 or 2.1)",
        None: "an OpenAPI document (2.0, 3.0, 3.1) or a Postman collection (2.0, 2.1)",
    }[asked]
    raise errors.Invalid.field("document", f"The document is not {expected}.")


def _system(sketch: Sketch) -> dict[str, Any]:
    """The document but for its endpoints; what is not allowed in it goes, with a warning."""
    parts: dict[str, Any] = {
        "variables": list(sketch.variables.values())[: connector_documents.MAX_VARIABLES],
        "base_url": sketch.base_url,
        "auth": sketch.auth,
        "headers": sketch.headers,
    }
    while True:
        try:
            return connector_documents.kept(ConnectorDocument.model_validate(parts, strict=True))
        except errors.Invalid as invalid:
            place, why = next(iter(invalid.errors)).removeprefix("document."), invalid.message
        except pydantic.ValidationError as error:
            fault = error.errors(include_url=False)[0]
            place, why = str(fault["loc"][0]), fault["msg"]
        part = place.partition(".")[0]
        del parts[part]
        sketch.warn(f"The {part} could not be kept: {imported.line(why, 300)}")


def _endpoints(sketch: Sketch) -> list[dict[str, Any]]:
    kept = (_kept(endpoint, sketch) for endpoint in sketch.endpoints)
    return [endpoint for endpoint in kept if endpoint is not None]


def _kept(endpoint: Mapping[str, Any], sketch: Sketch) -> dict[str, Any] | None:
    """An endpoint that steps could have, with as much of this one as that allows."""
    why = ""
    for spared in _SPARABLE:
        try:
            model = ConnectorEndpoint.model_validate(
                {name: value for name, value in endpoint.items() if name not in spared}, strict=True
            )
            connector_documents.check_endpoint(model, "endpoint")
        except errors.Invalid as invalid:
            why = why or invalid.message
        except pydantic.ValidationError as error:
            fault = error.errors(include_url=False)[0]
            why = why or f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        else:
            if spared:
                gone = ", ".join(name for name in spared if name in endpoint)
                sketch.warn(
                    f'Endpoint "{model.key}": its {gone} could not be kept. {imported.line(why, 300)}'
                )
            return model.model_dump(exclude_none=True)
    sketch.warn(f'Endpoint "{endpoint["key"]}" was left out. {imported.line(why, 300)}')
    return None
