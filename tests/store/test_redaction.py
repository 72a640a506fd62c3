"""Redaction: a secret is found however it is written, and nothing else is touched."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom.store import redaction

SECRET = 'tök/"en+w\\ord <&> 😀9'
Write = Callable[[str], str]


def every_as_json(secret: str) -> str:
    units = secret.encode("utf-16-be").hex("-", 2).split("-")
    return "".join(f"\\u{unit}" for unit in units)


WAYS: dict[str, Write] = {
    "plain": lambda secret: secret,
    "json": lambda secret: json.dumps(secret)[1:-1],
    "json as it is": lambda secret: json.dumps(secret, ensure_ascii=False).replace("/", "\\/")[1:-1],
    "json all": every_as_json,
    "json all in capitals": lambda secret: every_as_json(secret).upper().replace("\\U", "\\u"),
    "url": quote,
    "url with plus": quote_plus,
    "url all": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "html": html.escape,
    "html decimal": lambda secret: "".join(f"&#{ord(one)};" for one in secret),
    "html hex": lambda secret: "".join(f"&#x{ord(one):04X};" for one in secret),
    "html names": lambda secret: html.escape(secret).replace("/", "&sol;").replace("+", "&plus;"),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 inside": lambda secret: base64.b64encode(f"x{secret}xx".encode()).decode(),
    "base64 for urls": lambda secret: base64.urlsafe_b64encode(f"xy{secret}".encode()).decode().rstrip("="),
    "hex": lambda secret: secret.encode().hex(),
}
named = pytest.mark.parametrize("way", WAYS)


@named
def test_a_secret_is_taken_out_and_what_is_around_it_stays(way: str) -> None:
    written = WAYS[way](SECRET)
    around = ("<", ">") if "inside" not in way and "for urls" not in way else ("", "")
    cleaned = redaction.text(f"{around[0]}{written}{around[1]}", [SECRET])
    if around[0]:
        assert cleaned == "<[redacted]>"
    assert redaction.REDACTED in cleaned
    assert redaction.body(written.encode(), [SECRET]).decode() == redaction.text(written, [SECRET])


@named
def test_escapes_in_a_string_of_json_are_found_too(way: str) -> None:
    """As a server that echoes what it was sent writes it."""
    inner = json.dumps({"echo": f"a\n{WAYS[way](SECRET)} b"})
    for raw in (inner, json.dumps({"body": inner})):
        cleaned = redaction.body(raw.encode(), [SECRET])
        assert redaction.REDACTED in json.dumps(json.loads(cleaned))
        assert b"t\\u00f6k" not in cleaned


@given(st.text(min_size=8, max_size=20), st.sampled_from([*WAYS]), st.text('ab %&\\"\n;u', max_size=9))
def test_any_secret_in_any_way(secret: str, way: str, around: str) -> None:
    if way.startswith("html") and html.unescape(secret) != secret:
        return  # an escape in a secret that is then escaped is read as what it stands for
    written = WAYS[way](secret)
    assert redaction.REDACTED in redaction.text(f"{around} {written} {around}", [secret])


@given(st.binary(max_size=200), st.lists(st.text(max_size=12), max_size=3))
def test_no_bytes_are_too_odd(raw: bytes, secrets: list[str]) -> None:
    cleaned = redaction.body(raw, secrets)
    assert cleaned == raw or redaction.REDACTED.encode() in cleaned or b"0" in cleaned


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso-8859-1", "cp1252"])
def test_a_text_in_another_character_set_stays_in_it(charset: str) -> None:
    raw = "key: geheim-für-dich, ok".encode(charset)
    for content_type in (f'text/plain; charset="{charset}"', "text/plain"):
        if charset == "utf-32" or content_type != "text/plain" or charset != "utf-8":
            cleaned = redaction.body(raw, ["geheim-für-dich"], content_type)
            assert cleaned.decode(charset) == "key: [redacted], ok"


def test_a_character_set_that_nobody_knows_changes_nothing_of_it() -> None:
    assert redaction.body(b"a secret-word", ["secret-word"], "text/plain; charset=klingon") == b"a [redacted]"


def test_a_short_secret_is_left_in_words_of_a_body_only() -> None:
    body = '{"user": "admin", "role": "administrator", "note": "by\\nadmin %20admin", "x": "YWRtaW4="}'
    cleaned = json.loads(redaction.body(body.encode(), ["admin"]))
    assert cleaned == {
        "user": "[redacted]",
        "role": "administrator",
        "note": "by\n[redacted] %20[redacted]",
        "x": "[redacted]",
    }
    assert redaction.text("administrator", ["admin"]) == "[redacted]istrator"


def test_json_stays_json() -> None:
    body = b'{"pin": 123456, "long": 9912345678.5, "ok": true, "none": null, "n": 1234567}'
    cleaned = json.loads(redaction.body(body, ["123456", "12345678", "true", "null"]))
    assert cleaned == {"pin": 0, "long": 990.5, "ok": True, "none": None, "n": 1234567}


def test_a_secret_that_is_what_is_written_instead_is_left() -> None:
    assert redaction.text("[redacted] %20", ["redacted"]) == "[redacted] %20"
