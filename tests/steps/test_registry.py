"""The registry: strict checks with clear places and messages, used variables, descriptions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from flowloom import errors
from flowloom.steps import registry

WHERE = {"field": "a", "operator": "equals", "value": 1}


def check(microservice: str, config: dict[str, Any]) -> Any:
    return registry.check(registry.get(microservice), config)


def test_an_unknown_type_names_the_allowed() -> None:
    with pytest.raises(errors.Invalid, match="Unknown step type 'sql'; allowed: trigger, ") as caught:
        registry.get("sql")
    assert list(caught.value.errors) == ["microservice"]


def test_missing_fields_are_problems() -> None:
    assert check("batch", {}) == (None, {"config.size": ["This field is required."]})
    assert check("map", {"rules": [{"value": 1}]})[1] == {
        "config.rules.0.target": ["This field is required."]
    }


@pytest.mark.parametrize(
    ("microservice", "config", "place", "said"),
    [
        ("batch", {"sze": 1}, "config.sze", "Unknown key 'sze'; allowed: path, size."),
        ("trigger", {"x": 1}, "config.x", "Unknown key 'x'; allowed: none."),
        ("batch", {"size": "5"}, "config.size", "'size' should be a valid integer."),
        ("batch", {"size": True}, "config.size", "'size' should be a valid integer."),
        ("batch", {"size": 0}, "config.size", "'size' should be greater than or equal to 1."),
        ("batch", {"size": 2**70}, "config.size", "'size' should be less than or equal to 100000."),
        ("batch", {"size": 1, "path": "a..b"}, "config.path", "empty part"),
        (
            "route",
            {"mode": "some"},
            "config.mode",
            "'some' is not allowed for 'mode'; allowed: 'all' or 'first'.",
        ),
        ("filter", {"where": []}, "config.where", "'where' should be an object."),
        (
            "filter",
            {"where": {**WHERE, "operator": "like"}},
            "config.where.operator",
            "Unknown operator 'like'",
        ),
        (
            "map",
            {"rules": [{"target": "a", "src": "b"}]},
            "config.rules.0.src",
            "allowed: target, source, value",
        ),
        ("map", {"rules": []}, "config.rules", "at least 1 item"),
        ("set-variables", {"meta": {"a": None}}, "config.meta.a", "'a' should be a valid string."),
    ],
)
def test_refused(microservice: str, config: dict[str, Any], place: str, said: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        check(microservice, config)
    assert list(caught.value.errors) == [place]
    assert said in caught.value.message


def test_what_is_wrong_goes_before_what_is_missing() -> None:
    with pytest.raises(errors.Invalid) as caught:
        check("batch", {"sze": 1, "path": 5})
    assert set(caught.value.errors) == {"config.sze", "config.path"}


def test_used_variables() -> None:
    config = {
        "rules": [
            {"target": "a", "template": {"x": "{{one}} [[payload.b]]"}},
            {"target": "b", "variable": "two"},
            {"target": "c", "value": "{{data}}"},
        ]
    }
    assert registry.used_variables(registry.get("map").config, config) == {
        "rules.0.template": frozenset({"one"}),
        "rules.1.variable": frozenset({"two"}),
    }
    where = {"all": [{**WHERE, "value": "{{a}}"}, {**WHERE, "field": "{{b}}"}]}
    assert registry.used_variables(registry.get("filter").config, {"where": where}) == {
        "where": frozenset({"a", "b"})
    }


def test_describe_is_json_and_tells_everything() -> None:
    described = msgspec.json.decode(msgspec.json.encode(registry.describe()))
    assert [entry["microservice"] for entry in described] == list(registry.TYPES)
    for entry in described:
        assert entry["title"]
        assert entry["help"]
        assert entry["failure"]
        assert entry["schema"]["type"] == "object"
    batch = next(entry for entry in described if entry["microservice"] == "batch")
    assert batch["schema"]["properties"]["size"]["maximum"] == 100_000


def refused(microservice: str, config: dict[str, Any]) -> dict[str, list[str]]:
    with pytest.raises(errors.Invalid) as caught:
        check(microservice, config)
    return caught.value.errors


def test_only_the_first_of_many_faults_are_told() -> None:
    unknown = {f"x{number}": 1 for number in range(1000)}
    assert len(refused("batch", {"size": 1, **unknown})) == registry.MAX_MESSAGES
    missing = [{"value": 1}] * 2 * registry.MAX_MESSAGES
    assert len(check("map", {"rules": missing})[1]) == registry.MAX_MESSAGES
    assert list(refused("map", {"rules": [*missing, {"x": 1}]})) == [f"config.rules.{len(missing)}.x"]


def test_faults_beyond_counting_are_one() -> None:
    rules = [{"target": "a", "value": 1, **{f"x{number}": 1 for number in range(100)}}] * 200
    assert refused("map", {"rules": rules}) == {
        "config": ["The config has 20,000 faults; begin with the example in /step-types."]
    }


WIDE = {f"x{number}": 1 for number in range(registry.MAX_KEYS + 1)}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (WIDE, "config"),
        ({"body": [1, {"a": WIDE}]}, "config.body.1.a"),
        ({"x" * 1000: WIDE}, f"config.{'x' * 100}"),
    ],
)
def test_an_object_with_too_many_keys(value: dict[str, Any], place: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        registry.require_bounded(value)
    assert caught.value.errors == {
        place: ["An object here has at most 1,000 keys, not 1,001; use a list, or text."]
    }


def test_long_lists_and_texts_are_welcome() -> None:
    full = {f"x{number}": 1 for number in range(registry.MAX_KEYS)}
    registry.require_bounded({"body": [full, *range(100_000), "x" * 1_000_000]})
