"""Imports point one way, and nothing is excused from it."""

from __future__ import annotations

import ast
import os
import sys
import tomllib

import pytest
from importlinter import cli
from tests.architecture import sources

# What parses, and nothing else: calendars, JSON, regular expressions in linear time, XML without entities.
DOMAIN_LIBRARIES = {"cronsim", "defusedxml", "msgspec", "re2"}


def test_the_contracts_of_the_layers_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    # The linter puts the directory it runs in, and the imported package, on the path.
    monkeypatch.chdir(sources.ROOT)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert cli.lint_imports(config_filename="pyproject.toml", no_cache=True) == os.EX_OK


def test_no_import_is_ignored() -> None:
    config = tomllib.loads((sources.ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    for part in (config, *config["contracts"]):
        assert not [key for key in part if key.startswith(("ignore", "unmatched", "exclude_type"))], part


def test_the_domain_needs_a_few_libraries_and_python() -> None:
    for path in (sources.PACKAGE / "domain").rglob("*.py"):
        others = _top_level_imports(sources.tree(path)) - sys.stdlib_module_names - {"flowloom"}
        assert others <= DOMAIN_LIBRARIES, sources.name(path)


def test_the_domain_does_no_io() -> None:
    for path in (sources.PACKAGE / "domain").rglob("*.py"):
        used = _top_level_imports(sources.tree(path))
        assert not used & {"asyncio", "io", "os", "pathlib", "random", "socket", "sqlite3", "time"}, path


def _top_level_imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            found.add((node.module or "").partition(".")[0])
    return found
