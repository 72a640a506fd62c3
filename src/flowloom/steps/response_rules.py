"""The rules of a connector about answers: what a status and a body mean, where the author knows better."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from flowloom import errors
from flowloom.domain import comparison, conditions, templates
from flowloom.steps import answers, contract

Action = Literal["continue", "retry", "fail", "fail_run", "reauthenticate"]
_STATUS = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?")
_HUNDRED: Final = 100


class ResponseRule(contract.Config):
    status: str | list[str] | None = Field(
        None,
        description="Statuses that it is for: 404, 4xx, 200-299, or a list of them; without it any",
        json_schema_extra={"examples": ["404", "4xx", ["409", "500-504"]]},
    )
    where: dict[str, Any] | None = Field(
        None,
        description="A condition on the answer's JSON; an answer that is none does not satisfy it",
        json_schema_extra={"x-template": True, "x-operators": [*comparison.OPERATORS]},
    )
    action: Action = Field(
        description="continue takes the answer as good, retry tries again, fail fails the payload, fail_run the run "
        "whatever would catch it, reauthenticate gets a new access token and tries once more"
    )
    message: str | None = Field(None, max_length=500, description="What the run says instead of the status")


@dataclass(frozen=True, slots=True)
class _Rule:
    statuses: Sequence[range] | None
    where: conditions.Condition | None
    action: Action
    message: str | None

    def is_for(self, status: int) -> bool:
        return self.statuses is None or any(status in statuses for statuses in self.statuses)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the first rule that fits asks for; `message` None is to be said in the usual words."""

    action: Action
    message: str | None

    def outcome(
        self, method: str, response: contract.Response, now: datetime
    ) -> contract.Response | contract.Outcome:
        """What it makes of an answer; one that asks to authenticate has done so in vain."""
        if self.action == "continue":
            return response
        why = self.message or answers.described(method, response)
        if self.action == "retry":
            return contract.Retry(why, answers.retry_after_seconds(response.headers, now))
        error_class = "authentication" if self.action == "reauthenticate" else "rejected"
        return contract.Fail(why, error_class, whole_run=self.action == "fail_run")


class Rules:
    """Compiled rules; the first one that fits an answer decides."""

    def __init__(self, rules: Sequence[_Rule]) -> None:
        self._rules = rules

    def verdict(self, response: contract.Response, scope: templates.Scope) -> Verdict | None:
        """What is asked for of this answer; None leaves it to the usual rules."""
        fitting = [rule for rule in self._rules if rule.is_for(response.status)]
        if not fitting:
            return None
        body = _json(response) if any(rule.where for rule in fitting) else None
        for rule in fitting:
            if rule.where is None or (body is not None and rule.where(body, scope)):
                return Verdict(rule.action, rule.message)
        return None


def compile(rules: Sequence[ResponseRule]) -> Rules:
    """Raises errors.Invalid on the place below `response_rules` that cannot be read."""
    return Rules([_compiled(rule, f"response_rules.{at}") for at, rule in enumerate(rules)])


def _compiled(rule: ResponseRule, place: str) -> _Rule:
    statuses = None
    if rule.status is not None:
        given = [rule.status] if isinstance(rule.status, str) else rule.status
        statuses = [_statuses(text, f"{place}.status") for text in given]
    where = None if rule.where is None else conditions.compile(rule.where, f"{place}.where")
    return _Rule(statuses, where, rule.action, rule.message)


def _statuses(text: str, place: str) -> range:
    found = _STATUS.fullmatch(text.strip().lower())
    if found is None:
        raise errors.Invalid.field(place, f"{text[:50]!r} is no status; write 404, 4xx or 200-299.")
    family, first, last = found.groups()
    if family:
        return range(int(family) * _HUNDRED, (int(family) + 1) * _HUNDRED)
    if last is not None and int(last) < int(first):
        raise errors.Invalid.field(
            place, f"{text[:50]!r} ends before it begins; write the lower status first."
        )
    return range(int(first), int(last or first) + 1)


def _json(response: contract.Response) -> object:
    """The answer's JSON, None when it is none."""
    try:
        return answers.decoded_json(response.body)
    except answers.Unreadable:
        return None
