"""Large answers cut into pages: the items of a JSON list, or the records of CSV. Memory does not grow with the file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

from flowloom.domain import csv_records, declaration, depth, payload
from flowloom.domain.payload import Path, Payload
from flowloom.steps import answers, aside, contract, conversion

PAGE_BYTES: Final = 1024 * 1024
PAGE_RECORDS: Final = 5000
_CHUNK_BYTES: Final = 64 * 1024

Event = tuple[str, Any]


def can_be_cut(kind: str, path: Path) -> bool:
    """Whether answers of this kind, with the records at this path, are read page by page when they are large."""
    return (kind == "csv" and path is payload.ROOT) or (kind == "json" and not path.stars)


def payloads(
    file: BinaryIO,
    content_type: str,
    wanted: conversion.FormatName | None,
    format: conversion.Format | None,
    path: Path,
    whole: Payload,
) -> Iterator[Payload]:
    """The pages of an open file, as payloads with the meta of `whole` and positions below its own.

    Each has about a mebibyte. Raises contract.Broken, after the pages before the fault, for what cannot be read.
    """
    page_type = payload.JSON_TYPE
    records: Iterator[Sequence[object]]
    try:
        if (wanted or payload.kind_of(content_type)) == "csv":
            declared = conversion.declared("csv", content_type, format)
            page_type, records = declared.content_type, csv_records.pages(file, declared, 1)
        else:
            records = json_pages(file, [segment.key for segment in path.segments], 1)
        for number, (items, size_bytes) in enumerate(_grouped(records)):
            position = f"{whole.position}.{number}"
            yield Payload(items, page_type, whole.meta, position, size_bytes)
    except declaration.Unreadable as error:
        raise contract.Broken(f"The answer cannot be read as CSV ({error.why}).") from None
    except answers.Unreadable as error:
        raise contract.Broken(f"The answer cannot be read: {error}") from None
    finally:
        file.close()


def _grouped(records: Iterator[Sequence[object]]) -> Iterator[tuple[list[object], int]]:
    """The records together, so many at a time that they are about as large as a page."""
    page: list[object] = []
    size_bytes = 0
    for record in records:
        page += record
        size_bytes += aside.about_bytes(list(record))
        if size_bytes >= PAGE_BYTES or len(page) >= PAGE_RECORDS:
            yield page, size_bytes
            page, size_bytes = [], 0
    if page:
        yield page, size_bytes


def json_pages(file: BinaryIO, path_keys: Sequence[str], items_per_page: int) -> Iterator[list[object]]:
    """The items of the list that stands below these keys (none: at the root), so many at a time.

    Numbers, texts and objects are as bulk.decode makes them. Raises answers.Unreadable, after the pages before the
    fault, for what is no JSON and where there is no list.
    """
    import ijson

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
