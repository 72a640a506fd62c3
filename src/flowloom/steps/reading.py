"""How a connector reads what it receives: whole, or cut into pages where it is too large for memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from flowloom.domain import payload
from flowloom.domain.payload import Path, Payload
from flowloom.steps import answers, contract, large
from flowloom.steps.conversion import Format, FormatName


@dataclass(frozen=True, slots=True)
class Reading:
    """What a connector's config says of it; `needs_records`: what is no records is taken for JSON."""

    response_format: FormatName | None
    format: Format | None
    path: Path
    needs_records: bool

    def whole(self, body: bytes, content_type: str) -> Payload:
        """All of it as a payload. Raises answers.Unreadable."""
        return answers.read(body, content_type, self._wanted(content_type), self.format)

    def picked(self, whole: Payload, context: contract.Context) -> Payload:
        """What stands at the path; with nothing there a warning, and null."""
        if not whole.has_records or self.path is payload.ROOT:
            return whole
        found = whole.records_at(self.path)
        if found is payload.MISSING:
            context.log("warning", f"The answer has nothing at '{self.path.text}'.")
            found = None
        return whole.with_body(found)

    def can_be_cut(self, content_type: str) -> bool:
        """Whether it is read page by page when it is large."""
        return large.can_be_cut(self._wanted(content_type) or payload.kind_of(content_type), self.path)

    def pages(self, file: BinaryIO, content_type: str, like: Payload, source: str) -> Iterator[Payload]:
        """Payloads with the meta of `like` and positions below its own. They raise contract.Broken naming `source`."""
        kind = self._wanted(content_type) or payload.kind_of(content_type)
        return large.payloads(large.Cut(file, kind, content_type, self.format, self.path), like, source)

    def _wanted(self, content_type: str) -> FormatName | None:
        """The format that the config asks for, in words or by what it needs."""
        if self.response_format is None and self.needs_records:
            return None if payload.is_record_type(content_type) else "json"
        return self.response_format
