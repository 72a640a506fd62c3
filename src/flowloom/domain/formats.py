"""Bodies as bytes and back: JSON, CSV, XML and text as their content type declares them; other bytes as they are."""

from __future__ import annotations

import msgspec

from flowloom.domain import bulk, csv_records, declaration, payload, xml_records
from flowloom.domain.payload import Payload


def decode(raw: bytes, content_type: str) -> object:
    """The body of bytes: a JSON value, the records of CSV, the object of XML, text, or the bytes themselves.

    Raises declaration.Unreadable for CSV and XML that are none, and as bulk.decode does for JSON. Text that is not
    in its character set stays bytes, since nothing reaches into it.
    """
    match payload.kind_of(content_type):
        case "json":
            return bulk.decode(raw) if raw else None
        case "csv":
            declared = declaration.parse(content_type)
            return csv_records.read(declaration.decode(raw, declared.encoding), declared)
        case "xml":
            return xml_records.decode(raw, declaration.parse(content_type))
        case "text":
            return _text(raw, content_type)
        case "bytes":
            return raw


def encode(body: object, content_type: str) -> bytes:
    """The bytes of a body, as they are stored and sent. Raises declaration.Unwritable."""
    if isinstance(body, bytes):
        return body
    kind = payload.kind_of(content_type)
    if kind == "json" or not (isinstance(body, str) or kind in ("csv", "xml")):
        return bulk.encode(body)
    if kind == "bytes":
        return declaration.encode(str(body), declaration.DEFAULT_CHARSET)
    try:
        declared = declaration.parse(content_type)
    except declaration.Unreadable as error:
        raise declaration.Unwritable(error.why) from None
    if isinstance(body, str):
        return declaration.encode(body, declared.encoding)
    if kind == "xml":
        return xml_records.encode(body, declared)
    return declaration.encode(csv_records.write(body, declared), declared.encoding)


def settled(made: Payload) -> Payload:
    """The payload as it will be read again from what is stored of it, so that a restart changes nothing.

    In CSV and XML everything is text then. What its character set lacks is written in UTF-8, and what cannot be
    written as its content type at all is JSON.
    """
    if isinstance(made.body, bytes) or payload.kind_of(made.content_type) in ("json", "bytes"):
        return made
    for content_type in (made.content_type, _in_utf8(made.content_type)):
        try:
            body = decode(encode(made.body, content_type), content_type)
        except (declaration.Unwritable, declaration.Unreadable):
            continue
        return msgspec.structs.replace(made, body=body, content_type=content_type)
    return msgspec.structs.replace(made, content_type=payload.JSON_TYPE)


def _in_utf8(content_type: str) -> str:
    try:
        declared = declaration.parse(content_type, {"charset": declaration.DEFAULT_CHARSET})
    except declaration.Unreadable:
        return content_type
    return declared.content_type


def _text(raw: bytes, content_type: str) -> object:
    try:
        declared = declaration.parse(content_type)
        return raw.decode(declared.encoding)
    except (declaration.Unreadable, UnicodeDecodeError):
        return raw
