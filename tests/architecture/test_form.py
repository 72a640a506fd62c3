"""The form of the source: short files and functions, modules that say what they are for."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.architecture import sources

MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_OPENING_LINES = 400, 50, 14
# The supervisor and the executor outlive what they run; the writer hands what it catches to whoever waits; the wire
# outlives whatever a server of NATS says; a worker claims what it can beside a run that cannot be claimed.
BROAD_HANDLERS = {
    "runtime/supervisor.py",
    "engine/executor.py",
    "store/writer.py",
    "store/wire.py",
    "runtime/sources.py",
}
BROAD = {"Exception", "BaseException"}
BAD_NAMES = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
# Spelled apart, so that this file does not hold what it looks for.
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")
ELSEWHERE = ("/" + "work/", "/" + "root/", "/" + "home/", "index" + "-url", "pypi" + ".org", "npmjs" + ".")

each_module = pytest.mark.parametrize("path", sources.modules(), ids=sources.name)


@each_module
def test_a_file_and_its_functions_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES
    for node in _functions(sources.tree(path)):
        assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION_LINES, node.name


@each_module
def test_a_module_opens_with_what_it_is_responsible_for(path: Path) -> None:
    opening = ast.get_docstring(sources.tree(path))
    if path.name == "__init__.py" and not path.read_text():
        return
    assert opening
    assert len(opening.splitlines()) <= MAX_OPENING_LINES


@each_module
def test_a_name_says_what_is_inside(path: Path) -> None:
    assert not {path.stem, path.parent.name} & BAD_NAMES


@each_module
def test_only_those_who_must_go_on_catch_everything(path: Path) -> None:
    broad = [node.lineno for node in ast.walk(sources.tree(path)) if _is_broad(node)]
    assert not broad or path.relative_to(sources.PACKAGE).as_posix() in BROAD_HANDLERS, broad


@each_module
def test_typed_decoders_are_made_at_import(path: Path) -> None:
    """Two threads that first decode into one struct at the same time crash msgspec 0.22: 52 of 60 processes."""
    late = [
        node.lineno
        for function in _functions(sources.tree(path))
        for node in ast.walk(function)
        if _is_typed(node)
    ]
    assert not late


@each_module
def test_nothing_is_left_unfinished(path: Path) -> None:
    text = path.read_text()
    assert not [word for word in UNFINISHED if word in text]


def test_the_repository_speaks_of_no_place_it_was_made_at() -> None:
    for path in _tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        assert not [word for word in ELSEWHERE if word in text], sources.name(path)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _is_broad(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(one is None or ast.unparse(one) in BROAD for one in caught)


def _is_typed(node: ast.AST) -> bool:
    """Whether it builds a decoder: `decode(..., type=)`, `convert(...)` or `Decoder(...)` of msgspec."""
    if not (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("msgspec.")):
        return False
    name = ast.unparse(node.func).rpartition(".")[2]
    return name in {"convert", "Decoder"} or any(word.arg == "type" for word in node.keywords)


def _tracked() -> list[Path]:
    """The files of the repository; where there is no git, those beside and below the package."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=sources.ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return [*sources.modules(), *(sources.ROOT / "docs").rglob("*.md"), *sources.ROOT.glob("*.md")]
    return [sources.ROOT / name for name in listed.split("\0") if name]
