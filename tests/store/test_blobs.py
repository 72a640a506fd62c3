"""Payload bodies at rest: what stays inline, what becomes a file, and when a file goes."""

import os
import random

import pytest

from flowloom import errors
from flowloom.domain.payload import Payload
from flowloom.store import blobs

NOISE = random.Random(7).randbytes(200_000)


@pytest.fixture
def store(tmp_path):
    return blobs.Blobs(tmp_path / "blobs")


def files(tmp_path):
    return [path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


@pytest.mark.parametrize("raw", [b"", b"x", b"x" * 511, b"x" * 512, b"x" * 5_000_000, NOISE[:70_000], NOISE])
def test_what_is_packed_comes_back(store, raw):
    packed = store.pack(raw)
    assert packed.size_bytes == len(raw)
    assert store.unpack(packed.encoding, packed.body, packed.blob) == raw


def test_small_bodies_are_inline_and_large_ones_one_file_per_content(store, tmp_path):
    assert store.pack(b"x" * 600).encoding == "zlib"
    assert store.pack(b"x" * 1_000_000).blob is None
    assert files(tmp_path) == []
    first, second = store.pack(NOISE), store.pack(NOISE)
    assert first == second
    assert files(tmp_path) == [first.blob]


def test_a_file_is_removed_unless_it_was_just_written(store, tmp_path):
    packed = store.pack(NOISE)
    path = next((tmp_path / "blobs").rglob(packed.blob))
    os.utime(path, (1000, 1000))
    store.remove(packed.blob, unless_since=1000)
    assert path.exists()
    store.pack(NOISE)  # somebody needs it again: a row that names it is on its way
    store.remove(packed.blob, unless_since=2000)
    assert path.exists()
    os.utime(path, (1000, 1000))
    store.remove(packed.blob, unless_since=2000)
    store.remove(packed.blob, unless_since=2000)
    with pytest.raises(errors.Missing):
        store.unpack(packed.encoding, packed.body, packed.blob)


@pytest.mark.parametrize(
    "payload",
    [
        Payload({"a": [1, None, "é"]}),
        Payload(None),
        Payload("text", "application/json"),
        Payload("a;b", "Text/X; charset=utf-8"),
        Payload("é", "text/plain; charset=latin-1"),
        Payload([{"a": "1", "b": "€"}], 'Text/CSV; charset=windows-1252; delimiter=";"'),
        Payload({"a": {"@b": "é", "c": ["1", ""]}}, "application/xml; charset=latin-1"),
        Payload(None, "application/xml"),
        Payload(b"\xff\0", "image/png"),
    ],
)
def test_a_body_keeps_its_type(payload):
    assert blobs.decode(blobs.encode(payload), payload.content_type) == payload.body


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b'a\n"', "text/csv"),
        (b"a,b\n1,2,3", "text/csv"),
        (b"<a>", "text/xml"),
        (b"\xff", "text/plain"),
        (b"a", "text/csv; charset=klingon"),
    ],
)
def test_a_body_that_is_not_what_it_says_stays_bytes(raw, content_type):
    body = blobs.decode(raw, content_type)
    assert body == raw
    assert blobs.encode(Payload(body, content_type)) == raw
