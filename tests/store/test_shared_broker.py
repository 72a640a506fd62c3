"""What the broker of several processes asks of the wire, whatever is at its other end."""

from __future__ import annotations

from typing import Any

from flowloom.store import shared_broker


class Wire:
    """Notes what is listened to."""

    is_up = False

    def __init__(self) -> None:
        self.heard: list[str] = []

    def listen(self, subject: str, _handler: Any) -> None:
        self.heard.append(subject)

    async def hear(self, subject: str, handler: Any) -> None:
        self.listen(subject, handler)

    def on_change(self, _noticed: Any) -> None:
        pass


async def test_only_who_leads_hears_that_runs_may_be_ready() -> None:
    """A hundred workers that say so fifty times a second would hear each other half a million times."""
    wire = Wire()
    broker = shared_broker.SharedBroker(wire, "flowloom", 30.0)  # type: ignore[arg-type]
    assert "flowloom.nudge" not in wire.heard
    for _ in range(2):
        await broker.wait_for_nudge(0)
    assert wire.heard.count("flowloom.nudge") == 1
