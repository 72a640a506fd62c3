"""A connector's work on a file server: receives files, each a payload, or writes each payload to a file."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypedDict

from msgspec.structs import replace
from pydantic import Field

from flowloom import errors
from flowloom.domain import declaration, payload, templates
from flowloom.domain.payload import Payload
from flowloom.steps import answers, aside, contract, outside
from flowloom.steps.reading import Reading

_LISTED_AT_ONCE: Final = 100
_MAX_NAME: Final = 255
_MAX_PATH: Final = 4000
_TYPES: Final = {
    ".json": payload.JSON_TYPE,
    ".csv": "text/csv",
    ".txt": payload.TEXT_TYPE,
    ".xml": "text/xml",
}
_GONE: Final = -1
_BYTES_TYPE: Final = "application/octet-stream"

Encode = Callable[[templates.Scope, Payload], bytes]


class Sftp(contract.Config):
    path: str = Field(
        min_length=1,
        max_length=1000,
        description="A directory, or for a receive without a pattern also one file",
        json_schema_extra={"x-template": True},
    )
    pattern: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="A receive's file names, such as `orders-*.csv`; unset, all that are not hidden",
    )
    action: Literal["keep", "delete", "move"] = Field(
        "keep", description="What becomes of a received file, once what it held is recorded"
    )
    move_to: str | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="The directory to move received files to",
        json_schema_extra={"x-template": True},
    )
    file_name: str | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="A send's file, such as `order-[[payload.id]].json`; one that is there is replaced whole",
        json_schema_extra={"x-template": True},
    )


class _Seen(TypedDict):
    """A file that was read, as it was then; its size is _GONE if it was there no more."""

    path: str
    size_bytes: int
    modified: int


class _State(TypedDict):
    """The cursor: which file this is, the next ones' paths, whether there may be more, and what was read last."""

    page: int
    paths: Sequence[str]
    has_more: bool
    read: _Seen | None


def _start() -> _State:
    return {"page": 0, "paths": (), "has_more": True, "read": None}


@dataclass(frozen=True, slots=True)
class _Work:
    """A connector step on a file server, compiled."""

    config: Sftp
    connection_id: int
    timeout_seconds: float
    path: templates.Template
    move_to: templates.Template | None
    file_name: templates.Template | None
    reading: Reading
    encode: Encode

    async def receive(self, context: contract.Context, incoming: Payload) -> contract.Outcome:
        """The file that was read before is recorded by now: only then is it deleted or moved."""
        state: _State = context.cursor if context.cursor is not None else _start()
        try:
            await self._dispose(context, incoming, state["read"])
            paths, has_more = state["paths"], state["has_more"]
            if not paths and has_more:
                paths, has_more = await self._list(context, incoming, state["read"])
            if not paths:
                return contract.Done([])
            return await self._receive(context, incoming, state["page"], paths, has_more)
        except contract.RequestFailed as error:
            return contract.failed(error)
        except answers.Unreadable as error:
            return contract.Fail(f"{paths[0]}: {error}")

    async def _dispose(self, context: contract.Context, incoming: Payload, seen: _Seen | None) -> None:
        if seen is None or seen["size_bytes"] == _GONE or self.config.action == "keep":
            return
        directory = self.move_to.render(context.scope(incoming)) if self.move_to is not None else None
        changed = await context.files(
            outside.FileDone(self.connection_id, outside.File(**seen), directory, self.timeout_seconds)
        )
        if changed:
            context.log("warning", f"{seen['path']} changed since it was read; it stays for the next run.")

    async def _list(
        self, context: contract.Context, incoming: Payload, seen: _Seen | None
    ) -> tuple[Sequence[str], bool]:
        """The next files' paths, and whether there may be more. Raises RequestFailed."""
        found = await context.files(
            outside.FileList(
                self.connection_id,
                _whole(self.path.render(context.scope(incoming))),
                self.config.pattern,
                seen["path"] if seen is not None else "",
                _LISTED_AT_ONCE,
                self.timeout_seconds,
            )
        )
        return [file.path for file in found], len(found) == _LISTED_AT_ONCE

    async def _receive(
        self, context: contract.Context, incoming: Payload, page: int, paths: Sequence[str], has_more: bool
    ) -> contract.Outcome:
        """Raises RequestFailed, answers.Unreadable."""
        path, *left = paths
        may_spill = self.reading.can_be_cut(_content_type(path))
        found = await context.files(
            outside.FileRead(self.connection_id, path, may_spill, self.timeout_seconds)
        )
        seen: _Seen = {"path": path, "size_bytes": _GONE, "modified": 0}
        if found:
            seen = {"path": path, "size_bytes": found[0].size_bytes, "modified": found[0].modified}
        else:
            context.log("warning", f"{path} is gone; it was there when the directory was read.")
        is_end = not left and not has_more and self.config.action == "keep"
        following: _State = {"page": page + 1, "paths": left, "has_more": has_more, "read": seen}
        cursor = None if is_end else following
        return await self._made(
            context, replace(incoming, position=f"{incoming.position}.{page}"), found, cursor
        )

    async def _made(
        self, context: contract.Context, like: Payload, found: Sequence[outside.File], cursor: _State | None
    ) -> contract.Done:
        """What the file that was found becomes: a payload, or pages where it is large. Raises answers.Unreadable."""
        if not found:
            return contract.Done([], cursor)
        file = found[0]
        name = posixpath.basename(file.path)
        size_bytes = len(file.content) if file.spilled is None else file.size_bytes
        like = replace(like, meta={**like.meta, "file_name": name, "file_size": str(size_bytes)})
        if file.spilled is not None:
            pages = self.reading.pages(file.spilled, _content_type(file.path), like, file.path)
            return contract.Done([], cursor, pages=pages)
        return contract.Done([await aside.run(len(file.content), self._payload, context, file, like)], cursor)

    def _payload(self, context: contract.Context, file: outside.File, like: Payload) -> Payload:
        """Raises answers.Unreadable."""
        whole = self.reading.whole(file.content, _content_type(file.path))
        read = self.reading.picked(whole, context)
        return replace(like, body=read.body, content_type=read.content_type, size_bytes=len(file.content))

    async def send(self, context: contract.Context, incoming: Payload) -> contract.Outcome:
        scope = context.scope(incoming)
        assert self.file_name is not None
        name = self.file_name.render(scope)
        if not _is_name(name):
            return contract.Fail(
                f"'{name[:100]}' is no file name: use no slash and at most {_MAX_NAME} bytes."
            )
        try:
            content = await aside.run(incoming.size_bytes, self.encode, scope, incoming)
            path = _whole(posixpath.join(self.path.render(scope), name))
            await context.files(
                outside.FileWrite(
                    self.connection_id,
                    path,
                    content,
                    context.idempotency_key(content)[:12],
                    self.timeout_seconds,
                )
            )
        except declaration.Unwritable as error:
            return contract.Fail(f"The payload cannot be written. {error.why}")
        except contract.RequestFailed as error:
            return contract.failed(error)
        meta = {**incoming.meta, "file_name": name, "file_size": str(len(content))}
        return contract.Done(
            [Payload(incoming.body, incoming.content_type, meta, incoming.position, incoming.size_bytes)]
        )


def _content_type(path: str) -> str:
    """What a file is, by how its name ends."""
    return _TYPES.get(posixpath.splitext(path)[1].lower(), _BYTES_TYPE)


def _is_name(name: str) -> bool:
    is_usable = name not in ("", ".", "..") and not any(mark in name for mark in "/\\\0\r\n")
    return is_usable and len(name.encode()) <= _MAX_NAME


def _whole(path: str) -> str:
    """Raises RequestFailed for what no server could have."""
    if not path or "\0" in path or len(path) > _MAX_PATH:
        raise contract.RequestFailed(
            f"'{path[:100]}' is no path on a server.", passing=False, error_class="data"
        )
    return path


def compile(
    config: Sftp,
    connection_id: int,
    timeout_seconds: float,
    reading: Reading,
    encode: Encode,
    *,
    is_send: bool,
) -> contract.Run:
    """`reading` is of a file's content by its type, `encode` makes what is sent. Raises errors.Invalid."""
    _require_fitting(config, is_send=is_send)
    work = _Work(
        config,
        connection_id,
        timeout_seconds,
        templates.compile(config.path, "sftp.path"),
        None if config.move_to is None else templates.compile(config.move_to, "sftp.move_to"),
        None if config.file_name is None else templates.compile(config.file_name, "sftp.file_name"),
        reading,
        encode,
    )
    return work.send if is_send else work.receive


def _require_fitting(config: Sftp, *, is_send: bool) -> None:
    if is_send and config.file_name is None:
        raise errors.Invalid.field("sftp.file_name", "A send needs the name of the file to write.")
    direction = "send" if is_send else "receive"
    own = {"path", "file_name"} if is_send else {"path", "pattern", "action", "move_to"}
    for name in sorted(config.model_fields_set - own):
        if getattr(config, name) not in (None, "keep"):
            raise errors.Invalid.field(f"sftp.{name}", f"A {direction} has no {name}; remove it.")
    if (config.action == "move") != (config.move_to is not None):
        message = "A move needs the directory in move_to, and only a move has one."
        raise errors.Invalid.field("sftp.move_to", message)
