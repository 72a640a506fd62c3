"""JSON of large bodies, in parts: one call over all of it would keep every other thread waiting for its end."""

from __future__ import annotations

from typing import Final

import msgspec

LARGE_BYTES: Final = 256 * 1024
LARGE_ITEMS: Final = 1000
# A list in an object, as answers come; deeper ones are decoded with what holds them.
_LEVELS: Final = 2

_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_VALUE = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


def decode(raw: bytes | msgspec.Raw, levels: int = _LEVELS) -> object:
    """A JSON value. Raises msgspec.DecodeError, UnicodeDecodeError and RecursionError as msgspec does."""
    view = memoryview(raw)
    if view.nbytes <= LARGE_BYTES or not levels:
        return _VALUE.decode(raw)
    match bytes(view[:64]).lstrip()[:1]:
        case b"[":
            return [decode(item, levels - 1) for item in _ITEMS.decode(raw)]
        case b"{":
            return {key: decode(member, levels - 1) for key, member in _MEMBERS.decode(raw).items()}
        case _:
            return _VALUE.decode(raw)


def encode(value: object) -> bytes:
    """The JSON of a value, equal to what one call would make of it."""
    if isinstance(value, list) and len(value) > LARGE_ITEMS:
        return b"[" + b",".join([_ENCODER.encode(item) for item in value]) + b"]"
    return _ENCODER.encode(value)
