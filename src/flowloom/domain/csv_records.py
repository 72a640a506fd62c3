"""CSV as records and back: a list of objects of text in the order of the columns.

The first row names the columns, unless the header is absent: then they are column_1, column_2 and so on. Blank
lines are nothing; a row that is too short lacks the columns at its end, and one that is too long is refused.
Lines end with CR LF, LF or CR, and are written with CR LF.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO, Final, Protocol

import msgspec

from flowloom.domain import declaration, portions
from flowloom.domain.declaration import Declaration

Record = dict[str, object]

MAX_CELL_CHARACTERS: Final = 16 * 1024 * 1024
MAX_CELLS: Final = 50_000_000
# The csv module has one limit for the whole process, and at 131,072 it refuses texts that are not large at all.
csv.field_size_limit(MAX_CELL_CHARACTERS)

_LINE_END = re.compile(r"\r\n|\n|\r")


def read(text: str, declared: Declaration) -> list[Record]:
    """The records of a whole text. Raises declaration.Unreadable naming the line."""
    return list(_records(_lines([text]), declared))


def pages(file: BinaryIO, declared: Declaration, records_per_page: int) -> Iterator[list[Record]]:
    """The records of an open file, so many at a time; memory does not grow with the file.

    Raises declaration.Unreadable, after the pages before the fault.
    """
    read = portions.Portions(file)
    records = _records(_lines(portions.texts(read, declared.encoding)), declared)
    while page := list(islice(records, records_per_page)):
        read.passed()
        yield page


def write(records: object, declared: Declaration) -> str:
    """The CSV of records: each column that any of them has, in the order they are first seen.

    A single object is a list of one. What is not text is written as JSON, null as nothing. Raises
    declaration.Unwritable for anything else than objects, and for too many columns in too many rows.
    """
    rows = _objects(records)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if len(rows) * len(columns) > MAX_CELLS:
        raise declaration.Unwritable(
            f"CSV of {len(columns):,} columns in {len(rows):,} rows is too large; send it in batches."
        )
    written = _Written()
    writer = csv.writer(
        written, delimiter=declared.delimiter, quotechar=declared.quote, lineterminator="\r\n"
    )
    if columns and declared.has_header:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return "".join(written.parts)


class _Reader(Protocol):
    """What csv.reader makes."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


class _Written:
    """Where the csv module writes to."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, part: str) -> None:
        self.parts.append(part)


def _objects(records: object) -> list[Record]:
    if records is None:
        return []
    rows: list[Any] = records if isinstance(records, list) else [records]
    for at, row in enumerate(rows):
        if not isinstance(row, dict):
            raise declaration.Unwritable(
                f"CSV is written of objects, but item {at} is none; make objects of them with a map."
            )
    return rows


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def _records(lines: Iterator[str], declared: Declaration) -> Iterator[Record]:
    reader = csv.reader(lines, delimiter=declared.delimiter, quotechar=declared.quote, strict=True)
    try:
        yield from _named(reader, declared.has_header)
    except csv.Error as error:
        raise declaration.Unreadable(f"Line {reader.line_num:,} is not valid CSV: {error}.") from None


def _named(reader: _Reader, has_header: bool) -> Iterator[Record]:
    rows = filter(None, reader)
    columns = _columns(next(rows, []), reader.line_num) if has_header else []
    for row in rows:
        if len(row) > len(columns):
            if has_header:
                raise _too_long(row, columns, reader.line_num)
            columns += [_numbered(at) for at in range(len(columns), len(row))]
        # Nothing is filled in for what a short row lacks: a wide header would make a large body of a small one.
        yield dict(zip(columns, row, strict=False))


def _too_long(row: list[str], columns: list[str], line: int) -> declaration.Unreadable:
    return declaration.Unreadable(
        f"Line {line:,} has {len(row):,} cells, but there are {len(columns):,} columns."
    )


def _columns(row: list[str], line: int) -> list[str]:
    columns = [name or _numbered(at) for at, name in enumerate(row)]
    if twice := next((name for name, times in Counter(columns).items() if times > 1), None):
        raise declaration.Unreadable(
            f"Line {line:,} names the column '{twice[:40]}' twice; rename it, or declare header=absent."
        )
    return columns


def _numbered(at: int) -> str:
    return f"column_{at + 1}"


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """The lines, with their ends. A CR at the end of a part may be the first half of one."""
    rest = ""
    for text in texts:
        rest += text
        start = 0
        for end in _LINE_END.finditer(rest, 0, len(rest) - rest.endswith("\r")):
            yield rest[start : end.end()]
            start = end.end()
        rest = rest[start:]
        if len(rest) > MAX_CELL_CHARACTERS:
            raise declaration.Unreadable(f"A line is longer than {MAX_CELL_CHARACTERS:,} characters.")
    if rest:
        yield rest
