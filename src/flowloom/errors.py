"""The one tree of errors. Each has a kind, mapped once to an HTTP status and once to an exit code.

FlowloomError
├── Unauthenticated   no, unknown or expired credentials
├── Forbidden         the role or the state forbids it
│   └── VersionLocked a version that is not a Draft never changes
├── Missing           no such record for this company
├── Conflict          somebody else changed it meanwhile, or the state does not allow it now
├── Invalid           the input breaks a rule; carries {field: [messages]}; Incomplete where it only lacks something yet
├── BadQuery          an unknown include, sort or filter
├── TooLarge          a body over the limit
├── WrongType         a content type that is not read here
├── TooMany           throttled; carries retry_after_seconds
└── Busy              the database or the queue cannot take it now
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, TypeVar

T = TypeVar("T")


class FlowloomError(Exception):
    """Something the caller can understand and act on; `message` names the thing and the way out."""

    kind: ClassVar[str] = "invalid"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthenticated(FlowloomError):
    kind = "unauthenticated"

    def __init__(self, message: str = "Unauthenticated.") -> None:
        super().__init__(message)


class Forbidden(FlowloomError):
    kind = "forbidden"


class VersionLocked(Forbidden):
    """A version that is Deployed or Inactive never changes."""

    def __init__(self, iteration: int, status: str) -> None:
        super().__init__(f"Version {iteration} is {status}; copy it to a draft to edit it.")


class Missing(FlowloomError):
    kind = "missing"

    def __init__(self, noun: str, id: object) -> None:
        super().__init__(f"{noun} {id} was not found.")


class Conflict(FlowloomError):
    kind = "conflict"


class Invalid(FlowloomError):
    """Input that breaks rules. `errors` is {field: [messages]}; `message` is the first of them."""

    kind = "invalid"

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        self.errors = {field: list(messages) for field, messages in errors.items()}
        super().__init__(next(messages[0] for messages in self.errors.values()))

    @classmethod
    def field(cls, name: str, message: str) -> Invalid:
        """One message about one field."""
        return cls({name: [message]})


class Incomplete(Invalid):
    """Half-filled input: `errors` names only what is missing."""

    @staticmethod
    def gather(parts: Iterable[Callable[[], T]]) -> list[T]:
        """What the parts make. Raises Invalid for the first wrong one, else Incomplete with all that they lack."""
        made, missing = [], {}
        for make in parts:
            try:
                made.append(make())
            except Incomplete as lacking:
                missing.update(lacking.errors)
        if missing:
            raise Incomplete(missing)
        return made


class BadQuery(FlowloomError):
    kind = "bad_query"


class TooLarge(FlowloomError):
    kind = "too_large"


class WrongType(FlowloomError):
    kind = "wrong_type"


class TooMany(FlowloomError):
    kind = "too_many"

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Busy(FlowloomError):
    kind = "busy"


def words(error: BaseException) -> str:
    """What an error of a library says, for the log; the name of its kind where it says nothing."""
    return str(error) or type(error).__name__
