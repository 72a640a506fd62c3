"""`make check` looks at every file of deploy/, and finds what is wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from deploy.lint import __main__ as lint
from deploy.lint import chart, dashboard, programs, texts, units

Check = Callable[[Path], Iterator[str]]


@pytest.mark.parametrize("path", lint.files(), ids=lambda path: path.name)
def test_every_file_is_checked_by_something(path: Path) -> None:
    assert lint.check_of(path)


def test_a_file_that_nothing_checks_is_a_fault() -> None:
    assert list(lint.faults(lint.DEPLOY / "nomad/flowloom.hcl"))


@pytest.mark.parametrize(
    ("check", "file", "right", "wrong"),
    [
        (texts.ignored, "docker/Dockerfile.dockerignore", "!web", "!wob"),
        (texts.environment, "systemd/flowloom.env", "FLOWLOOM_CONCURRENCY=64", "FLOWLOOM_CONCURRENCY=many"),
        (texts.environment, "systemd/flowloom.env", "FLOWLOOM_CONCURRENCY=64", "FLOWLOOM_WORKERS=64"),
        (texts.environment, "systemd/flowloom.env", "#FLOWLOOM_CONCURRENCY=64", "64"),
        (dashboard.faults, "grafana/flowloom.json", '"count(', '"count(('),
        (dashboard.faults, "grafana/flowloom.json", "$__rate_interval", "$__interval_ms"),
        (dashboard.faults, "grafana/flowloom.json", '"id": 2,', '"id": 1,'),
        (dashboard.faults, "grafana/flowloom.json", '"x": 4,', '"x": 3,'),
        (dashboard.faults, "grafana/flowloom.json", '"w": 12,', '"w": 13,'),
        (units.verify, "systemd/flowloom.service", "NoNewPrivileges", "NoNewPriviliges"),
        (units.verify, "systemd/flowloom.service", "TimeoutStopSec=45", "TimeoutStopSec=soon"),
        (units.verify, "systemd/flowloom.service", "CapabilityBoundingSet=\nProtectSystem=strict\n", ""),
        (units.sysusers, "systemd/flowloom.sysusers", "u flowloom", "q flowloom"),
    ],
)
def test_a_planted_fault_is_found(check: Check, file: str, right: str, wrong: str, tmp_path: Path) -> None:
    path = lint.DEPLOY / file
    planted = tmp_path / path.name
    assert right in path.read_text()
    planted.write_text(path.read_text().replace(right, wrong))
    try:
        assert not list(check(path))
        assert list(check(planted))
    except programs.Missing as missing:
        pytest.skip(str(missing))


def test_helm_finds_no_fault_in_the_chart() -> None:
    for values in chart.variants().values():
        assert not list(chart.lint_faults(chart.FOLDER, values))
