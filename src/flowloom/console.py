"""What the commands share: their settings, the options that many take, how they print, and exit codes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from flowloom.settings import Settings

EXIT_CODES: Final = {
    "missing": 3,
    "forbidden": 4,
    "unauthenticated": 4,
    "invalid": 5,
    "bad_query": 5,
    "too_large": 5,
    "wrong_type": 5,
    "conflict": 6,
    "too_many": 6,
    "busy": 6,
}

DataDir = Annotated[Path | None, typer.Option(help="Directory of the database file, payload files and key.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="sqlite:///... or postgresql://...")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def load(**overrides: Any) -> Settings:
    """The settings of the environment and of the command line."""
    return Settings.load(os.environ, **overrides)


def show(content: Any, text: str, as_json: bool) -> None:
    """Print for a program or for a person."""
    print(json.dumps(content) if as_json else text)


def note(text: str) -> None:
    """Say how far it is, beside what is printed."""
    print(text, file=sys.stderr)
