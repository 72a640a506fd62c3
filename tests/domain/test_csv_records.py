"""CSV: records come back as they were in every dialect, faults name their line, pages are the whole."""

from __future__ import annotations

import csv
import io
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom.domain import csv_records, declaration, formats, portions
from flowloom.domain.declaration import Declaration

CELLS = st.text(
    st.one_of(
        st.sampled_from(" ,;\t|'\"\r\n\\aé€"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"),
    ),
    max_size=8,
)
SEPARATORS = st.lists(st.sampled_from(",;|\t ^'\"~"), min_size=2, max_size=2, unique=True)


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, str]]:
    columns = draw(st.lists(CELLS.filter(bool), min_size=1, max_size=4, unique=True))
    rows = draw(
        st.lists(st.lists(CELLS, min_size=len(columns), max_size=len(columns)), min_size=1, max_size=5)
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


@given(tables(), SEPARATORS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", None]))
def test_records_come_back(records: list[dict[str, str]], separators: list[str], charset: str | None) -> None:
    content_type = Declaration("text/csv", charset, *separators).content_type
    raw = formats.encode(records, content_type)
    assert formats.decode(raw, content_type) == records
    declared = declaration.parse(content_type)
    pages = list(csv_records.pages(io.BytesIO(raw), declared, 2))
    assert [record for page in pages for record in page] == records
    assert all(len(page) == 2 for page in pages[:-1])


@given(tables(), SEPARATORS)
def test_without_a_header_the_columns_are_numbered(
    records: list[dict[str, str]], separators: list[str]
) -> None:
    declared = Declaration("text/csv", None, *separators, has_header=False)
    found = csv_records.read(csv_records.write(records, declared), declared)
    assert [list(row.values()) for row in found] == [list(row.values()) for row in records]
    assert list(found[0]) == [f"column_{at + 1}" for at in range(len(records[0]))]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_every_kind_of_line_end_wherever_a_part_ends(
    end: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "CHUNK_BYTES", size)
    raw = f'\ufeffa,b{end}{end}1,"x{end}é\u2028"{end}2'.encode()
    expected = [{"a": "1", "b": f"x{end}é\u2028"}, {"a": "2"}]
    assert list(csv_records.pages(io.BytesIO(raw), Declaration("text/csv"), 10)) == [expected]
    assert formats.decode(raw, "text/csv") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n\n1,2,3", "Line 4 has 3 cells, but there are 2 columns."),
        ('a\n1\n"x', "Line 3 is not valid CSV: unexpected end of data."),
        ('a\n"x"y', "Line 2 is not valid CSV"),
        ("a,b,a\n", "Line 1 names the column 'a' twice"),
    ],
)
def test_faults_name_their_line(text: str, said: str) -> None:
    with pytest.raises(declaration.Unreadable) as caught:
        csv_records.read(text, Declaration("text/csv"))
    assert caught.value.why.startswith(said)


def test_a_bad_byte_is_named_where_it_stands_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "CHUNK_BYTES", 4)
    pages = csv_records.pages(io.BytesIO(b"a\n1\n2\n\xc3x\n"), Declaration("text/csv"), 1)
    assert next(pages) == [{"a": "1"}]
    with pytest.raises(declaration.Unreadable, match="0xc3 at position 6 is no utf-8"):
        list(pages)


def test_huge_cells_are_read_and_endless_ones_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = "x" * 1_000_000
    assert csv_records.read(f"a\n{cell}\n", Declaration("text/csv")) == [{"a": cell}]
    assert csv.field_size_limit() == csv_records.MAX_CELL_CHARACTERS
    monkeypatch.setattr(csv_records, "MAX_CELL_CHARACTERS", 100_000)
    with pytest.raises(declaration.Unreadable, match="longer than 100,000"):
        list(csv_records.pages(io.BytesIO(b"x" * 200_000), Declaration("text/csv"), 1))


@pytest.mark.parametrize(
    ("records", "text"),
    [
        ([{"a": "1"}, {"b": "2", "a": "3"}], "a,b\r\n1,\r\n3,2\r\n"),
        (
            [{"a": 1, "b": 2.5, "c": True, "d": None, "e": {"x": [1]}}],
            'a,b,c,d,e\r\n1,2.5,true,,"{""x"":[1]}"\r\n',
        ),
        ({"a": "one"}, "a\r\none\r\n"),
        ([{"a": ""}], 'a\r\n""\r\n'),
        ([], ""),
        (None, ""),
    ],
)
def test_what_is_written(records: Any, text: str) -> None:
    assert csv_records.write(records, Declaration("text/csv")) == text


def test_what_is_no_object_cannot_be_written() -> None:
    with pytest.raises(declaration.Unwritable, match="item 1 is none"):
        csv_records.write([{"a": 1}, 5], Declaration("text/csv"))


def test_a_wide_header_over_many_short_rows_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = ",".join(f"c{number}" for number in range(20_000)) + "\n" + "1\n" * 20_000
    records = csv_records.read(wide, Declaration("text/csv"))
    assert records == [{"c0": "1"}] * 20_000
    monkeypatch.setattr(csv_records, "MAX_CELLS", 3)
    with pytest.raises(declaration.Unwritable, match="2 columns in 2 rows is too large"):
        csv_records.write([{"a": 1}, {"b": 1}], Declaration("text/csv"))


def test_nothing_but_a_header_and_columns_without_a_name() -> None:
    assert csv_records.read("a,b\n", Declaration("text/csv")) == []
    assert csv_records.read("a,\n1,2", Declaration("text/csv")) == [{"a": "1", "column_2": "2"}]


def test_a_row_that_is_enormous(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "MAX_RECORD_BYTES", 200_000)
    cell = b'"%b"' % (b"x\n" * 10_000)
    assert (
        len(list(csv_records.pages(io.BytesIO(b"a\n" + (cell + b"\n") * 50), Declaration("text/csv"), 1)))
        == 50
    )
    with pytest.raises(declaration.Unreadable, match="One record is over 200,000 bytes"):
        list(csv_records.pages(io.BytesIO(b",".join([cell] * 50)), Declaration("text/csv"), 1))


class Rows:
    """A file of so many rows that is made as it is read."""

    def __init__(self, count: int) -> None:
        self.left, self.rest = count, b"id;text\r\n"

    def read(self, size: int) -> bytes:
        while self.left and len(self.rest) < size:
            self.left -= 1
            self.rest += b'%d;"%b"\r\n' % (self.left, b"x" * 100)
        part, self.rest = self.rest[:size], self.rest[size:]
        return part


def test_memory_does_not_grow_with_the_file() -> None:
    declared = declaration.parse("text/csv; delimiter=semicolon")

    def peak(count: int) -> int:
        tracemalloc.start()
        pages: Any = csv_records.pages(Rows(count), declared, 100)  # type: ignore[arg-type]
        assert sum(len(page) for page in pages) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(20_000) < 1.5 * peak(2_000)
