"""Texts of documents: what JSON and YAML become, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from flowloom import errors
from flowloom.services import import_texts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("a: {b: [1, 2.5, ~, true]}", {"a": {"b": [1, 2.5, None, True]}}),
        ("{a: 1, 'b': x}", {"a": 1, "b": "x"}),
        ("200: ok\n1.5: x\ntrue: y\nnull: z", {"200": "ok", "1.5": "x", "true": "y", "null": "z"}),
        ("a: 2020-01-01\nb: NO\nc: 0x1F\nd: 12:30:00\ne: .inf\nf: 0123", {
            "a": "2020-01-01", "b": "NO", "c": "0x1F", "d": "12:30:00", "e": ".inf", "f": "0123",
        }),
        ("a: 1e999\nb: 123456789012345678901234567890", {"a": "inf", "b": "123456789012345678901234567890"}),
        ("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}", {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}),
        ("- a\n- |\n  two\n  lines\n", ["a", "two\nlines\n"]),
        ("", None),
    ],
)  # fmt: skip
def test_texts_become_values(text: str, value: Any) -> None:
    assert import_texts.read(text) == value


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


def merges(levels: int) -> str:
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, levels)]
    return "\n".join(lines)


CHAIN = "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (bomb(9), "aliases counted each time"),
        (merges(9), "aliases counted each time"),
        ("a: &a [*a]", "means itself"),
        ("a: *b", "means itself, or nothing"),
        (CHAIN, "deeper than 64"),
        ("[" * 100 + "]" * 100, "deeper than 64"),
        ("[" * 100_000, "deeper than 64"),
        ("a: " + "{b: " * 5000, "deeper than 64"),
        ("- " * 5000 + "x", "deeper than 64"),
        ("a: !!python/object/apply:os.system ['true']", "tag"),
        ("a: !!binary aGk=", "tag"),
        ("a: !own x", "tag"),
        ('a: "\\0"', "NUL"),
        ('{"a\\u0000": 1}', "NUL"),
        ("a: b: c", "neither JSON nor YAML"),
        ("{a: [}", "neither JSON nor YAML"),
        ("? [a]\n: b", "neither JSON nor YAML"),
        ("a: \x07", "neither JSON nor YAML"),
        ("a\n---\nb", "neither JSON nor YAML"),
        ('"a": "\\ud800"', ""),
        ("a: " + "[" + "1," * 500_001 + "]", "500,000 values"),
    ],
)
def test_what_is_made_to_harm_is_refused(text: str, said: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        import_texts.read(text)
    assert list(refused.value.errors) == ["document"]
    assert said in refused.value.message
