from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest

from flowloom import log


@pytest.fixture(autouse=True)
def json_again() -> Iterator[None]:
    yield
    log.configure(is_text=False)


def test_a_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    log.warning("loop_waits", loop="rollup\nforged", reason=ValueError("no"))
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "loop": "rollup\nforged", "reason": "ValueError('no')", "event": "loop_waits", "level": "warning"
    }  # fmt: skip


def test_text_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(is_text=True)
    log.info("written_again", blob="a\nb")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("Z [info   ] written_again                  blob='a\\nb'")


@pytest.mark.parametrize("is_text", [False, True])
def test_a_traceback_has_no_values(capsys: pytest.CaptureFixture[str], is_text: bool) -> None:
    log.configure(is_text=is_text)
    secret = "s3cr3t"
    try:
        raise LookupError(len(secret))
    except LookupError as fault:
        log.exception("failed")
        log.error("failed", exc_info=fault)
    said = capsys.readouterr().err
    assert said.count("LookupError: 6") == said.count("Traceback") == 2
    assert "s3cr3t" not in said.replace('secret = "s3cr3t"', "")


def test_a_full_disk_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    full = open("/dev/full", "w")  # noqa: SIM115 - closing it fails too
    monkeypatch.setattr(sys, "stderr", full)
    log.error("not_written")
    log.error("nor_this")
    with pytest.raises(OSError, match="No space left"):
        full.close()


def test_captured_lines_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    with log.captured() as told:
        log.info("seen", run_id=7)
    assert told == [{"run_id": 7, "event": "seen", "level": "info", "exc_info": None}]
    assert capsys.readouterr().err == ""
