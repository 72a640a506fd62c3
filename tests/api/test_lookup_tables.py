"""Lookup tables over HTTP: row by row, and as CSV."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world import World

CSV = "/lookup-tables/1/csv"


async def make(server: World, content: bytes = b"") -> None:
    await server.post("/lookup-tables", json={"name": "countries"})
    assert (await server.put(CSV, body=content)).status == 200


async def shown(server: World, **query: Any) -> list[tuple[str, str]]:
    found = (await server.get("/lookup-tables/1/rows", query=query)).data
    return [(row["left"], row["right"]) for row in found]


async def test_rows_are_added_changed_filtered_and_deleted(server: World) -> None:
    await make(server)
    rows = "/lookup-tables/1/rows"
    for left, right in (("NL", "Netherlands"), ("BE", "Belgium"), ("HO", "Netherlands")):
        assert (await server.post(rows, json={"left": left, "right": right})).data["left"] == left
    assert await shown(server, **{"filter[right]": "Netherlands", "sort": "-left"}) == [
        ("NL", "Netherlands"),
        ("HO", "Netherlands"),
    ]
    assert (await server.put(f"{rows}/2", json={"right": "België"})).data == {
        "id": 2,
        "left": "BE",
        "right": "België",
    }
    for method, path in (("POST", rows), ("PUT", f"{rows}/2")):
        answer = await server.request(method, path, json={"left": "NL", "right": "x"})
        assert (answer.status, list(answer.json()["errors"])) == (422, ["left"])
    assert (await server.delete(f"{rows}/1")).status == 200
    assert (await server.delete(f"{rows}/1")).status == 404
    assert await shown(server) == [("BE", "België"), ("HO", "Netherlands")]


async def test_csv_goes_in_and_comes_out_as_it_was(server: World) -> None:
    await make(server, b"old,x\r\n")
    content = '\ufeffLeft,Right\r\nNL,"Nether\nlands"\r\n\r\n"a ""b"", c",\r\n=1+1,é\r\n'.encode()
    assert (await server.put(CSV, body=content, headers={"content-type": "text/csv"})).status == 200
    assert await shown(server) == [("NL", "Nether\nlands"), ('a "b", c', ""), ("=1+1", "é")]
    answer = await server.get(CSV)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.body.decode().startswith("left,right\r\n")
    assert (await server.put(CSV, body=answer.body)).status == 200
    assert (await server.get(CSV)).body == answer.body


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,1\nb,2\na,3", "Line 3: 'a' stands on the left of an earlier line too."),
        (b"a,1\nb", "Line 2: a row has two columns, left and right, not 1."),
        (b"a,1,2", "Line 1: a row has two columns, left and right, not 3."),
        (b"a;1", "Line 1: a row has two columns, left and right, not 1."),
        (b"left,right\n,1", "Line 2: the left column is empty."),
        (b"a," + b"x" * 501, "Line 1: a column has up to 500 characters."),
        (b"a,b\0", "Line 1: "),
        (b'a,"b', "Line 1: "),
        (b"a," + b"x" * 200_000, "Line 1: "),
        (b"a,\xff", "The file is not valid UTF-8."),
    ],
)
async def test_csv_that_cannot_be_taken_changes_nothing(server: World, content: bytes, said: str) -> None:
    await make(server, b"old,x")
    answer = await server.put(CSV, body=content)
    assert (answer.status, list(answer.json()["errors"])) == (422, ["body"])
    assert answer.json()["message"].startswith(said)
    assert await shown(server) == [("old", "x")]


async def test_a_table_takes_a_hundred_thousand_rows_and_no_more(sqlite_server: World) -> None:
    await make(sqlite_server, b"".join(b"%d,%d\n" % (at, at) for at in range(100_000)))
    answer = await sqlite_server.put(CSV, body=b"".join(b"%d,\n" % at for at in range(100_001)))
    assert answer.json()["errors"] == {"body": ["The file has more than 100,000 rows."]}
    answer = await sqlite_server.post("/lookup-tables/1/rows", json={"left": "a", "right": "b"})
    assert answer.json()["errors"] == {"left": ["The table has 100,000 rows; no more go in."]}
    found = await sqlite_server.get("/lookup-tables/1/rows", query={"filter[left]": "99999"})
    assert found.json()["meta"]["total"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"right": "a"}, "left"),
        ({"left": "a"}, "right"),
        ({"left": "", "right": "a"}, "left"),
        ({"left": "x" * 501, "right": "a"}, "left"),
        ({"left": "a", "right": "x" * 501}, "right"),
        ({"left": 1, "right": "a"}, "left"),
    ],
)
async def test_bad_rows(sqlite_server: World, body: dict[str, Any], field: str) -> None:
    await make(sqlite_server)
    answer = await sqlite_server.post("/lookup-tables/1/rows", json=body)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])


async def test_a_row_of_another_table_is_missing(server: World) -> None:
    await make(server, b"a,1")
    await server.post("/lookup-tables", json={"name": "other"})
    for method in ("PUT", "DELETE"):
        answer = await server.request(method, "/lookup-tables/2/rows/1", json={})
        assert answer.status == 404
