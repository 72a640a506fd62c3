"""Lists in large JSON files: the pages are what the whole would be, in memory that does not grow."""

from __future__ import annotations

import io
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom.domain import bulk, declaration, portions
from flowloom.domain.payload import compile_path
from flowloom.steps import answers, large

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab.", max_size=4), inner, max_size=3)
    ),
)


def items(raw: bytes, path: list[str], size: int = 2) -> list[Any]:
    pages = list(large.json_pages(io.BytesIO(raw), path, size))
    assert all(len(page) == size for page in pages[:-1])
    assert all(pages)
    return [item for page in pages for item in page]


def typed(value: Any) -> Any:
    """A value with the types of its numbers, which Python takes for equal."""
    if isinstance(value, dict):
        return {key: typed(part) for key, part in value.items()}
    return [typed(part) for part in value] if isinstance(value, list) else (type(value), value)


@given(
    st.lists(JSON), JSON, st.integers(1, 3), st.lists(st.sampled_from(["a", "b", "item", "x.y"]), max_size=3)
)
def test_the_pages_are_the_list(whole: list[Any], other: Any, size: int, path: list[str]) -> None:
    body: Any = whole
    for key in reversed(path):
        body = {"first": other, f"{key}.item": [other], key: body, "last": other}
    raw = msgspec.json.encode(body)
    assert typed(items(raw, path, size)) == typed(whole)


@pytest.mark.parametrize(
    "number", ["-0", "-0.0", "1e2", "1E-400", "18446744073709551616", "12345678901234567890123", "0.1", "1.0"]
)
def test_numbers_are_as_they_are_elsewhere(number: str) -> None:
    assert typed(items(f"[{number}]".encode(), [])) == typed(bulk.decode(f"[{number}]".encode()))


@pytest.mark.parametrize(
    ("raw", "path", "said"),
    [
        (b'{"a": {"b": 1}}', ["a", "b"], "there is no list at 'a.b'"),
        (b'{"a": {"item": [1]}}', ["a"], "there is no list at 'a'"),
        (b'{"a.b": [1]}', ["a", "b"], "there is no list at 'a.b'"),
        (b'{"x": {"a": [1]}}', ["a"], "there is no list at 'a'"),
        (b'[{"a": [1]}]', ["a"], "there is no list at 'a'"),
        (b'{"a": 1}', [], "there is no list in the answer"),
        (b"null", ["a"], "there is no list at 'a'"),
        (b"", [], "not valid JSON"),
        (b"[1, 2", [], "not valid JSON"),
        (b"[NaN]", [], "not valid JSON"),
        (b"[1e400]", [], "out of range"),
        (b'{"a": [1], "b": }', ["a"], "not valid JSON"),
        (b"[" * 600 + b"]" * 600, [], "nested deeper than 64"),
    ],
)
def test_faults(raw: bytes, path: list[str], said: str) -> None:
    with pytest.raises(answers.Unreadable) as caught:
        items(raw, path)
    assert said in str(caught.value)


@pytest.mark.parametrize("large", [b'["%b"]', b'[{"a":[%b]}]', b'{"x":"%b","data":[]}'])
def test_an_item_that_is_enormous(large: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "MAX_RECORD_BYTES", 300_000)
    small = b'{"x":[%b],"data":[%b],"y":[%b]}' % ((b",".join([b"10"] * 300_000),) * 3)
    assert len(items(small, ["data"])) == 300_000
    with pytest.raises(declaration.Unreadable, match="One record is over 300,000 bytes"):
        items(large.replace(b"%b", b"1" + b",1" * 400_000), ["data"] if b"data" in large else [])


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        ("json", None, True),
        ("json", "a.b", True),
        ("json", "a.*.b", False),
        ("csv", None, True),
        ("csv", "a", False),
        ("xml", "a.b", True),
        ("xml", "a", False),
        ("xml", None, False),
        ("xml", "a.*.b", False),
        ("xml", "a.0", False),
        ("xml", "a.@b", False),
        ("xml", "a.#text", False),
        ("text", None, False),
        ("bytes", None, False),
    ],
)
def test_what_can_be_cut(kind: Any, path: str | None, expected: bool) -> None:
    assert large.can_be_cut(kind, compile_path(path)) is expected


def test_the_pages_before_a_fault_come_first() -> None:
    pages = large.json_pages(io.BytesIO(b"[" + b"1," * 100_000 + b"x]"), [], 1000)
    assert next(pages) == [1] * 1000
    with pytest.raises(answers.Unreadable):
        list(pages)


class Records:
    """A file of so many records that is made as it is read."""

    def __init__(self, count: int) -> None:
        self.left, self.rest = count, b'{"data": [{}'

    def read(self, size: int = -1) -> bytes:
        while self.left and len(self.rest) < size:
            self.left -= 1
            self.rest += b',{"id":%d,"text":"%b"}' % (self.left, b"x" * 100)
            if not self.left:
                self.rest += b"]}"
        part, self.rest = self.rest[:size], self.rest[size:]
        return part


def test_memory_does_not_grow_with_the_file() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        seen = sum(len(page) for page in large.json_pages(Records(count), ["data"], 100))  # type: ignore[arg-type]
        assert seen == count + 1
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(10_000) < 1.5 * peak(1_000)
