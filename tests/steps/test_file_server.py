"""A receive of files, call by call: nothing is deleted or moved before what it held is recorded."""

from __future__ import annotations

from typing import Any

from flowloom.domain.payload import Payload
from flowloom.steps import contract, outside

from .pure import FakeContext, compiled

SIZE, MODIFIED = 2, 7


class Served(FakeContext):
    """Answers for a directory of files that hold `1`; notes what it was asked."""

    def __init__(self, *paths: str) -> None:
        super().__init__()
        self.paths = list(paths)
        self.asked: list[str] = []
        self.gone = ""

    async def files(self, request: outside.FileRequest) -> list[outside.File]:
        match request:
            case outside.FileList(after=after, limit=limit):
                self.asked.append("list")
                return [outside.File(path, SIZE, MODIFIED) for path in self.paths if path > after][:limit]
            case outside.FileRead(path=path):
                self.asked.append(f"read {path}")
                return [outside.File(path, SIZE, MODIFIED, b"1")] if path != self.gone else []
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
