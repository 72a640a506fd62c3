"""Input that nobody should send: in every body, path, query and header, and what is said to it.

No 5xx but the 503 of an unreachable database, no traceback, and nothing half done.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any
from unittest import mock
from urllib.parse import quote

import pytest
from sqlalchemy import func, select
from tests.api.test_roles import BODIES, all_operations, everything, fill, one_of_each
from tests.contract import document
from tests.world import World

from flowloom import errors
from flowloom.api import bodies
from flowloom.store import tables

DEEP = [(b'{"a":' * depth + b"1" + b"}" * depth, depth) for depth in (65, 1000, 100_000)]
BAD_JSON = {
    "bad UTF-8": b'{"name": "\xff\xfe"}',
    "a surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "a lone surrogate": rb'{"name": "\ud800"}',
    "a lone low surrogate": rb'{"name": "x\udc00y"}',
    "a surrogate in a key": rb'{"\ud800": 1}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"priority": -Infinity}',
    "a number out of range": b'{"priority": 1e999}',
    "5,000 digits": b'{"priority": ' + b"9" * 5000 + b"}",
    "half": b'{"name": "x"',
    "two": b'{"name": "x"}{}',
    "single quotes": b"{'name': 'x'}",
    "a comment": b'{"name": "x"} // done',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "NUL": b"\0",
    "an open list": b"[" * 100_000,
    **{f"depth {depth}": body for body, depth in DEEP},
}
NO_OBJECTS = (b"[]", b"[{}]", b'"x"', b"1", b"null", b"true")
WRONG_TYPES = (
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "x",
    "",
)
# Its body is the payload: any type and any JSON value is welcome.
RAW = ("/raw", "/raw/{version}", "/webhooks/{company}/{ulid}")


def with_bodies(server: World) -> list[tuple[str, str, dict[str, Any]]]:
    """The operations that read a JSON object, each with the model of it."""
    ours = document.of(server.server.app)
    return [
        (method, path, ours.spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        for method, path, operation in ours.operations()
        for schema in [
            operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        ]
        if schema and not path.endswith(RAW)
    ]


async def test_bad_bodies(sqlite_server: World) -> None:
    """Each reader of a body says 422 for bad JSON, 415 for another type, 413 for too much, and changes nothing."""
    ids, key = await one_of_each(sqlite_server), sqlite_server.bearer("administrator")
    before = await everything(sqlite_server)
    headers = {"content-type": "application/json"}
    for method, path, _ in with_bodies(sqlite_server):
        where = fill(path, ids)
        for name, body in BAD_JSON.items():
            answer = await sqlite_server.request(method, where, body=body, headers=headers, key=key)
            assert answer.status == 422, (method, path, name, answer.body)
            assert list(answer.json()["errors"]) == ["body"], (path, name)
        for body in NO_OBJECTS:
            answer = await sqlite_server.request(method, where, body=body, headers=headers, key=key)
            assert (answer.status, list(answer.json()["errors"])) == (422, ["body"]), (path, body)
        for content_type in WRONG_TYPES:
            sent = {"content-type": content_type}
            answer = await sqlite_server.request(method, where, body=b"{}", headers=sent, key=key)
            assert answer.status == 415, (path, content_type, answer.body)
    assert await everything(sqlite_server) == before


async def test_large_bodies(sqlite_server: World) -> None:
    """9 MB: refused by the declared length even where no body is read, and after 8 MB where it comes in chunks."""
    ids, key = await one_of_each(sqlite_server), sqlite_server.bearer("administrator")
    chunks = [b" " * 2**20] * 9
    for method, path, role in all_operations(sqlite_server):
        if method in ("GET", "DELETE") or role == "public":
            continue
        sent = {"content-type": "application/json", "content-length": str(9 * 2**20)}
        answer = await sqlite_server.request(method, fill(path, ids), body=b"{}", headers=sent, key=key)
        assert answer.status == 413, (path, answer.body)
    for method, path, _ in with_bodies(sqlite_server):
        answer = await sqlite_server.request(
            method, fill(path, ids), body=chunks, headers={"content-type": "application/json"}, key=key
        )
        assert answer.status == 413, (path, answer.body)
        assert "8 MB" in answer.json()["message"]
    flow = await sqlite_server.flow()
    for body in (b"x" * (8 * 2**20), b"x" * (8 * 2**20 + 1)):
        answer = await sqlite_server.post(
            f"/flows/{flow.id}/start/raw", body=body, headers={"content-type": "text/plain"}
        )
        assert answer.status == (200 if len(body) == 8 * 2**20 else 413)


BAD_VALUES: list[Any] = [
    "a\0b", "\0", 2**63, 2**70, -(2**70), -1, 1.5, 1e308, True, [], {}, [[]], [None], {"a": 1}, "",
    "x" * 100_000, "\x7f\x1b",
    "'; DROP TABLE flows; --", "\u202e\ufeff", {"a\0": 1}, [2**70], {"where": 1},
    {"x": 2**70, "y": 0}, {"\U0001f600": "\U0001f600"},
]  # fmt: skip


def read_fields(model: dict[str, Any]) -> list[str]:
    return [
        name for name, field in model["properties"].items() if "gnored" not in field.get("description", "")
    ]


async def test_what_a_body_holds_that_nobody_reads_is_ignored(sqlite_server: World) -> None:
    """A NUL cannot be kept; where nothing is kept it does no harm."""
    flow = await sqlite_server.flow({"microservice": "batch", "config": {"size": 1}}, deploy=False)
    schedules, nul = f"/flow-versions/{flow.version_id}/schedules", {"a\0": ["\0", {"b": "c\0"}]}
    bodies_taken: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", flow.path, {"x": nul}),
        ("PUT", flow.path, {"a\0": 1, "deployed_at": "2026-03-02T10:00:00Z"}),
        ("POST", f"{flow.path}/copy", {"x": nul}),
        ("POST", "/flows", {"name": "A", "x": nul}),
        ("POST", f"/flows/{flow.id}/start", {"payload": "1", "x": nul}),
        (
            "POST",
            "/connections",
            {"name": "A", "allowed_hosts": ["a.test"], "auth": {"type": "none", "x": nul}},
        ),
    ]
    for where in (schedules, "/schedules/preview"):
        bodies_taken.insert(0, ("POST", where, {"cron_string": "0 1 * * *", "deployed_at": "\0", "x": nul}))
    for method, path, body in bodies_taken:
        answer = await sqlite_server.request(method, path, json=body)
        assert answer.status == 200, (path, answer.body)
    draft = (await sqlite_server.get(f"/flows/{flow.id}/versions?sort=-id&per_page=1")).data[0]["id"]
    graph = f"/flow-versions/{draft}/graph"
    step = (await sqlite_server.get(graph)).data["steps"][1]
    where = f"{graph}/steps/{step['id']}"
    assert (await sqlite_server.patch(where, json={**step, "problems": nul, "key": "\0"})).data == step
    refused = await sqlite_server.patch(where, json={"x": nul})
    assert (refused.status, list(refused.json()["errors"])) == (422, ["x"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a\0"}, "name"),
        ({"name": "A", "labels": ["a", "b\0"]}, "labels.1"),
        ({"name": "A", "description": "\0"}, "description"),
    ],
)
async def test_a_nul_that_would_be_kept_is_named(
    sqlite_server: World, body: dict[str, Any], field: str
) -> None:
    answer = await sqlite_server.post("/flows", json=body)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])


async def test_bad_values_in_every_field(sqlite_server: World) -> None:
    """Whatever a field holds, the answer is a clear one below 500; with a NUL it is 422."""
    ids, key = await one_of_each(sqlite_server), sqlite_server.bearer("administrator")
    draft = (await sqlite_server.post(f"/flows/{ids['flow']}/versions/{ids['version']}/copy")).data["id"]
    graph = (await sqlite_server.get(f"/flow-versions/{draft}/graph")).data
    ids |= {
        "flow_version": draft,
        "version": draft,
        "step": graph["steps"][1]["id"],
        "route": graph["routes"][0]["id"],
    }
    for method, path, model in with_bodies(sqlite_server):
        good = BODIES.get(f"{method} {path}", {})
        for field in read_fields(model):
            for value in BAD_VALUES:
                answer = await sqlite_server.request(
                    method, fill(path, ids), json={**good, field: value}, key=key
                )
                assert answer.status < 500, (path, field, value, answer.body)
                if "\\u0000" in json.dumps(value):
                    assert answer.status in (422, 404, 403), (path, field, value, answer.status)


async def test_unknown_fields_are_ignored(sqlite_server: World) -> None:
    made = (
        await sqlite_server.post("/flows", json={"name": "A", "id": 77, "company_id": 2, "nope": [1]})
    ).data
    assert made["id"] == 1
    assert (await sqlite_server.put("/flows/1", json={"nope": 1, "company_id": 2})).data == made
    assert (await sqlite_server.get("/flows", key=sqlite_server.other_key)).data == []


def takes_null(schema: dict[str, Any]) -> bool:
    return "null" in (schema.get("type"), *schema.get("type", ())) or any(
        takes_null(one) for one in schema.get("anyOf", ())
    )


async def test_null_is_taken_where_the_document_says_so_and_nowhere_else(sqlite_server: World) -> None:
    ids, key = await one_of_each(sqlite_server), sqlite_server.bearer("administrator")
    draft = (await sqlite_server.post(f"/flows/{ids['flow']}/versions/{ids['version']}/copy")).data["id"]
    step = (await sqlite_server.get(f"/flow-versions/{draft}/graph")).data["steps"][0]["id"]
    ids |= {"flow_version": draft, "version": draft, "step": step}
    for method, path, model in with_bodies(sqlite_server):
        good = BODIES.get(f"{method} {path}", {})
        for field, schema in model["properties"].items():
            if schema in ({"description": "Ignored"}, {}):
                continue
            sent = {**good, field: None}
            answer = await sqlite_server.request(method, fill(path, ids), json=sent, key=key)
            refused = field in answer.json().get("errors", ())
            assert not (refused and takes_null(schema)), (path, field, answer.body)
            if path.endswith("/steps/{step}"):
                assert refused != takes_null(schema), (field, answer.body)


async def test_the_document_of_a_step_s_change_is_what_is_taken(sqlite_server: World) -> None:
    [model] = [
        model for method, path, model in with_bodies(sqlite_server) if path.endswith("/graph/steps/{step}")
    ]
    assert model["additionalProperties"] is False
    flow = await sqlite_server.flow(deploy=False)
    step = await flow.add("batch", config={"size": 1})
    assert step.keys() - model["properties"].keys() == set()
    sent = {**step, "created_at": "x", "updated_at": None, "problems": {}}
    assert sent.keys() <= model["properties"].keys()
    assert (await sqlite_server.patch(f"{flow.graph}/steps/{step['id']}", json=sent)).data == step


BAD_TEXTS = ("%00", "a%00b", "%ff%fe", "%ed%a0%80", "NaN", "[]", "1;DROP TABLE flows", "id' OR '1'='1", "id--",
             "(select 1)",
             "'" * 500, str(2**63), str(2**70), "%2e%2e%2f", "%F0%9F%98%80", "1e9", "9" * 5000)  # fmt: skip


async def test_bad_texts_in_every_path(sqlite_server: World) -> None:
    ids, key = await one_of_each(sqlite_server), sqlite_server.bearer("administrator")
    for method, path, role in all_operations(sqlite_server):
        for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            for text in BAD_TEXTS:
                good = BODIES.get(f"{method} {path}", {})
                where = fill(path, {**ids, name: text})
                answer = await sqlite_server.request(
                    method, where, json=good if method != "GET" else None, key=key
                )
                expected = (404, 405, 422) if role == "public" or good == {} else (404, 405)
                assert answer.status in expected, (method, where, answer.status, answer.body)


async def test_bad_texts_in_every_query(sqlite_server: World) -> None:
    """SQL and worse in each parameter of each list: 400 or 422, or rows that simply do not match."""
    ids, key = await one_of_each(sqlite_server), sqlite_server.bearer("administrator")
    before = await everything(sqlite_server)
    for method, path, operation in document.of(sqlite_server.server.app).operations():
        names = [
            parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"
        ]
        for name in (
            [*names, "filter[x]", "filter[id]); --", "unknown"]
            if method == "GET" and path.startswith("/api")
            else ()
        ):
            for text in BAD_TEXTS:
                answer = await sqlite_server.get(f"{fill(path, ids)}?{name}={text}", key=key)
                assert answer.status in (200, 400, 422), (path, name, text, answer.body)
                if name in ("sort", "include"):
                    assert answer.status == 400
                if name in ("page", "per_page"):
                    assert answer.status == 422
    assert await everything(sqlite_server) == before


@pytest.mark.parametrize(
    "text", ["[", "[]", "NaN", '{"a":"\\ud800"}', '{"a":' * 100 + "1" + "}" * 100, '{"a":"\\u0000"}']
)
async def test_bad_flow_variables(sqlite_server: World, text: str) -> None:
    flow = await sqlite_server.flow()
    answer = await sqlite_server.post(f"/flows/{flow.id}/start/raw?flow_variables={quote(text)}", body=b"1")
    assert (answer.status, [name.partition(".")[0] for name in answer.json()["errors"]]) == (
        422,
        ["flow_variables"],
    )


async def test_bad_names_of_flow_variables(sqlite_server: World) -> None:
    """They are refused as those of a version are, in the body and in the query."""
    flow = await sqlite_server.flow()
    for variables in ({"a b": 1}, {"": 1}, {"x" * 201: 1}, {f"key{number}": 1 for number in range(1001)}):
        for word in ("start", "manual"):
            path = f"/flows/{flow.id}/{word}"
            raw = f"{path}/raw?flow_variables={quote(json.dumps(variables))}"
            for answer in (
                await sqlite_server.post(path, json={"flow_variables": variables}),
                await sqlite_server.post(raw, body=b"1"),
            ):
                assert answer.status == 422, (variables, answer.body)
                assert next(iter(answer.json()["errors"])).startswith("flow_variables")
    twice = f"/flows/{flow.id}/start/raw?flow_variables={{}}&flow_variables={{}}"
    answer = await sqlite_server.post(twice, body=b"1")
    assert (answer.status, list(answer.json()["errors"])) == (422, ["flow_variables"])
    assert "give it once" in answer.json()["message"]


async def test_bad_headers(sqlite_server: World) -> None:
    flow = await sqlite_server.flow()
    start = f"/flows/{flow.id}/start"
    for value in ("", "x" * 256, "a\tb", "\x7f"):
        answer = await sqlite_server.post(start, json={}, headers={"idempotency-key": value})
        assert (answer.status, list(answer.json()["errors"])) == (422, ["Idempotency-Key"]), value
    for value in ("x", "-1", "²", "9" * 400, "1e3"):
        assert (
            await sqlite_server.post("/flows", json={"name": "A"}, headers={"content-length": value})
        ).status in (200, 413)
    for value in ("x" * 10_000, "\xff\xfe", "a.b.c", "....", "Bearer a b c"):
        assert (await sqlite_server.get("/flows", key=value)).status == 401
    raw = {"content-type": "x" * 5000, "accept": "\xff", "x-forwarded-host": "evil.test"}
    assert (await sqlite_server.post(f"{start}/raw", body=b"x", headers=raw)).status in (200, 415, 422)


async def test_deleted_things(sqlite_server: World) -> None:
    """What is gone is 404 for every operation, and its id is never given again."""
    flow = await sqlite_server.flow(deploy=False)
    assert (await sqlite_server.delete(f"/flows/{flow.id}")).status == 200
    for method, path, role in all_operations(sqlite_server):
        if "{flow}" in path and role != "administrator":
            answer = await sqlite_server.request(
                method, fill(path, {"flow": flow.id, "version": flow.version_id}), json={}
            )
            assert answer.status in (404, 422), (method, path)
    assert (await sqlite_server.post("/flows", json={"name": "B"})).data["id"] == flow.id + 1


async def test_a_deployed_flow_is_not_deleted(sqlite_server: World) -> None:
    flow = await sqlite_server.flow()
    answer = await sqlite_server.delete(f"/flows/{flow.id}")
    assert (answer.status, "undeploy" in answer.json()["message"]) == (403, True)


async def test_an_unreachable_database(sqlite_server: World) -> None:
    """503 with a word to the caller, for reads and writes; when it is back, all works again."""
    flow = await sqlite_server.flow()
    lost = sqlite3.OperationalError("disk I/O error at /secret/path")
    engines = [sqlite_server.platform.database._read_engine, sqlite_server.platform.database._write_engine]
    with mock.patch.object(type(engines[0].dialect), "do_execute", side_effect=lost):
        for method, path, role in all_operations(sqlite_server):
            if role == "public" or path in (
                "/api/v1/logout",
                "/api/v1/step-types",
                "/api/v1/schedules/preview",
            ):
                continue
            body = BODIES.get(f"{method} {path}", {"name": "x"})
            answer = await sqlite_server.request(
                method, fill(path, {"flow": flow.id}), json=body if method != "GET" else None
            )
            assert answer.status in (503, 404, 422, 403), (method, path, answer.status, answer.body)
            assert b"secret" not in answer.body
            assert b"Traceback" not in answer.body
        for method, path in (
            ("GET", "/flows"),
            ("POST", f"/flows/{flow.id}/start"),
            ("PUT", f"/flows/{flow.id}"),
        ):
            answer = await sqlite_server.request(method, path, json={} if method != "GET" else None)
            assert (answer.status, answer.headers["retry-after"]) == (503, "1"), (path, answer.body)
        assert (await sqlite_server.get("/readyz", key=None)).status == 503
        assert (await sqlite_server.get("/healthz", key=None)).status == 200
    assert (await sqlite_server.get("/flows")).status == 200


async def test_a_failed_request_leaves_nothing_behind(server: World) -> None:
    """A refused write is rolled back whole."""
    flow = await server.flow(deploy=False)
    counts = [select(func.count()).select_from(table) for table in tables.metadata.sorted_tables]

    def count(connection: Any) -> list[int]:
        return [connection.scalar(one) for one in counts]

    before = await server.platform.database.read(count)
    routes = [{"name": "a"}, {"name": "b", "where": {"field": "x", "operator": "no"}}]
    sent = {"microservice": "route", "config": {"mode": "all", "routes": routes}, "parent_id": 1}
    refused = [
        ("POST", f"{flow.graph}/steps", sent),
        ("POST", f"{flow.graph}/steps", {"microservice": "batch", "parent_id": 999, "config": {"size": 1}}),
        ("POST", f"/flows/{flow.id}/start", {"payload": "x"}),
        ("POST", "/flows", {"name": "x", "priority": 9}),
        (
            "POST",
            f"/flow-versions/{flow.version_id}/schedules",
            {"cron_string": "* * * * *", "timezone": "x"},
        ),
    ]
    for method, path, body in refused:
        assert (await server.request(method, path, json=body)).status == 422, path
    assert await server.platform.database.read(count) == before


def test_depth_counts_brackets_outside_of_strings() -> None:
    for body in (
        b'["' + b"[" * 500 + b'"]',
        b'["\\"' + b"{" * 500 + b'"]',
        b'["\\\\", "' + b"[" * 200 + b'"]',
        b"[" + b"[]," * 500 + b"[]]",
    ):
        bodies.decode(body)
    nested = json.loads("[" * 64 + "]" * 64)
    assert bodies.decode(json.dumps(nested).encode()) == nested
    with pytest.raises(errors.Invalid, match="nested deeper"):
        bodies.decode(b"[" * 65 + b"]" * 65)
