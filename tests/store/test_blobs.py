"""Payload bodies at rest: what stays inline, what is kept elsewhere, in a folder or a bucket, and when it goes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests import s3

from flowloom import errors
from flowloom.domain.payload import Payload
from flowloom.settings import Settings
from flowloom.store import blobs

NOISE = random.Random(7).randbytes(200_000)
LATE = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
DAY = timedelta(days=1)


class Clock:
    now = LATE

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.S3]:
    with s3.server(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(params=["own", "folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[blobs.Blobs]:
    url = None
    if request.param == "folder":
        url = f"file://{tmp_path}"
    if request.param == "bucket":
        url = request.getfixturevalue("one_server").url()
    made = blobs.open_blobs(url, tmp_path, clock)
    yield made
    for name in made.settled(clock.now + 10 * DAY):
        made.remove(name, clock.now + 10 * DAY)


def kept(store: blobs.Blobs) -> list[str]:
    return list(store.settled(LATE + 10 * DAY))


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"x" * 511, b"x" * 512, b"x" * 5_000_000, NOISE[:65_530], NOISE[:70_000], NOISE * 40]
)
def test_what_is_packed_comes_back(store: blobs.Blobs, raw: bytes):
    packed = store.pack(raw)
    assert packed.size_bytes == len(raw)
    assert store.unpack(packed.encoding, packed.body, packed.blob) == raw


def test_small_bodies_are_inline_and_large_ones_one_per_content_and_day(store: blobs.Blobs, clock: Clock):
    assert store.pack(b"x" * 600).encoding == "zlib"
    assert store.pack(b"x" * 1_000_000).blob is None
    assert store.pack(NOISE[: blobs.INLINE_BYTES]).blob is None
    assert kept(store) == []
    first, second = store.pack(NOISE), store.pack(NOISE)
    assert first == second
    assert kept(store) == [first.blob]
    clock.now += timedelta(seconds=1)
    other = store.pack(NOISE)
    assert sorted(kept(store)) == sorted([first.blob, other.blob])
    assert blobs.is_same(first.blob, other.blob)
    assert not blobs.is_same(first.blob, store.pack(NOISE + b"x").blob)


def test_a_body_stays_until_a_row_that_names_it_cannot_be_on_its_way(store: blobs.Blobs, clock: Clock):
    packed = store.pack(NOISE)
    assert packed.blob is not None
    # Written in the last second of its day; a day later it may go.
    almost = LATE + DAY
    assert list(store.settled(almost)) == []
    store.remove(packed.blob, almost)
    assert store.has(packed.blob)
    # Whoever needs the same content again by then has another name for it.
    clock.now = almost + timedelta(seconds=1)
    again = store.pack(NOISE)
    assert list(store.settled(clock.now)) == [packed.blob]
    for _ in range(2):
        store.remove(packed.blob, clock.now)
    with pytest.raises(errors.Missing):
        store.unpack(packed.encoding, packed.body, packed.blob)
    assert not store.has(packed.blob)
    assert store.unpack(again.encoding, again.body, again.blob) == NOISE


def test_a_body_of_an_older_version_is_read_and_removed(tmp_path: Path, clock: Clock):
    store = blobs.open_blobs(None, tmp_path, clock)
    packed = store.pack(NOISE)
    assert packed.blob is not None
    old = packed.blob[:48] + "0" * 16
    [path] = tmp_path.rglob(packed.blob)
    path.rename(path.with_name(old))
    assert store.unpack("zlib", None, old) == NOISE
    assert blobs.is_same(old, packed.blob)
    store.remove(old, clock.now)
    assert not store.has(old)


def refused(url: str, tmp_path: Path, clock: Clock) -> str:
    with pytest.raises(errors.Invalid) as caught:
        blobs.open_blobs(url, tmp_path, clock)
    assert list(caught.value.errors) == ["FLOWLOOM_BLOB_URL"]
    assert s3.SECRET not in caught.value.message
    return caught.value.message


def test_a_start_says_what_is_wrong_with_a_bucket(one_server: s3.S3, tmp_path: Path, clock: Clock):
    assert "there is no bucket nothing at http://127.0.0.1" in refused(
        one_server.url("nothing"), tmp_path, clock
    )
    for url in (one_server.url(secret="wrong"), one_server.url(key="NOBODY")):
        message = refused(url, tmp_path, clock)
        assert "bodies at http://127.0.0.1" in message
        assert "refuses the credentials; set AWS_ACCESS_KEY_ID" in message


def test_credentials_may_come_from_the_environment(
    one_server: s3.S3, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    url = one_server.url().replace(f"{s3.KEY}:{s3.SECRET}@", "")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.SECRET)
    store = blobs.open_blobs(url, tmp_path, clock)
    assert store.unpack("zlib", None, store.pack(NOISE).blob) == NOISE
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert "refuses the credentials" in refused(url, tmp_path, clock)


def test_what_is_shown_of_a_setting_hides_its_secret(one_server: s3.S3):
    loaded = Settings.load({"FLOWLOOM_BLOB_URL": one_server.url()})
    assert s3.SECRET not in f"{loaded!r} {loaded}"


def test_a_bucket_that_goes_and_comes_again(s3_server: s3.S3, tmp_path: Path, clock: Clock):
    store = blobs.open_blobs(s3_server.url(), tmp_path, clock)
    packed = store.pack(NOISE)
    s3_server.stop()
    with pytest.raises(errors.Busy, match=r"bucket bodies at http.* does not answer"):
        store.pack(NOISE + b"x")
    with pytest.raises(errors.Busy, match="cannot be read now"):
        store.unpack(packed.encoding, packed.body, packed.blob)
    assert "does not answer" in store.faults()[0]
    # A start waits for it, as for a disk that is full.
    assert blobs.open_blobs(s3_server.url(), tmp_path, clock).faults()
    s3_server.start()
    assert store.faults() == []
    assert store.unpack(packed.encoding, packed.body, packed.blob) == NOISE
    assert len(s3_server.objects()) == 1


def test_a_bucket_that_is_gone_is_no_body_that_is_gone(s3_server: s3.S3, tmp_path: Path, clock: Clock):
    store = blobs.open_blobs(s3_server.url(), tmp_path, clock)
    packed = store.pack(NOISE)
    s3_server.stop()
    (s3_server.home / "bodies").rename(s3_server.home / "elsewhere")
    s3_server.start()
    with pytest.raises(errors.Busy, match="there is no bucket bodies"):
        store.unpack(packed.encoding, packed.body, packed.blob)


def test_a_shared_folder_must_be_there(tmp_path: Path, clock: Clock):
    share = tmp_path / "a share"
    url = f"file://{str(share).replace(' ', '%20')}"
    assert "make it, or mount what it is on" in refused(url, tmp_path, clock)
    share.mkdir()
    store = blobs.open_blobs(url, tmp_path, clock)
    packed = store.pack(NOISE)
    share.rename(tmp_path / "unmounted")
    with pytest.raises(errors.Busy, match="is not there"):
        store.unpack(packed.encoding, packed.body, packed.blob)
    with pytest.raises(errors.Busy, match="cannot be written now"):
        store.pack(NOISE + b"x")


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
