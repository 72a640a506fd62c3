"""Large files cut into pages: a JSON list, CSV, the elements of XML at a path. Memory does not grow with the file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from flowloom.domain import csv_records, declaration, depth, payload, portions, xml_records
from flowloom.domain.payload import Path, Payload
from flowloom.steps import answers, aside, contract, conversion

PAGE_BYTES: Final = 1024 * 1024
PAGE_RECORDS: Final = 5000

Event = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Cut:
    """An open file of a kind that can be cut, and where its records are."""

    file: BinaryIO
    kind: payload.Kind
    content_type: str
    format: conversion.Format | None
    path: Path

    def records(self) -> tuple[str, Iterator[Sequence[object]]]:
        """The content type of pages of it, and the records, some at a time.

        Raises answers.Unreadable and declaration.Unreadable, here and after the records before the fault.
        """
        keys = [segment.key for segment in self.path.segments]
        if self.kind == "csv":
            declared = conversion.declared("csv", self.content_type, self.format)
            return declared.content_type, csv_records.pages(self.file, declared, 1)
        if self.kind == "xml":
            declared = conversion.declared("xml", self.content_type, self.format)
            return payload.JSON_TYPE, ([record] for record in xml_records.records(self.file, declared, keys))
        return payload.JSON_TYPE, json_pages(self.file, keys, 1)


def can_be_cut(kind: payload.Kind, path: Path) -> bool:
    """Whether answers of this kind, with the records at this path, are read page by page when they are large."""
    if kind == "xml":
        return len(path.segments) > 1 and all(map(_is_element, path.segments))
    return (kind == "csv" and path is payload.ROOT) or (kind == "json" and not path.stars)


def _is_element(segment: payload.Segment) -> bool:
    return segment.at is None and not segment.is_star and segment.key[0] not in "@#"


def payloads(cut: Cut, like: Payload, source: str) -> Iterator[Payload]:
    """The pages of a file, as payloads with the meta of `like` and positions below its own.

    Each has about a mebibyte. Raises contract.Broken, after the pages before the fault, for what cannot be read:
    it names the `source`.
    """
    try:
        page_type, records = cut.records()
        for number, (items, size_bytes) in enumerate(_grouped(records)):
            yield Payload(items, page_type, like.meta, f"{like.position}.{number}", size_bytes)
    except declaration.Unreadable as error:
        raise contract.Broken(f"{source} cannot be read as {cut.kind.upper()} ({error.why}).") from None
    except answers.Unreadable as error:
        raise contract.Broken(f"{source} cannot be read: {error}") from None
    finally:
        cut.file.close()


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
    read = portions.Portions(file)
    try:
        for item in _items(ijson.basic_parse(read, buf_size=portions.CHUNK_BYTES), path_keys, read):
            read.passed()
            page.append(item)
            if len(page) == items_per_page:
                yield page
                page = []
    except ijson.JSONError as error:
        said = " ".join(str(error).split())[:200]
        raise answers.Unreadable(f"the answer is not valid JSON ({said}).") from None
    if page:
        yield page


def _items(events: Iterator[Event], path_keys: Sequence[str], read: portions.Portions) -> Iterator[object]:
    event, _ = _reached(events, path_keys, read)
    if event != "start_array":
        where = f"at '{'.'.join(path_keys)}'" if path_keys else "in the answer"
        raise answers.Unreadable(f"there is no list {where}.")
    yield from _built(events)
    for _ in events:
        read.passed()  # what follows is read too: a fault in it makes the answer unreadable, as it does for a small one


def _reached(events: Iterator[Event], path_keys: Sequence[str], read: portions.Portions) -> Event:
    """The first event of the value below the keys, or one that begins no list when it is not there."""
    event, value = next(events, ("null", None))
    for key in path_keys:
        if event != "start_map":
            return "null", None
        event, value = _member(events, key, read)
    return event, value


def _member(events: Iterator[Event], key: str, read: portions.Portions) -> Event:
    """The first event of a member of the object that was just opened."""
    depth = 0
    for event, value in events:
        read.passed()
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
