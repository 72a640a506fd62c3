"""The items of a list in a large JSON file, page by page: memory does not grow with the file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

import ijson

from flowloom.steps import answers

MAX_DEPTH: Final = 500
_CHUNK_BYTES: Final = 64 * 1024

Event = tuple[str, Any]


def json_pages(file: BinaryIO, path_keys: Sequence[str], items_per_page: int) -> Iterator[list[object]]:
    """The items of the list that stands below these keys (none: at the root), so many at a time.

    Numbers, texts and objects are as bulk.decode makes them. Raises answers.Unreadable, after the pages before the
    fault, for what is no JSON and where there is no list.
    """
    page: list[object] = []
    try:
        for item in _items(ijson.basic_parse(file, buf_size=_CHUNK_BYTES), path_keys):
            page.append(item)
            if len(page) == items_per_page:
                yield page
                page = []
    except ijson.JSONError as error:
        said = " ".join(str(error).split())[:200]
        raise answers.Unreadable(f"the answer is not valid JSON ({said}).") from None
    if page:
        yield page


def _items(events: Iterator[Event], path_keys: Sequence[str]) -> Iterator[object]:
    event, _ = _reached(events, path_keys)
    if event != "start_array":
        where = f"at '{'.'.join(path_keys)}'" if path_keys else "in the answer"
        raise answers.Unreadable(f"there is no list {where}.")
    for event, value in events:
        if event == "end_array":
            break
        yield _value(events, event, value)
    for _ in events:
        pass  # what follows is read too: a fault in it makes the answer unreadable, as it does for a small one


def _reached(events: Iterator[Event], path_keys: Sequence[str]) -> Event:
    """The first event of the value below the keys, or one that begins no list when it is not there."""
    event, value = next(events, ("null", None))
    for key in path_keys:
        if event != "start_map":
            return "null", None
        event, value = _member(events, key)
    return event, value


def _member(events: Iterator[Event], key: str) -> Event:
    """The first event of a member of the object that was just opened."""
    depth = 0
    for event, value in events:
        if event == "map_key" and not depth and value == key:
            return next(events)
        if event in ("start_map", "start_array"):
            depth += 1
        elif event in ("end_map", "end_array"):
            depth -= 1
        if depth < 0:
            break
    return "null", None


def _value(events: Iterator[Event], event: str, value: Any) -> object:
    """The value that begins with an event."""
    if event not in ("start_map", "start_array"):
        return _scalar(event, value)
    whole: Any = {} if event == "start_map" else []
    holders, keys = [whole], [""]
    while holders:
        event, value = next(events)
        if event == "map_key":
            keys[-1] = value
        elif event in ("end_map", "end_array"):
            holders.pop()
            keys.pop()
        else:
            _put(holders, keys, event, value)
    return whole


def _put(holders: list[Any], keys: list[str], event: str, value: Any) -> None:
    """Put a value into the innermost holder; one that has parts becomes the innermost."""
    is_open = event in ("start_map", "start_array")
    made: Any = ({} if event == "start_map" else []) if is_open else _scalar(event, value)
    if isinstance(holders[-1], dict):
        holders[-1][keys[-1]] = made
    else:
        holders[-1].append(made)
    if is_open:
        if len(holders) == MAX_DEPTH:
            raise answers.Unreadable(f"the answer is nested deeper than {MAX_DEPTH} levels.")
        holders.append(made)
        keys.append("")


def _scalar(event: str, value: Any) -> object:
    if event != "number" or type(value) is int:
        return value
    number = float(value)
    if math.isinf(number):
        raise answers.Unreadable("the answer is not valid JSON (a number is out of range).")
    return number
