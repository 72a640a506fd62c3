from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom.domain import depth

TEXTS = st.text(alphabet='[]{}"\\a ', max_size=8)


def nested(levels: int, text: str, padding: int) -> bytes:
    """JSON of so many levels, with brackets and quotes in its texts, and many shallow values beside the deep one."""
    value: object = text
    for level in range(levels):
        value = [value, text] if level % 2 else {text: value}
    return json.dumps([[text, [text]] * padding, value]).encode()


@given(levels=st.integers(0, 70), text=TEXTS, padding=st.integers(0, 80))
def test_only_brackets_outside_of_strings_count(levels: int, text: str, padding: int) -> None:
    assert depth.is_deep(nested(levels, text, padding)) == (levels + 1 > depth.MAX_DEPTH)


@pytest.mark.parametrize("text", ["", "[", '"', "\\", '\\"[', "]]]]", '"["'])
@pytest.mark.parametrize("levels", [depth.MAX_DEPTH - 1, depth.MAX_DEPTH])
def test_the_deepest_that_is_taken(text: str, levels: int) -> None:
    assert depth.is_deep(nested(levels, text, 0)) == (levels == depth.MAX_DEPTH)
