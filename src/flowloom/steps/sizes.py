"""How large the values are that steps make: a few rules that copy everything make a small payload a huge one."""

from __future__ import annotations

from typing import Final

from flowloom.domain.payload import Payload
from flowloom.steps import contract

MAX_BYTES: Final = 64 * 1024 * 1024
# A number, a flag, a key: what an entry takes in JSON besides the text that it holds.
_ENTRY_BYTES: Final = 8
# Of a longer list not every item is measured.
_SAMPLE: Final = 500
# A union of types would be made anew for each value that is measured.
_TEXTS: Final = (str, bytes)
_CONTAINERS: Final = (dict, list)


def made(payload: Payload) -> contract.Outcome:
    """Done with a payload whose body the step has made, with its size; a Fail when that is over 64 MB."""
    size_bytes = of(payload.body)
    if size_bytes > MAX_BYTES:
        return too_large("The payload that this step makes")
    sized = Payload(payload.body, payload.content_type, payload.meta, payload.position, size_bytes)
    return contract.Done([sized])


def too_large(what: str) -> contract.Fail:
    return contract.Fail(
        f"{what} would be larger than 64 MB; copy less into it, or split what it is made of."
    )


def of(value: object) -> int:
    """About how many bytes the JSON of a value takes. Raises RecursionError for one that is nested too deep."""
    return _size(value, {})


def _size(value: object, known: dict[int, int]) -> int:
    """What stands in many places is measured once: it may take gigabytes to write, but not to measure."""
    if isinstance(value, _TEXTS):
        return len(value)
    if not isinstance(value, _CONTAINERS):
        return 0
    size = known.get(id(value))
    if size is None:
        items = value.values() if isinstance(value, dict) else value[:: len(value) // _SAMPLE or 1]
        size = sum([_size(item, known) for item in items])
        size = (size * len(value)) // (len(items) or 1) + _ENTRY_BYTES * len(value)
        known[id(value)] = size
    return size
