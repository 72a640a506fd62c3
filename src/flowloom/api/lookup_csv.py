"""A lookup table as CSV: two columns, left and right."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from flowloom import errors

HEADER: Final = ["left", "right"]
MAX_CHARACTERS: Final = 500
MAX_MESSAGES: Final = 20


def write(rows: Sequence[tuple[str, str]]) -> bytes:
    """The CSV of rows, below a header."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows(rows)
    return out.getvalue().encode()


def read(content: bytes, max_rows: int) -> list[tuple[str, str]]:
    """The rows of a CSV file. Raises Invalid on `body`, naming the lines that are wrong."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise errors.Invalid.field("body", "The file is not valid UTF-8.") from None
    rows: dict[str, str] = {}
    faults: list[str] = []
    for line, row in _records(text):
        if fault := _fault(row, rows):
            faults.append(f"Line {line}: {fault}")
            if len(faults) == MAX_MESSAGES:
                break
        elif len(rows) == max_rows:
            raise errors.Invalid.field("body", f"The file has more than {max_rows:,} rows.")
        else:
            rows[row[0]] = row[1]
    if faults:
        raise errors.Invalid({"body": faults})
    return list(rows.items())


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows with the line each ends at, without the header and empty lines. Raises Invalid on `body`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            is_header = reader.line_num == 1 and [name.strip().lower() for name in row] == HEADER
            if row and not is_header:
                yield reader.line_num, row
    except csv.Error as error:
        raise errors.Invalid.field("body", f"Line {reader.line_num}: {error}.") from None


def _fault(row: Sequence[str], rows: dict[str, str]) -> str | None:
    if len(row) != 2:
        return f"a row has two columns, left and right, not {len(row)}."
    left, right = row
    if not left:
        return "the left column is empty."
    if max(len(left), len(right)) > MAX_CHARACTERS:
        return f"a column has up to {MAX_CHARACTERS} characters."
    if "\0" in left or "\0" in right:
        return "the text holds a NUL character."
    return f"'{left[:100]}' stands on the left of an earlier line too." if left in rows else None
