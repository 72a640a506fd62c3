"""The route step: which route takes which record in either mode."""

from __future__ import annotations

from typing import Any

import pytest

from flowloom import errors
from flowloom.steps.contract import Leg

from .pure import compiled, run

SMALL = Leg("1", "small", {"field": "n", "operator": "less", "value": 10})
TINY = Leg("2", "tiny", {"field": "n", "operator": "less", "value": 5})
REST = Leg("3", "rest", None)


def shares(config: dict[str, Any], body: object, *legs: Leg, **payload: Any) -> dict[str, object]:
    outcome = run("route", config, body, legs=legs, **payload)
    return {key: part.body for key, part in outcome.routes.items()}


def test_all_gives_every_route_what_fits() -> None:
    body = [{"n": 1}, {"n": 7}, {"n": 20}]
    assert shares({}, body, SMALL, TINY, REST) == {"1": [{"n": 1}, {"n": 7}], "2": [{"n": 1}], "3": body}


def test_first_gives_a_record_once_in_order() -> None:
    body = [{"n": 1}, {"n": 7}, {"n": 20}]
    parts = shares({"mode": "first"}, body, TINY, SMALL, REST)
    assert parts == {"2": [{"n": 1}], "1": [{"n": 7}], "3": [{"n": 20}]}


def test_an_object_goes_as_a_whole_and_no_fit_goes_nowhere() -> None:
    assert shares({}, {"n": 7}, SMALL, TINY) == {"1": {"n": 7}}
    assert shares({}, {"n": 70}, SMALL, TINY) == {}
    assert shares({}, [], SMALL, REST) == {}


def test_text_is_routed_by_its_meta() -> None:
    dutch = Leg("4", "nl", {"field": "[[meta.shop]]", "operator": "equals", "value": "nl"})
    assert shares({}, "a;b", dutch, SMALL, content_type="text/csv", meta={"shop": "nl"}) == {"4": "a;b"}


def test_a_bad_condition_names_its_route() -> None:
    with pytest.raises(errors.Invalid) as caught:
        compiled("route", {}, (Leg("9", "x", {"field": "a"}),))
    assert list(caught.value.errors) == ["routes.9.where.operator"]
