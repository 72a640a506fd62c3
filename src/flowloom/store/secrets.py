"""Secrets: the master key, sealing what is stored, signing what is handed out, redacting what is shown.

A sealed value is `v1.<key id>.<wrapped data key>.<ciphertext>`: AES-GCM under a data key of its own, which is
wrapped by the master key; both are bound to the place the value belongs to (`context`).
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from flowloom import errors
from flowloom.settings import Settings
from flowloom.store import redaction

KEY_FILE = "secret.key"
REDACTED = redaction.REDACTED

_FORMAT = "v1"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key all others are derived from. `id` (8 hex digits) tells keys apart and reveals nothing."""

    id: str
    root: bytes = field(repr=False)

    @classmethod
    def from_text(cls, text: str) -> MasterKey:
        """The key of a passphrase; hex and base64 are passphrases too, their text is what counts."""
        root = hashlib.scrypt(
            text.strip().encode(), salt=b"flowloom master key", n=2**14, r=8, p=1, dklen=_KEY_BYTES
        )
        return cls(id=_derive(root, "id").hex()[:8], root=root)

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, from which neither the master key nor another purpose's can be found."""
        return _derive(self.root, purpose)


def load_key(settings: Settings) -> MasterKey:
    """The key of `settings.secret_key`, else of `secret.key` in the data directory, made when it is missing.

    The file's text may be moved into the setting: both give the same key. Raises errors.Invalid.
    """
    if settings.secret_key is not None:
        return MasterKey.from_text(settings.secret_key)
    path = settings.data_dir / KEY_FILE
    try:
        if not path.exists():
            _create(path)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise _bad_key_file(path, str(fault)) from fault
    if len(text) < _SHORTEST_KEY:
        raise _bad_key_file(path, "it is empty or cut short")
    return MasterKey.from_text(text)


class Vault:
    """Seals, opens and signs with keys derived from one master key."""

    def __init__(self, master: MasterKey) -> None:
        self._id = master.id
        self._wrapper = AESGCM(master.derive("seal"))
        self._signer = master.derive("sign")
        self._digester = master.derive("digest")
        self._jwt = master.derive("jwt")
        # A webhook's URL is verified with each call.
        self._signature = functools.lru_cache(maxsize=1024)(self._signed)

    def seal(self, plaintext: bytes, *, context: str) -> str:
        """Encrypt for one place, such as `connections/7/auth`; only `open` with that context reads it."""
        data_key = AESGCM.generate_key(bit_length=256)
        wrapped = _encrypt(self._wrapper, data_key, context)
        return ".".join((_FORMAT, self._id, wrapped, _encrypt(AESGCM(data_key), plaintext, context)))

    def open(self, sealed: str, *, context: str) -> bytes:
        """What was sealed for `context`. Raises errors.Invalid when key, value or context is another."""
        if not sealed.startswith(f"{_FORMAT}.") or sealed.count(".") != 3:
            raise errors.Invalid.field("secret", f"The secret of {context} is damaged; enter it again.")
        _, key_id, wrapped, ciphertext = sealed.split(".")
        if key_id != self._id:
            raise errors.Invalid.field(
                "secret",
                f"The secret of {context} was sealed with key {key_id}, this server has key {self._id}; "
                f"bring back FLOWLOOM_SECRET_KEY or {KEY_FILE}, or enter the secret again.",
            )
        try:
            data_key = _decrypt(self._wrapper, wrapped, context)
            return _decrypt(AESGCM(data_key), ciphertext, context)
        except (InvalidTag, ValueError):
            raise errors.Invalid.field(
                "secret", f"The secret of {context} was altered or belongs elsewhere; enter it again."
            ) from None

    def sign(self, *parts: str) -> str:
        """A signature over the parts, in order: 43 characters that are safe in a URL."""
        return self._signature(parts)

    def _signed(self, parts: tuple[str, ...]) -> str:
        return _b64(hmac.digest(self._signer, _message(parts), "sha256"))

    def verify(self, signature: str, *parts: str) -> bool:
        """Whether `signature` is the one of these parts, in constant time."""
        return hmac.compare_digest(self.sign(*parts).encode(), signature.encode(errors="replace"))

    def digest(self, *parts: str) -> str:
        """43 characters that are equal for equal parts, and from which nobody without the key finds the parts."""
        return _b64(hmac.digest(self._digester, _message(parts), "sha256"))

    def jwt_key(self) -> bytes:
        """The 32 bytes that login tokens are signed with."""
        return self._jwt


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with each secret replaced, in whatever form it is written; see store/redaction."""
    return redaction.text(text, secrets)


def _message(parts: Iterable[str]) -> bytes:
    # Lengths first, so that ("ab", "c") and ("a", "bc") are told apart.
    return b"".join(len(raw).to_bytes(8) + raw for raw in (part.encode() for part in parts))


def _derive(root: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"flowloom {purpose}".encode()).derive(root)


def _create(path: Path) -> None:
    """Make the key file whole or not at all; of two processes the first wins and both read its key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{os.urandom(_KEY_BYTES).hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        _link_unless_exists(draft, path)
    finally:
        draft.unlink()


def _link_unless_exists(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _bad_key_file(path: Path, why: str) -> errors.Invalid:
    return errors.Invalid.field(
        "FLOWLOOM_SECRET_KEY",
        f"The key file {path} cannot be used: {why}. Bring it back from a backup or set FLOWLOOM_SECRET_KEY.",
    )


def _encrypt(key: AESGCM, plaintext: bytes, context: str) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return _b64(nonce + key.encrypt(nonce, plaintext, context.encode()))


def _decrypt(key: AESGCM, text: str, context: str) -> bytes:
    """Raises InvalidTag, or ValueError when the text is no ciphertext at all."""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as fault:
        raise ValueError("not base64") from fault
    return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
