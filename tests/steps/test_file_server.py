"""A receive of files, call by call: nothing is deleted or moved before what it held is recorded."""

from __future__ import annotations

import io
from typing import Any

import pytest

from flowloom.domain.payload import Payload
from flowloom.steps import contract, outside

from .pure import FakeContext, compiled

SIZE, MODIFIED = 2, 7
# A larger content comes as a file where it may.
SMALL = 100


class Served(FakeContext):
    """Answers for a directory of files that hold `1`; notes what it was asked."""

    def __init__(self, *paths: str, content: bytes = b"1") -> None:
        super().__init__()
        self.content = content
        self.paths = list(paths)
        self.asked: list[str] = []
        self.gone = ""

    async def files(self, request: outside.FileRequest) -> list[outside.File]:
        match request:
            case outside.FileList(after=after, limit=limit):
                self.asked.append("list")
                return [outside.File(path, SIZE, MODIFIED) for path in self.paths if path > after][:limit]
            case outside.FileRead(path=path, may_spill=True) if len(self.content) > SMALL:
                file = io.BytesIO(self.content)
                return [outside.File(path, len(self.content), MODIFIED, spilled=file)]
            case outside.FileRead(path=path):
                self.asked.append(f"read {path}")
                return [outside.File(path, SIZE, MODIFIED, self.content)] if path != self.gone else []
            case outside.FileDone(file=file, directory=directory):
                assert (file.size_bytes, file.modified) == (SIZE, MODIFIED)
                self.asked.append(f"move {file.path} to {directory}")
        return []


async def calls(context: Served, **sftp: Any) -> list[tuple[list[str], list[object]]]:
    """What each call asked for, and the bodies it answered."""
    step = compiled(
        "connector", {"direction": "receive", "connection_id": 1, "sftp": {"path": "/in", **sftp}}
    )
    made = []
    while not made or context.cursor is not None:
        context.asked = []
        outcome: Any = await step.run(context, Payload())  # type: ignore[misc, arg-type]
        assert isinstance(outcome, contract.Done), outcome
        made.append((context.asked, [payload.body for payload in outcome.payloads]))
        context.cursor = outcome.cursor
    return made


async def test_a_file_is_moved_at_the_beginning_of_the_next_call() -> None:
    assert await calls(Served("/in/a.json", "/in/b.json"), action="move", move_to="/done") == [
        (["list", "read /in/a.json"], [1]),
        (["move /in/a.json to /done", "read /in/b.json"], [1]),
        (["move /in/b.json to /done"], []),
    ]


async def test_files_that_are_kept_need_no_further_call() -> None:
    assert await calls(Served("/in/a.json")) == [(["list", "read /in/a.json"], [1])]
    assert await calls(Served()) == [(["list"], [])]


async def test_a_file_that_went_away_is_passed_over() -> None:
    context = Served("/in/a.json", "/in/b.json")
    context.gone = "/in/a.json"
    assert [bodies for _, bodies in await calls(context, action="delete")] == [[], [1], []]


async def received(name: str, content: bytes, **config: Any) -> contract.Done:
    """What the receive of one file answers."""
    files = {"sftp": {"path": "/in"}, "direction": "receive", "connection_id": 1}
    step = compiled("connector", {**files, **config})
    outcome: Any = await step.run(Served(f"/in/{name}", content=content), Payload())  # type: ignore[misc, arg-type]
    assert isinstance(outcome, contract.Done), outcome
    return outcome


@pytest.mark.parametrize(
    ("name", "record", "whole", "path"),
    [
        ("a.json", b'{"id":"1"},', b'{"data":[%b{"id":"1"}]}', "data"),
        ("a.csv", b"1\n", b"id\n%b1\n", None),
        ("a.XML", b"<r><id>1</id></r>", b"<o>%b<r><id>1</id></r></o>", "o.r"),
    ],
)
@pytest.mark.parametrize("count", [1, 100])
async def test_a_large_file_is_cut_into_pages(
    name: str, record: bytes, whole: bytes, path: str | None, count: int
) -> None:
    """The records are those of a small one, as is what is said of the file."""
    content = whole % (record * count)
    done = await received(name, content, path=path)
    assert (done.pages is not None) == (len(content) > SMALL)
    [made] = done.pages or done.payloads
    assert made.body == [{"id": "1"}] * (count + 1)
    assert made.meta == {"file_name": name, "file_size": str(len(content))}
    assert made.position.startswith("0.0")


async def test_a_large_file_that_cannot_be_cut_is_asked_for_whole() -> None:
    content = b"<o>%b</o>" % (b"<r>1</r>" * 100)
    done = await received("a.xml", content)
    assert [payload.body for payload in done.payloads] == [{"o": {"r": ["1"] * 100}}]
    assert (await received("a.txt", content)).payloads[0].body == content.decode()


async def test_a_large_file_that_cannot_be_read_is_named() -> None:
    done = await received("a.json", b"[" + b"1," * 100)
    assert done.pages is not None
    with pytest.raises(contract.Broken, match=r"^/in/a\.json cannot be read: the answer is not valid JSON"):
        list(done.pages)
