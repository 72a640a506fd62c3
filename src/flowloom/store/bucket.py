"""Large bodies as objects in a bucket of S3 or of what speaks like it. The library is loaded with the first bucket."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import structlog

from flowloom import errors

if TYPE_CHECKING:
    from obstore.store import S3Store

T = TypeVar("T")
log = structlog.get_logger(__name__)

SETTING: Final = "FLOWLOOM_BLOB_URL"
# What is slower than this counts as down: the run waits, and no thread waits with it for long.
CLIENT: Final[Any] = {"connect_timeout": "3s", "read_timeout": "10s", "timeout": "120s"}
RETRIES: Final[Any] = {"max_retries": 2, "retry_timeout": timedelta(seconds=5)}
REFUSED: Final = (
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
)
_CODE: Final = re.compile(r"<Code>(\w+)</Code>")


class Bucket:
    """The objects below a URL `s3://bucket/prefix?endpoint=...&region=...`.

    Who may use it says the environment, as for every program that speaks to S3 (AWS_ACCESS_KEY_ID and so on), or the
    URL itself: `s3://key:secret@bucket`.
    """

    def __init__(self, url: str) -> None:
        """Raises errors.Invalid without the library."""
        parts = urlsplit(url)
        asked = dict(parse_qsl(parts.query))
        self._bucket = (parts.netloc.rpartition("@")[2]).partition(":")[0]
        self._endpoint = asked.get("endpoint")
        self._store = _open(
            self._bucket, parts.path.strip("/"), _config(parts.username, parts.password, asked)
        )

    def check(self) -> list[str]:
        """Why it does not answer now; raises errors.Invalid for what no waiting mends: no bucket, no right to it."""
        try:
            self._ask(lambda store: next(iter(_library().list(store, chunk_size=1)), None))
        except PermissionError as error:
            raise errors.Invalid.field(SETTING, f"{SETTING}: {error.strerror}; {_RIGHTS}.") from error
        except _NoBucket as error:
            raise errors.Invalid.field(
                SETTING, f"{SETTING}: {error.strerror}; make it, or name another one."
            ) from error
        except OSError as error:
            return [str(error.strerror)]
        return []

    def put(self, name: str, content: bytes) -> None:
        """An object is there whole or not at all; one that is there already is the same."""
        self._ask(lambda store: _library().put(store, _key(name), content))

    def get(self, name: str) -> bytes:
        return self._ask(lambda store: bytes(_library().get(store, _key(name)).bytes()))

    def has(self, name: str) -> bool:
        try:
            self._ask(lambda store: _library().head(store, _key(name)))
        except FileNotFoundError:
            return False
        return True

    def remove(self, name: str) -> None:
        self._ask(lambda store: _library().delete(store, _key(name)))

    def names(self) -> Iterator[str]:
        chunks = iter(_library().list(self._store, chunk_size=1000))
        while chunk := self._ask(lambda _store: next(chunks, None)):
            yield from (one["path"].rpartition("/")[2] for one in chunk)

    def _ask(self, work: Callable[[S3Store], T]) -> T:
        """What the bucket answers. Raises OSError whose reason can be shown; see _reason."""
        from obstore.exceptions import BaseError

        try:
            return work(self._store)
        except (BaseError, OSError) as error:
            raise self._reason(str(error), error) from error

    def _reason(self, said: str, error: Exception) -> OSError:
        found = _CODE.search(said)
        code = found[1] if found else ""
        log.debug("bucket_refused", bucket=self._bucket, code=code, reason=said.partition("\n")[0][:300])
        if code == "NoSuchBucket":
            return _NoBucket(errno.ENODEV, f"there is no bucket {self._bucket}{self._where()}")
        if isinstance(error, FileNotFoundError):
            return FileNotFoundError(errno.ENOENT, "it is not in the bucket")
        if code in REFUSED or "403 Forbidden" in said:
            return PermissionError(
                errno.EACCES, f"bucket {self._bucket}{self._where()} refuses the credentials"
            )
        if "redential" in said:
            return PermissionError(errno.EACCES, f"no credentials were found for bucket {self._bucket}")
        return OSError(errno.EIO, f"bucket {self._bucket}{self._where()} does not answer")

    def _where(self) -> str:
        return f" at {self._endpoint}" if self._endpoint else ""


class _NoBucket(OSError):
    """The bucket is not there."""


_RIGHTS: Final = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to those of one who may list, get, put and delete there"
)


def _library() -> Any:
    try:
        import obstore
    except ImportError:
        raise errors.Invalid.field(
            SETTING, f"{SETTING} names a bucket, which takes one more library: pip install 'flowloom[s3]'."
        ) from None
    return obstore


def _open(bucket: str, prefix: str, config: dict[str, Any]) -> S3Store:
    _library()
    from obstore.store import S3Store

    return S3Store(bucket, prefix=prefix or None, retry_config=RETRIES, **config)


def _config(key: str | None, secret: str | None, asked: dict[str, str]) -> dict[str, Any]:
    """What the URL says; what it does not say is read from the environment by the library."""
    # One body is removed at a time, and not everything that speaks like S3 knows the request for many.
    config: dict[str, Any] = {"client_options": dict(CLIENT), "disable_bulk_delete": True}
    if endpoint := asked.get("endpoint"):
        # A server of one's own seldom has a name for each bucket.
        config |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
        config["client_options"]["allow_http"] = endpoint.startswith("http://")
    if region := asked.get("region"):
        config["region"] = region
    if key and secret:
        config |= {"access_key_id": unquote(key), "secret_access_key": unquote(secret)}
    return config


def _key(name: str) -> str:
    return f"{name[:2]}/{name}"
