"""The processes that work together, as managers see them and nobody else; of a server that is alone there are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, Page, expect
from sqlalchemy import update
from tests.e2e import axe, pages
from tests.e2e.conftest import EMAIL, PASSWORD, serving, watched

from flowloom.store import processes, tables
from flowloom.store.database import Database

SILENCE = timedelta(minutes=1)
ACCOUNT = {"FLOWLOOM_ADMIN_EMAIL": EMAIL, "FLOWLOOM_ADMIN_PASSWORD": PASSWORD}


def work_together(file: Path) -> None:
    """An API process that lives, and a worker that was seen a minute ago."""
    database = Database(f"sqlite+pysqlite:///{file}")
    database.write_now(processes.register, "api", 0, SILENCE, "key")
    worker = database.write_now(processes.register, "worker", 16, SILENCE, "key")
    silent = update(tables.processes).where(tables.processes.c.id == worker.id)
    seen = silent.values(seen_at=datetime.now(UTC) - SILENCE)
    database.write_now(lambda connection: connection.execute(seen).rowcount)
    database.close()


async def shown(page: Page, address: str, count: int) -> None:
    await page.goto(address)
    await axe.shown(page)
    await expect(page.get_by_role("region", name="Processes")).to_have_count(count)


async def test_who_works_together_is_shown_to_managers(browser: Browser, tmp_path: Path):
    with serving(tmp_path, "serve", **ACCOUNT) as (address, _):
        async with watched(browser, address) as page:
            await pages.sign_in(page, EMAIL, PASSWORD)
            async with page.expect_response("**/api/v1/processes*"):
                await shown(page, "/settings", 0)
            work_together(tmp_path / "flowloom.db")
            for place in ("/", "/settings"):
                await shown(page, place, 1)
                api, worker = page.get_by_role("row", name="api"), page.get_by_role("row", name="worker")
                await expect(worker).to_contain_text("0 / 16")
                await expect(worker).to_contain_text("dead")
                await expect(api).not_to_contain_text("dead")
            assert await axe.look(page, "/settings") == []
            reader = {"name": "Ray", "email": pages.READER, "password": pages.READER_PASSWORD}
            await pages.Api(page.request)("POST", "/users", reader | {"role": "read-only"})
        # Whoever may not know does not ask: a refused request would be told.
        async with watched(browser, address) as page:
            await pages.sign_in(page, pages.READER, pages.READER_PASSWORD)
            await shown(page, "/", 0)
            await shown(page, "/settings", 0)
