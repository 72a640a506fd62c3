"""How much a browser has to load before it shows something; what is loaded later counts for the page that needs it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from flowloom.api import ui

ASSETS = ui.FILES / "assets"
STATIC = re.compile(r"""(?:from|import)\s*["']\./([^"']+\.js)["']""")


def loaded(names: set[str]) -> set[str]:
    """These scripts and all that they import at once."""
    found: set[str] = set()
    while names:
        found |= names
        names = {name for one in names for name in STATIC.findall((ASSETS / one).read_text())} - found
    return found


def first() -> set[str]:
    return loaded(set(re.findall(r'/assets/([^"]+\.js)"', ui.PAGE.read_text())))


def of(page: str) -> Path:
    [path] = ASSETS.glob(f"{page}-*.js")
    return path


def kilobytes(names: set[str]) -> float:
    return sum(len(gzip.compress((ASSETS / name).read_bytes(), 9)) for name in names) / 1000


def home() -> set[str]:
    return first() | loaded({of("Shell").name, of("Home").name})


def test_the_first_load_is_small():
    assert kilobytes(first() | loaded({of("SignIn").name})) <= 170
    assert kilobytes(home()) <= 185


def test_the_canvas_is_not_much_more():
    assert kilobytes(loaded({of("Flow").name, of("FlowCanvas").name}) - home()) <= 120
