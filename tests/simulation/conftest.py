"""The disk that every seed of a test process begins on, empty."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulation import storage


@pytest.fixture(scope="session")
def engines(sqlite_template: Path) -> storage.Engines:
    return storage.Engines(str(sqlite_template))
