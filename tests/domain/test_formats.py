"""Bodies by content type: which are records, what stays of a type, and what a restart finds again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom.domain import formats, payload
from flowloom.domain.payload import Payload, compile_path

JSON, CSV, XML = "application/json", "text/csv", "application/xml"
TYPES = [
    CSV,
    "text/csv; charset=windows-1252; header=absent",
    XML,
    "text/xml; charset=latin-1",
    "text/plain",
    JSON,
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab@#1é", max_size=3), inner, max_size=3)
    ),
)


@given(VALUES, st.sampled_from(TYPES))
def test_what_is_settled_is_what_a_restart_finds(body: Any, content_type: str) -> None:
    made = formats.settled(Payload(body, content_type, {"a": "b"}, "0.3"))
    raw = formats.encode(made.body, made.content_type)
    assert formats.decode(raw, made.content_type) == made.body
    assert formats.settled(made) == made
    assert (made.meta, made.position) == ({"a": "b"}, "0.3")


@pytest.mark.parametrize(
    ("made", "body", "content_type"),
    [
        (Payload([{"a": 1}, {"b": None}], CSV), [{"a": "1", "b": ""}, {"a": "", "b": ""}], CSV),
        (
            Payload([{"a": "→"}], f"{CSV}; charset=ascii; delimiter=|"),
            [{"a": "→"}],
            f'{CSV}; charset=utf-8; delimiter="|"',
        ),
        (Payload({"a": {"b c": "1"}}, XML), {"a": {"b c": "1"}}, JSON),
        (Payload("→", "text/plain; charset=ascii"), "→", "text/plain; charset=utf-8"),
        (Payload(b'"', CSV), b'"', CSV),
    ],
)
def test_settled(made: Payload, body: Any, content_type: str) -> None:
    found = formats.settled(made)
    assert (found.body, found.content_type) == (body, content_type)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        *(("Application/JSON", "json"), ("application/hal+json; a=b", "json"), ("TEXT/csv ;x", "csv")),
        *(("text/tab-separated-values", "csv"), ("text/xml", "xml"), ("application/soap+xml", "xml")),
        *(("image/svg+xml", "bytes"), ("text/html", "text"), ("application/pdf", "bytes"), ("", "bytes")),
    ],
)
def test_kinds(content_type: str, kind: str) -> None:
    assert payload.kind_of(content_type) == kind


@pytest.mark.parametrize(
    ("content_type", "body", "kept"),
    [
        *((CSV, [{"a": 1}], True), (CSV, [], True), (CSV, {"a": 1}, False), (CSV, [1], False)),
        *((XML, {"a": 1}, True), (XML, None, True), (XML, {"a": [1]}, False), (XML, {"a": 1, "b": 2}, False)),
        *((XML, {"@a": 1}, False), (XML, [], False), (JSON, [1], True), ("text/plain", "x", True)),
    ],
)
def test_a_body_keeps_its_type_when_it_is_one(content_type: str, body: Any, kept: bool) -> None:
    assert Payload(None, content_type).with_body(body).content_type == (content_type if kept else JSON)


def test_an_element_of_xml_is_a_list_however_often_it_is_there() -> None:
    path = compile_path("orders.order")
    for body, items in (
        ({"orders": {"order": {"id": "1"}}}, [{"id": "1"}]),
        ({"orders": {"order": [{"id": "1"}, {"id": "2"}]}}, [{"id": "1"}, {"id": "2"}]),
        ({"orders": ""}, []),
    ):
        assert Payload(body, XML).items_at(path) == items
    assert Payload({"orders": {"order": {"id": "1"}}}).items_at(path) is None
