"""The floor of reads: a raw ASGI app that answers the product's bytes from bare SQL, without checking anything."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

import msgspec

from bench.floor import asgi

VERSION = """
SELECT v.id, v.flow_id, f.name, f.priority, v.iteration, v.status, v.deployed_at, v.deployed_by,
    v.saved_at, v.saved_by, v.has_callback_step, v.steps_count, v.content_hash, v.label,
    v.message, v.created_at, v.updated_at
FROM flow_versions v JOIN flows f ON f.id = v.flow_id"""
ONE = f"{VERSION} WHERE v.id = ? AND v.flow_id = ? AND f.company_id = 1"
PAGE = f"{VERSION} WHERE v.flow_id = ? AND f.company_id = 1 ORDER BY v.id LIMIT ? OFFSET ?"
COUNT = "SELECT count(*) FROM flow_versions v JOIN flows f ON f.id = v.flow_id WHERE v.flow_id = ? AND f.company_id = 1"
SCHEDULES = """
SELECT id, flow_version_id, cron_string, timezone, overlap, catch_up, jitter_seconds, dst_gap, dst_repeat, created_at,
    updated_at
FROM schedules WHERE flow_version_id IN ({}) ORDER BY id"""


def instant(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def version(row: Any) -> dict[str, Any]:
    (
        id, flow_id, flow_name, flow_priority, iteration, status, deployed_at, deployed_by, saved_at, saved_by,
        has_callback_step, steps_count, content_hash, label, message, created_at, updated_at,
    ) = row  # fmt: skip
    whole = {
        "id": id,
        "flow_id": flow_id,
        "flow_name": flow_name,
        "flow_priority": flow_priority,
        "iteration": iteration,
        "status": status,
        "is_deployed": status == "Deployed",
        "is_editable": status == "Draft",
        "deployed_at": instant(deployed_at) if deployed_at is not None else None,
        "deployed_by": deployed_by,
        "saved_at": instant(saved_at),
        "saved_by": saved_by,
        "has_callback_step": bool(has_callback_step),
        "steps_count": steps_count,
        "content_hash": content_hash,
        "label": label,
        "message": message,
        "created_at": instant(created_at),
        "updated_at": instant(updated_at),
    }
    return {name: value for name, value in whole.items() if value is not None}


def schedule(row: Any) -> dict[str, Any]:
    id, version_id, cron, timezone, overlap, catch_up, jitter, gap, repeat, created_at, updated_at = row
    return {
        "id": id,
        "flow_version_id": str(version_id),
        "cron_string": cron,
        "timezone": timezone,
        "overlap": overlap,
        "catch_up": catch_up,
        "jitter_seconds": jitter,
        "dst_gap": gap,
        "dst_repeat": repeat,
        "created_at": instant(created_at),
        "updated_at": instant(updated_at),
    }


class Reads:
    """GET /api/v1/flows/{flow}/versions[/{version}] and nothing else."""

    def __init__(self, database: str) -> None:
        self._database = sqlite3.connect(f"file:{database}?mode=ro", uri=True)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        parts = scope["path"].split("/")
        if len(parts) < 5:
            content = b"{}"
        elif len(parts) == 7:
            content = self.one(int(parts[4]), int(parts[6]))
        else:
            content = self.page(int(parts[4]), dict(p.split(b"=") for p in scope["query_string"].split(b"&")))
        await asgi.answer(send, content)

    def one(self, flow: int, id: int) -> bytes:
        row = self._database.execute(ONE, (id, flow)).fetchone()
        return msgspec.json.encode({"data": version(row)})

    def page(self, flow: int, asked: dict[bytes, bytes]) -> bytes:
        page, size = int(asked.get(b"page", 1)), int(asked[b"per_page"])
        items = [version(row) for row in self._database.execute(PAGE, (flow, size, (page - 1) * size))]
        by_version: dict[int, list[Any]] = {item["id"]: [] for item in items}
        marks = ",".join("?" * len(items))
        for row in self._database.execute(SCHEDULES.format(marks), list(by_version)):
            by_version[row[1]].append(schedule(row))
        for item in items:
            item["schedules"] = by_version[item["id"]]
        total = self._database.execute(COUNT, (flow,)).fetchone()[0]
        return msgspec.json.encode({"data": items, **self.frame(flow, page, size, total, len(items))})

    def frame(self, flow: int, page: int, size: int, total: int, here: int) -> dict[str, Any]:
        path, last, first = (
            f"http://bench/api/v1/flows/{flow}/versions",
            -(-total // size),
            (page - 1) * size + 1,
        )
        link = f"{path}?per_page={size}&include=schedules&page="
        meta = {
            "current_page": page,
            "from": first,
            "last_page": last,
            "path": path,
            "per_page": size,
            "to": first + here - 1,
            "total": total,
        }
        links = {
            "first": f"{link}1",
            "last": f"{link}{last}",
            "prev": f"{link}{page - 1}" if page > 1 else None,
            "next": f"{link}{page + 1}" if page < last else None,
        }
        return {"meta": meta, "links": links}


if __name__ == "__main__":
    given = asgi.arguments("--database")
    asgi.run(Reads(given.database), given.port)
