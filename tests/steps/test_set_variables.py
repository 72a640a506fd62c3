"""The set-variables step: what it sets, in which types, and that data is never evaluated."""

from __future__ import annotations

import pytest

from flowloom import errors

from .pure import FakeContext, compiled, run


def test_variables_keep_their_type_and_meta_is_text() -> None:
    context = FakeContext({"a": 1, "b": 2})
    config = {
        "variables": {"a": "{{b}}", "b": "{{a}}", "c": {"x": ["[[payload.n]]"]}},
        "meta": {"n": "[[payload.n]]"},
    }
    outcome = run("set-variables", config, {"n": 7}, context=context, meta={"old": "x"})
    assert context.variables == {"a": 2, "b": 1, "c": {"x": [7]}}
    assert outcome.payloads[0].meta == {"old": "x", "n": "7"}
    assert outcome.payloads[0].body == {"n": 7}


def test_data_is_never_a_template() -> None:
    context = FakeContext({"secret": "s"})
    run("set-variables", {"variables": {"a": "[[payload]]"}}, {"x": "{{secret}}"}, context=context)
    assert context.variables["a"] == {"x": "{{secret}}"}


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"variables": {"two words": 1}}, "config.variables.two words"),
        ({"variables": {"a": {"b": "[[x]]"}}}, "config.variables.a.b"),
        ({"meta": {"a": "[[x]]"}}, "config.meta.a"),
        ({"meta": {"a": 1}}, "config.meta.a"),
    ],
)
def test_refused(config: dict[str, object], place: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        compiled("set-variables", config)
    assert list(caught.value.errors) == [place]
