"""The body that a connector sends: a JSON tree or a text with templates, or the payload itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from flowloom.domain import bulk, payload, templates
from flowloom.domain.payload import Payload
from flowloom.steps import conversion, pagination
from flowloom.steps.conversion import Format, FormatName


@dataclass(frozen=True, slots=True)
class Body:
    """What to send: a JSON tree, a text, or (neither) the payload itself."""

    tree: templates.Tree | None = None
    text: templates.Template | None = None
    send_format: FormatName | None = None
    format: Format | None = None

    def encode(
        self, scope: templates.Scope, incoming: Payload, cursor: pagination.InBody | None
    ) -> tuple[bytes, str]:
        """The bytes and their content type; `cursor` stands in the JSON object besides what the author wrote.

        Raises declaration.Unwritable.
        """
        if cursor is not None:
            value = {} if self.tree is None else self.tree.value(scope)
            return bulk.encode(cursor.put_into(value)), payload.JSON_TYPE
        if self.tree is not None:
            return bulk.encode(self.tree.value(scope)), payload.JSON_TYPE
        if self.text is None:
            return conversion.written(incoming, self.send_format, self.format)
        value = self.text.value(scope)
        if isinstance(value, str):
            return value.encode(), f"{payload.TEXT_TYPE}; charset=utf-8"
        return bulk.encode(value), payload.JSON_TYPE


def compile(body: object, headers: Mapping[str, object], absent: Body | None) -> Body | None:
    """The body of a step's config; `absent` where it has none.

    Raises errors.Invalid on the place below `body` whose template is wrong.
    """
    if body is None:
        return absent
    if not isinstance(body, str):
        return Body(tree=templates.compile_tree(body, "body"))
    given = [str(value) for name, value in headers.items() if name.lower() == "content-type"]
    if not given or payload.is_json_type(given[0]):
        try:
            return Body(tree=templates.compile_tree(msgspec.json.decode(body), "body"))
        except (msgspec.DecodeError, RecursionError):
            pass
    return Body(text=templates.compile(body, "body"))
