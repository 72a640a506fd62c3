"""What a connector takes for files and statements, and what stays a problem of a draft."""

from __future__ import annotations

from typing import Any

import pytest

from flowloom import errors
from flowloom.steps import registry

STATEMENT = {"statement": "SELECT 1"}
RECEIVE = {"direction": "receive", "connection_id": 1}
SEND = {"direction": "send", "connection_id": 1}
REQUIRED = ["This field is required."]


def check(config: dict[str, Any]) -> Any:
    return registry.check(registry.get("connector"), config)


@pytest.mark.parametrize(
    "config",
    [
        {"direction": "receive", "url": "/a"},
        {**RECEIVE, "sql": STATEMENT},
        {**RECEIVE, "sftp": {"path": "/in"}},
        {**RECEIVE, "sftp": {"path": "/in", "pattern": "*", "action": "delete"}, "response_format": "json"},
        {**RECEIVE, "sftp": {"path": "/in"}, "path": "orders.order"},
        {**SEND, "sftp": {"path": "/in", "file_name": "a"}, "body": {"a": 1}},
        {**SEND, "sql": {**STATEMENT, "parameters": {"a": "[[payload.b]]"}}, "query": {}},
    ],
)
def test_whole_configs(config: dict[str, Any]) -> None:
    assert check(config)[1] == {}


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        ({"direction": "receive"}, ["config.url"]),
        ({"direction": "receive", "url": None}, ["config.url"]),
        ({}, ["config.direction", "config.url"]),
        ({"direction": "receive", "sql": STATEMENT}, ["config.connection_id"]),
        ({"direction": "send", "sftp": {"path": "/a"}}, ["config.connection_id"]),
        ({**RECEIVE, "sql": {}}, ["config.sql.statement"]),
        ({**RECEIVE, "sftp": {}}, ["config.sftp.path"]),
    ],
)
def test_what_is_missing_is_a_problem(config: dict[str, Any], missing: list[str]) -> None:
    assert check(config) == (None, dict.fromkeys(missing, REQUIRED))


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({**RECEIVE, "sql": STATEMENT, "sftp": {"path": "/a"}}, "sftp"),
        ({**RECEIVE, "sql": STATEMENT, "url": "/a"}, "url"),
        ({**RECEIVE, "sql": STATEMENT, "path": "a"}, "path"),
        ({**SEND, "sftp": {"path": "/a", "file_name": "a"}, "path": "a"}, "path"),
        ({**RECEIVE, "sftp": {"path": "/a"}, "url": "/a"}, "url"),
        ({**RECEIVE, "sql": STATEMENT, "headers": {"a": "b"}}, "headers"),
        ({**RECEIVE, "sql": STATEMENT, "body": "a"}, "body"),
        ({**RECEIVE, "sql": STATEMENT, "response_format": "text"}, "response_format"),
        ({**RECEIVE, "sftp": {"path": "/a"}, "method": "GET"}, "method"),
        ({**RECEIVE, "sql": {**STATEMENT, "page_size": 0}}, "sql.page_size"),
        ({**RECEIVE, "sql": {"statement": " \n;"}}, "sql.statement"),
        ({**RECEIVE, "sql": {**STATEMENT, "page_size": 10_001}}, "sql.page_size"),
        ({**RECEIVE, "sql": {**STATEMENT, "sta": 1}}, "sql.sta"),
        ({**RECEIVE, "sql": {**STATEMENT, "parameters": {"a": "[[payload..b]]"}}}, "sql.parameters.a"),
        ({**RECEIVE, "sftp": {"path": "/a", "file_name": "b"}}, "sftp.file_name"),
        ({**RECEIVE, "sftp": {"path": "/a", "action": "move"}}, "sftp.move_to"),
        ({**RECEIVE, "sftp": {"path": "/a", "move_to": "/b"}}, "sftp.move_to"),
        ({**RECEIVE, "sftp": {"path": "/a", "action": "burn"}}, "sftp.action"),
        ({**SEND, "sftp": {"path": "/a"}}, "sftp.file_name"),
        ({**SEND, "sftp": {"path": "/a", "file_name": "b", "pattern": "*"}}, "sftp.pattern"),
        ({**SEND, "sftp": {"path": "/a", "file_name": "b", "action": "delete"}}, "sftp.action"),
    ],
)
def test_refused(config: dict[str, Any], place: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        check(config)
    assert list(caught.value.errors) == [f"config.{place}"]


def test_used_variables() -> None:
    config = {
        **RECEIVE,
        "sql": {"statement": "SELECT '{{not}}'", "parameters": {"a": "{{one}}"}},
        "sftp": {"path": "/{{two}}", "move_to": "{{three}}", "file_name": "{{four}}"},
    }
    assert registry.used_variables(registry.get("connector").config, config) == {
        "sql.parameters": frozenset({"one"}),
        "sftp.path": frozenset({"two"}),
        "sftp.move_to": frozenset({"three"}),
        "sftp.file_name": frozenset({"four"}),
    }
