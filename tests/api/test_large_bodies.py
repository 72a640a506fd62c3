"""Large bodies are read in a thread, so that the door stays open meanwhile."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.world import World

from flowloom import errors
from flowloom.api import bodies
from flowloom.domain import bulk

TEXT = "x" * (bulk.LARGE_BYTES + 1)


@pytest.fixture
def decoded_in(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads in which bodies were decoded."""
    found: list[threading.Thread] = []
    decode = bodies.decode

    def recording(content: bytes) -> Any:
        found.append(threading.current_thread())
        return decode(content)

    monkeypatch.setattr(bodies, "decode", recording)
    return found


@pytest.mark.parametrize(("text", "is_aside"), [("small", False), (TEXT, True)])
async def test_what_a_webhook_and_an_edit_send(
    sqlite_server: World, decoded_in: list[threading.Thread], text: str, is_aside: bool
) -> None:
    flow = await sqlite_server.flow({"microservice": "manual-payload", "config": {"body": 1}})
    url = urlsplit((await sqlite_server.post(f"/flows/{flow.id}/webhooks", json={"name": "In"})).data["url"])
    draft = (await sqlite_server.post(f"/flows/{flow.id}/versions")).data["id"]
    trigger = (await sqlite_server.get(f"/flow-versions/{draft}/graph")).data["steps"][0]["id"]
    decoded_in.clear()
    called = await sqlite_server.post(f"{url.path}?{url.query}", json={"text": text}, key=None)
    assert called.status == 200
    step = {"microservice": "manual-payload", "parent_id": trigger, "config": {"body": [text]}}
    made = await sqlite_server.post(f"/flow-versions/{draft}/graph/steps", json=step)
    assert made.data["config"]["body"] == [text]
    here = threading.current_thread()
    assert [thread is not here for thread in decoded_in] == [is_aside, is_aside]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'[{"a": "%b"}, {"b": NaN}]' % TEXT.encode(), "invalid character (byte "),
        (b'{"a": "%b", "b": "\xff"}' % TEXT.encode(), "not valid UTF-8"),
        (b'{"a": "%b", "b": "\\ud800"}' % TEXT.encode(), "lone surrogate"),
        (b'{"a": "%b"' % TEXT.encode(), "truncated"),
        (b"[" * 70 + b'"%b"' % TEXT.encode() + b"]" * 70, "deeper than 64"),
    ],
)
def test_what_is_wrong_with_a_large_body_is_said(content: bytes, said: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        bodies.decode(content)
    assert said in caught.value.message


def test_the_byte_of_a_fault_counts_from_the_start_of_the_body() -> None:
    content = b'["%b", {"b": NaN}]' % TEXT.encode()
    with pytest.raises(errors.Invalid, match=rf"\(byte {content.index(b'NaN')}\)"):
        bodies.decode(content)
