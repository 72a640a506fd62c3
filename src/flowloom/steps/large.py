"""The items of a list in a large JSON file, page by page: memory does not grow with the file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

import ijson

from flowloom.domain import depth
from flowloom.steps import answers

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
    yield from _built(events)
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


def _built(events: Iterator[Event]) -> Iterator[object]:
    """The items of the list that was just opened. A 200 MB file has 50 million events, so this loop is a tight one."""
    holders: list[tuple[Any, str]] = []
    holder: Any = None
    key = ""
    for event, value in events:
        if event == "map_key":
            key = value
            continue
        if event == "number":
            value = value if type(value) is int else _float(value)
        elif event == "start_map" or event == "start_array":
            holders.append((holder, key))
            _require_shallow(holders)
            holder = {} if event == "start_map" else []
            continue
        elif event == "end_map" or event == "end_array":
            if holder is None:
                return
            value = holder
            holder, key = holders.pop()
        if type(holder) is dict:
            holder[key] = value
        elif holder is None:
            yield value
        else:
            holder.append(value)


def _require_shallow(holders: Sequence[object]) -> None:
    if len(holders) > depth.MAX_DEPTH:
        raise answers.Unreadable(f"the answer is nested deeper than {depth.MAX_DEPTH} levels.")


def _float(value: Any) -> float:
    number = float(value)
    if math.isinf(number):
        raise answers.Unreadable("the answer is not valid JSON (a number is out of range).")
    return number
