"""Secrets: the key file, sealing and its refusals, signatures, and redaction in every form."""

from __future__ import annotations

import base64
import json
import stat
import threading
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom import errors
from flowloom.settings import Settings
from flowloom.store import secrets
from flowloom.store.secrets import MasterKey, Vault

KEY = MasterKey.from_text("correct horse battery staple")
VAULT = Vault(KEY)


def flip(sealed: str, part: int) -> str:
    parts = sealed.split(".")
    middle = len(parts[part]) // 2
    swapped = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + swapped + parts[part][middle + 1 :]
    return ".".join(parts)


def test_a_key_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "data")
    first = secrets.load_key(settings)
    file = settings.data_dir / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secrets.load_key(settings) == first
    assert [entry.name for entry in settings.data_dir.iterdir()] == ["secret.key"]


def test_the_text_of_the_key_file_is_the_same_key_as_a_setting(tmp_path: Path) -> None:
    made = secrets.load_key(Settings(data_dir=tmp_path))
    text = (tmp_path / "secret.key").read_text()
    assert secrets.load_key(Settings(data_dir=tmp_path / "other", secret_key=text)) == made
    assert not (tmp_path / "other").exists()


def test_many_first_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    together = threading.Barrier(8)
    found: list[MasterKey] = []

    def start() -> None:
        together.wait()
        found.append(secrets.load_key(settings))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40])
def test_a_damaged_key_file_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret.key").write_bytes(content)
    with pytest.raises(errors.Invalid, match="backup"):
        secrets.load_key(Settings(data_dir=tmp_path))
    assert (tmp_path / "secret.key").read_bytes() == content


def test_a_data_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(errors.Invalid, match=r"data.secret\.key cannot be used"):
        secrets.load_key(Settings(data_dir=tmp_path / "data"))


def test_a_master_key_never_shows_itself() -> None:
    assert KEY.root.hex() not in repr(KEY)
    assert repr(KEY.root) not in repr(KEY)


def test_derived_keys_differ_by_purpose_and_by_master() -> None:
    other = MasterKey.from_text("another passphrase")
    keys = {KEY.root, KEY.derive("a"), KEY.derive("b"), other.derive("a"), VAULT.jwt_key()}
    assert len(keys) == 5
    assert len(VAULT.jwt_key()) == 32


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens_again(plaintext: bytes, context: str) -> None:
    sealed = VAULT.seal(plaintext, context=context)
    assert sealed.isascii()
    assert Vault(KEY).open(sealed, context=context) == plaintext


def test_sealing_twice_gives_two_values() -> None:
    assert VAULT.seal(b"hunter2", context="a") != VAULT.seal(b"hunter2", context="a")


def test_a_sealed_value_fails_in_another_place() -> None:
    sealed = VAULT.seal(b"hunter2", context="connections/7")
    with pytest.raises(errors.Invalid, match="connections/8 was altered or belongs elsewhere"):
        VAULT.open(sealed, context="connections/8")


@pytest.mark.parametrize("part", [2, 3])
def test_an_altered_value_fails(part: int) -> None:
    with pytest.raises(errors.Invalid, match="altered"):
        VAULT.open(flip(VAULT.seal(b"hunter2", context="c"), part), context="c")


def test_parts_of_two_values_do_not_mix() -> None:
    first, second = (VAULT.seal(text, context="c").split(".") for text in (b"one", b"two"))
    with pytest.raises(errors.Invalid, match="altered"):
        VAULT.open(".".join([*first[:3], second[3]]), context="c")


@given(st.text(max_size=60) | st.text("v1.AZaz-_=\n", max_size=60).map(lambda tail: f"v1.{KEY.id}.{tail}"))
def test_nonsense_is_refused_clearly(sealed: str) -> None:
    with pytest.raises(errors.Invalid, match="enter"):
        VAULT.open(sealed, context="c")


def test_another_key_is_named_with_the_way_out() -> None:
    other = MasterKey.from_text("another passphrase")
    with pytest.raises(errors.Invalid) as caught:
        Vault(other).open(VAULT.seal(b"hunter2", context="c"), context="c")
    assert KEY.id in caught.value.message
    assert "FLOWLOOM_SECRET_KEY" in caught.value.message


def test_signatures_hold_for_their_parts_only() -> None:
    signature = VAULT.sign("webhook", "1", "ulid")
    assert VAULT.verify(signature, "webhook", "1", "ulid")
    assert len(signature) == 43
    assert quote(signature, safe="") == signature
    for parts in [("webhook", "1ulid"), ("webhook", "1", "other"), ("webhook", "1u", "lid"), ()]:
        assert not VAULT.verify(signature, *parts)
    for wrong in ["", signature[:-1], signature + "=", "é", "\ud800"]:
        assert not VAULT.verify(wrong, "webhook", "1", "ulid")


SECRET = 'p/ä "ss+w\\ord?'


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(SECRET).replace("/", "\\/")[1:-1],
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_every_form_is_redacted(written: str) -> None:
    assert secrets.redact(f"<{written}>", [SECRET]) == "<[redacted]>"


@given(st.text(min_size=4, max_size=30), st.binary(max_size=8), st.binary(max_size=8))
def test_base64_hides_a_secret_at_every_alignment(secret: str, before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()
        assert secrets.REDACTED in secrets.redact(text, [secret])


def test_lower_case_escapes_are_redacted_and_the_rest_stays() -> None:
    assert secrets.redact("k=a%2fB%3a9 a/b", ["a/B:9"]) == "k=[redacted] a/b"


def test_longer_secrets_go_first_and_short_ones_stay() -> None:
    assert (
        secrets.redact("token-1234 token the", ["token", "token-1234", "the", ""])
        == "[redacted] [redacted] the"
    )


def test_nothing_secret_nothing_changed() -> None:
    assert secrets.redact("plain text", []) == "plain text"
