"""The manual-payload step: bodies by content type, and what is refused."""

from __future__ import annotations

import pytest

from flowloom import errors

from .pure import FakeContext, bodies, compiled, run


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"body": '{"a": "{{v}}"}'}, {"a": 5}),
        ({"body": {"a": "x{{v}}"}}, {"a": "x5"}),
        ({"body": None}, None),
        ({"body": '"{{nasty}}"'}, '{"x": "{{v}}"}'),
        ({"body": "{{v}};b", "content_type": "text/x"}, "5;b"),
        ({"body": "{{v}};b", "content_type": "image/x"}, b"5;b"),
        ({"body": "a,b\n{{v}},x{{nasty}}", "content_type": "text/csv"}, [{"a": 5, "b": 'x{"x": "{{v}}"}'}]),
        ({"body": [{"a": "{{v}}"}], "content_type": "text/csv"}, [{"a": 5}]),
        ({"body": "<a b='{{v}}'>x</a>", "content_type": "application/xml"}, {"a": {"@b": 5, "#text": "x"}}),
        ({"body": "", "content_type": "application/xml"}, None),
    ],
)
def test_body(config: dict[str, object], expected: object) -> None:
    context = FakeContext({"v": 5, "nasty": '{"x": "{{v}}"}'})
    assert bodies(run("manual-payload", config, None, context=context)) == [expected]


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"body": "{"}, "config.body"),
        ({"body": "NaN"}, "config.body"),
        ({"body": "[" * 100_000}, "config.body"),
        ({"body": {"a": "[[x]]"}}, "config.body.a"),
        ({"body": {"a": 1}, "content_type": "text/plain"}, "config.body"),
        ({"body": "a", "content_type": "text"}, "config.content_type"),
        ({"body": "a", "content_type": "text/csv; delimiter=xy"}, "config.content_type"),
        ({"body": 'a\n"b', "content_type": "text/csv"}, "config.body"),
        ({"body": "<a>", "content_type": "text/xml"}, "config.body"),
        ({"body": {"a": 1}, "content_type": "text/csv"}, "config.body"),
        ({"body": {"a": 1, "b": 2}, "content_type": "text/xml"}, "config.body"),
        ({"body": "a", "content_type": "text/plain\r\nx: y"}, "config.content_type"),
    ],
)
def test_refused(config: dict[str, object], place: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        compiled("manual-payload", config)
    assert list(caught.value.errors) == [place]


def test_bad_json_says_the_way_out() -> None:
    with pytest.raises(errors.Invalid, match=r"not JSON .*set content_type to text/plain"):
        compiled("manual-payload", {"body": "hello"})
