"""The documentation is true: its commands work as printed, its links lead somewhere, its reference is the code's."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docs import generate
from tests import terminal

from flowloom.settings import Settings, env_name

BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
PATIENCE_SECONDS = 20.0
PAGES = [terminal.ROOT / "README.md", terminal.ROOT / "CHANGELOG.md", *(terminal.ROOT / "docs").rglob("*.md")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[terminal.Terminal]:
    """A fresh `flowloom demo`, as `make run` starts it."""
    with terminal.started("demo", tmp_path_factory.mktemp("demo"), until="/warehouse/received") as shown:
        yield shown


@pytest.fixture(scope="module")
def variables(demo: terminal.Terminal) -> dict[str, str]:
    return {"FLOWLOOM": demo.base, "KEY": demo.key}


def commands(text: str) -> Iterator[tuple[str, Any]]:
    """Each block of shell commands, and the JSON that the page shows after it."""
    blocks = BLOCK.findall(text)
    for (kind, script), (following, shown) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if kind == "sh":
            # The server's address and key are the reader's own.
            asked = re.sub(r"^export FLOWLOOM=.*$", "", script, flags=re.MULTILINE)
            yield asked, json.loads(shown) if following == "json" else None


def holds(answer: Any, shown: Any) -> bool:
    """Whether an answer has all that is shown of it."""
    if isinstance(shown, dict):
        return isinstance(answer, dict) and all(
            key in answer and holds(answer[key], value) for key, value in shown.items()
        )
    if isinstance(shown, list):
        return len(answer) == len(shown) and all(map(holds, answer, shown))
    return bool(answer == shown)


def answers(script: str, **variables: str) -> list[Any]:
    """The JSON documents that commands print."""
    text, found = terminal.paste(script, **variables).strip(), []
    while text:
        answer, end = json.JSONDecoder().raw_decode(text)
        found.append(answer)
        text = text[end:].strip()
    return found


def test_the_quickstart_works_as_printed(variables: dict[str, str]) -> None:
    for script, shown in commands((terminal.ROOT / "docs/quickstart.md").read_text()):
        answer = answers(script, **variables)[-1]
        # A run takes a moment: what only reads may be asked again.
        until = time.monotonic() + (PATIENCE_SECONDS if _only_reads(script) else 0)
        while not holds(answer, shown or {}) and time.monotonic() < until:
            answer = answers(script, **variables)[-1]
        assert holds(answer, shown or {}), (script, answer)
        assert shown or "data" in answer, (script, answer)


def _only_reads(script: str) -> bool:
    return "-X" not in script and "--json" not in script


def test_the_readme_works_as_printed(variables: dict[str, str]) -> None:
    scripts = [
        script for script, _ in commands((terminal.ROOT / "README.md").read_text()) if "curl" in script
    ]
    assert len(scripts) == 1
    started, runs, metrics = answers(scripts[0], **variables)
    assert started["flow_run_id"] >= 1
    assert runs["data"]
    assert "data" in metrics


def test_what_the_demo_prints_works_when_pasted(demo: terminal.Terminal) -> None:
    printed = re.findall(r"^curl .*$", demo.shown, re.MULTILINE)
    assert len(printed) == 3
    assert [bool(answers(line)) for line in printed] == [True, True, True]


def test_a_second_demo_finds_everything_though_its_port_is_another_one(tmp_path: Path) -> None:
    with terminal.started("demo", tmp_path, until="/warehouse/received") as first:
        key, old = first.key, first.base
    with terminal.started("demo", tmp_path, until="as it was") as second:
        assert second.base != old
        start = f"curl -sf -X POST -H 'Authorization: {key}' {second.base}/api/v1/flows/1/start"
        run = json.loads(terminal.paste(start))["flow_run_id"]
        show = f"curl -sf -H 'Authorization: {key}' {second.base}/api/v1/flow-runs/{run}"
        shown = terminal.paste(f"until {show} | grep -qE '\"status\":[2-5]'; do :; done; {show}")
        assert json.loads(shown)["data"]["status"] == 2, shown


def test_the_make_commands_of_the_readme_exist() -> None:
    makefile = (terminal.ROOT / "Makefile").read_text()
    for page in PAGES:
        for name in re.findall(r"(?:`|^)make ([a-z]+)(?:`| +#)", page.read_text(), re.MULTILINE):
            assert re.search(rf"^{name}:", makefile, re.MULTILINE), (page, name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(terminal.ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(terminal.ROOT).as_posix())
def test_settings_that_are_spoken_of_exist(page: Path) -> None:
    known = {env_name(name) for name in Settings.model_fields} | {"FLOWLOOM_NEW_PASSWORD"}
    for name in re.findall(r"FLOWLOOM_[A-Z_]+", page.read_text()):
        assert name.removesuffix("_FILE") in known, name


@pytest.mark.parametrize("name", generate.NAMES)
def test_the_reference_is_what_the_code_says(name: str) -> None:
    written = (generate.REFERENCE / name).read_text(encoding="utf-8")
    assert written == generate.pages()[name], "run `make docs`"
