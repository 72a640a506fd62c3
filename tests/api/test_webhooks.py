"""Webhooks: signed URLs, and signed calls."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from tests.world import World

from flowloom import errors
from flowloom.services import webhooks

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BODY = b'{"test": 2432232314}'


def headers(
    body: bytes = BODY, key: bytes | None = None, id: str = "msg_1", at: float = NOW.timestamp()
) -> dict[str, str]:
    """What a sender adds, as the Standard Webhooks specification says."""
    key = base64.b64decode(SECRET.removeprefix("whsec_")) if key is None else key
    signature = hmac.digest(key, f"{id}.{int(at)}.".encode() + body, "sha256")
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


async def test_a_webhook_is_created_listed_and_deleted(server: World) -> None:
    flow = await server.flow()
    path = f"/flows/{flow.id}/webhooks"
    made = (await server.post(path, json={"name": "Orders in"})).data
    assert made.keys() == {"id", "flow_id", "name", "url", "callback_url", "has_secret", "created_at"}
    assert (made["flow_id"], made["name"], made["has_secret"]) == (flow.id, "Orders in", False)
    assert made["url"].startswith("http://flowloom.test/webhooks/1/01")
    assert (await server.get(path)).data == [made]
    assert (await server.delete(f"{path}/{made['id']}")).json() == {"message": "Webhook deleted."}
    assert (await server.get(path)).data == []
    assert (await server.delete(f"{path}/{made['id']}")).status == 404


async def test_its_url_starts_the_flow_until_it_is_deleted(server: World) -> None:
    flow = await server.flow()
    made = (await server.post(f"/flows/{flow.id}/webhooks")).data
    parts = urlsplit(made["url"])
    called = await server.post(f"{parts.path}?{parts.query}", json={"order": 1}, key=None)
    assert called.status == 200
    assert (await server.get(f"/flow-runs/{called.json()['flow_run_id']}")).data["trigger"] == "Webhook"
    assert (await server.post(f"{parts.path}?signature=x", json={}, key=None)).status == 404
    await server.delete(f"/flows/{flow.id}/webhooks/{made['id']}")
    assert (await server.post(f"{parts.path}?{parts.query}", json={}, key=None)).status == 404


async def test_with_a_secret_calls_must_be_signed(server: World) -> None:
    flow = await server.flow()
    made = (await server.post(f"/flows/{flow.id}/webhooks", json={"secret": SECRET})).data
    assert made["has_secret"]
    assert SECRET not in str(made)
    parts = urlsplit(made["url"])
    url = f"{parts.path}?{parts.query}"
    assert (await server.post(url, body=BODY, key=None)).status == 401
    signed = headers(at=server.clock.now.timestamp())
    first = await server.post(url, body=BODY, headers=signed, key=None)
    assert first.status == 200
    again = await server.post(url, body=BODY, headers=signed, key=None)
    assert again.json()["flow_run_id"] == first.json()["flow_run_id"]
    other = headers(b"{}", at=server.clock.now.timestamp())
    for key in ({}, {"idempotency-key": "another"}):
        assert (await server.post(url, body=b"{}", headers={**other, **key}, key=None)).status == 422
        again = await server.post(url, body=BODY, headers={**signed, **key}, key=None)
        assert again.json()["flow_run_id"] == first.json()["flow_run_id"]


@pytest.mark.parametrize("secret", ["short", "whsec_", "whsec_not base64!", "whsec_c2hvcnQ="])
async def test_weak_secrets_are_refused(server: World, secret: str) -> None:
    flow = await server.flow()
    answer = await server.post(f"/flows/{flow.id}/webhooks", json={"secret": secret})
    assert (answer.status, list(answer.json()["errors"])) == (422, ["secret"])


async def test_webhooks_belong_to_their_flow_and_to_managers(server: World) -> None:
    flow, other = await server.flow(), await server.flow()
    made = (await server.post(f"/flows/{flow.id}/webhooks")).data
    assert (await server.delete(f"/flows/{other.id}/webhooks/{made['id']}")).status == 404
    path = f"/flows/{flow.id}/webhooks"
    assert (await server.get(path, key=server.other_key)).status == 404
    assert (await server.post(path, key=server.other_key)).status == 404
    assert (await server.delete(f"{path}/{made['id']}", key=server.other_key)).status == 404
    # The URL is all that a caller needs, so it is not for readers.
    assert (await server.get(path, key=await server.token("user"))).status == 403


def test_the_example_of_the_specification() -> None:
    given = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = datetime.fromtimestamp(1614265330, UTC)
    assert webhooks.verify_standard(SECRET, given, BODY, at) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_any_of_several_signatures_will_do() -> None:
    given = headers()
    given["webhook-signature"] = f"v1a,xyz v1,b3RoZXI= {given['webhook-signature']}"
    assert webhooks.verify_standard(SECRET, given, BODY, NOW) == "msg_1"


def test_a_secret_of_plain_text_is_the_key_itself() -> None:
    text = "sixteen or more characters"
    assert webhooks.verify_standard(text, headers(key=text.encode()), BODY, NOW) == "msg_1"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "webhook-id is missing"),
        ({**headers(), "webhook-timestamp": ""}, "webhook-timestamp is missing"),
        ({**headers(), "webhook-timestamp": "now"}, "no number of seconds"),
        ({**headers(), "webhook-timestamp": "9" * 400}, "no number of seconds"),
        (headers(at=NOW.timestamp() - 301), "five minutes off"),
        (headers(at=NOW.timestamp() + 301), "five minutes off"),
        (headers(body=b"{}"), "not one of this body"),
        (headers(key=b"another key"), "not one of this body"),
        ({**headers(), "webhook-id": "msg_2"}, "not one of this body"),
        ({**headers(), "webhook-signature": "v1,\xff v2"}, "not one of this body"),
    ],
)
def test_other_calls_are_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(errors.Unauthenticated, match=words):
        webhooks.verify_standard(SECRET, given, BODY, NOW)
