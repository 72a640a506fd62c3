"""The way out for e-mail: one message at a time to the SMTP server that the operator named."""

from __future__ import annotations

import asyncio
import email.policy
import email.utils
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from flowloom.steps import contract
from flowloom.store import redaction

TIMEOUT_SECONDS: Final = 30.0
_LASTING_FROM: Final = 500
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message; `id` is equal each time it is sent, so that a receiver can tell."""

    id: str
    to: Sequence[str]
    subject: str
    text: str
    at: datetime


class Mailer:
    """Sends from one address over `url`: smtp:// or smtps://, with user and password where they are needed."""

    def __init__(self, url: str | None, sender: str) -> None:
        self._server = None if url is None else urlsplit(url)
        self._sender = sender

    async def send(self, mail: Mail) -> str | None:
        """Hand a message over; what is to be said of it: the addresses that were refused, or None.

        Raises contract.RequestFailed.
        """
        if self._server is None:
            raise contract.RequestFailed(
                "No e-mail can be sent: the operator names an SMTP server with FLOWLOOM_SMTP_URL.",
                passing=False,
            )
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                refused = await _hand_over(self._server, self._sender, self._message(mail))
        except TimeoutError:
            raise contract.RequestFailed(
                _said(self._server, "gave no answer in time"), passing=True
            ) from None
        return None if not refused else _said(self._server, f"refused {', '.join(refused)}")

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=email.policy.SMTP)
        message["Subject"], message["From"], message["To"] = mail.subject, self._sender, ", ".join(mail.to)
        message["Date"] = email.utils.format_datetime(mail.at)
        message["Message-ID"] = f"<{mail.id}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message


async def _hand_over(server: SplitResult, sender: str, message: EmailMessage) -> Sequence[str]:
    """The addresses that were refused although others were not. Raises contract.RequestFailed."""
    # Loaded with the first message: most servers never send one.
    import aiosmtplib

    try:
        refused, _ = await aiosmtplib.send(message, sender=sender, timeout=TIMEOUT_SECONDS, **_access(server))
    except aiosmtplib.SMTPRecipientsRefused as error:
        codes = [one.code for one in error.recipients]
        words = "; ".join(f"{one.recipient}: {one.code} {one.message}" for one in error.recipients)
        passing = min(codes) < _LASTING_FROM
        raise contract.RequestFailed(_said(server, f"refused {words}"), passing=passing) from error
    except aiosmtplib.SMTPResponseException as error:
        is_of_message = isinstance(error, aiosmtplib.SMTPDataError | aiosmtplib.SMTPSenderRefused)
        passing = not is_of_message or error.code < _LASTING_FROM
        words = f"answered {error.code} {error.message}"
        raise contract.RequestFailed(_said(server, words), passing=passing) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise contract.RequestFailed(_said(server, f"cannot be used: {error}"), passing=True) from error
    except ValueError as error:
        raise contract.RequestFailed(
            f"The message cannot be written as e-mail: {error}.", passing=False
        ) from error
    return list(refused)


def _access(server: SplitResult) -> dict[str, Any]:
    """How to reach the server. A password goes over a secured connection only, or stays on this machine."""
    is_secure, host = server.scheme == "smtps", server.hostname or ""
    must_secure = server.password is not None and host not in _LOOPBACK
    return {
        "hostname": host,
        "port": server.port,
        "username": None if server.username is None else unquote(server.username),
        "password": None if server.password is None else unquote(server.password),
        "use_tls": is_secure,
        "start_tls": None if is_secure or not must_secure else True,
    }


def _said(server: SplitResult, words: str) -> str:
    """A sentence about the server, without the password that it may have sent back."""
    password = unquote(server.password or "")
    # Before it is cut: half of a password is not found.
    told = redaction.text(" ".join(words.split()), [password])
    return f"The SMTP server {server.hostname} {told[:1000].rstrip('.')}."
