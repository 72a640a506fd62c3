"""The trigger: the payload goes on as it came, whatever it is."""

from __future__ import annotations

from flowloom.domain.payload import Payload

from .pure import run


def test_the_payload_goes_on() -> None:
    assert run("trigger", {}, "a;b", content_type="text/csv").payloads == [Payload("a;b", "text/csv")]
