"""Lookup tables and their rows over HTTP, row by row and as CSV."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from flowloom.api import bodies, envelope, lookup_csv, schemas
from flowloom.api import schemas_data as data
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import lookup_tables
from flowloom.services.actor import Role

routes = Routes("Lookup tables")


@routes.get(
    "/lookup-tables",
    role=Role.READ_ONLY,
    answer=schemas.Page[data.LookupTable],
    listing=lookup_tables.LISTING,
)
async def list_lookup_tables(call: Call) -> Response:
    """List lookup tables"""
    asked = call.asked(lookup_tables.LISTING)
    return call.page(asked, await call.read(lookup_tables.page, asked))


@routes.post(
    "/lookup-tables", role=Role.MANAGER, answer=schemas.One[data.LookupTable], body=data.LookupTableCreate
)
async def create_lookup_table(call: Call) -> Response:
    """Create an empty lookup table"""
    wanted = await call.body(data.LookupTableCreate)
    return envelope.data(await call.write(lookup_tables.create, wanted.given()))


@routes.get("/lookup-tables/{lookup_table}", role=Role.READ_ONLY, answer=schemas.One[data.LookupTable])
async def get_lookup_table(call: Call) -> Response:
    """Get a lookup table, without its rows"""
    return envelope.data(await call.read(lookup_tables.get, call.id("lookup_table")))


@routes.put(
    "/lookup-tables/{lookup_table}",
    role=Role.MANAGER,
    answer=schemas.One[data.LookupTable],
    body=data.LookupTableUpdate,
)
async def update_lookup_table(call: Call) -> Response:
    """Change a lookup table's name or description

    Its name stays while a Deployed version has a step that names it.
    """
    id = call.id("lookup_table")
    wanted = await call.body(data.LookupTableUpdate)
    return envelope.data(await call.write(lookup_tables.change, id, wanted.given()))


@routes.delete("/lookup-tables/{lookup_table}", role=Role.MANAGER, answer=schemas.Message)
async def delete_lookup_table(call: Call) -> Response:
    """Delete a lookup table that no Deployed version reads, with its rows"""
    id = call.id("lookup_table")
    await call.write(lookup_tables.remove, id)
    return envelope.message(f"Lookup table {id} was deleted.")


@routes.get(
    "/lookup-tables/{lookup_table}/rows",
    role=Role.READ_ONLY,
    answer=schemas.Page[data.LookupRow],
    listing=lookup_tables.ROW_LISTING,
)
async def list_lookup_rows(call: Call) -> Response:
    """List the rows of a lookup table"""
    asked = call.asked(lookup_tables.ROW_LISTING)
    return call.page(asked, await call.read(lookup_tables.rows, call.id("lookup_table"), asked))


@routes.post(
    "/lookup-tables/{lookup_table}/rows",
    role=Role.MANAGER,
    answer=schemas.One[data.LookupRow],
    body=data.LookupRowCreate,
)
async def create_lookup_row(call: Call) -> Response:
    """Add a row to a lookup table"""
    id = call.id("lookup_table")
    wanted = await call.body(data.LookupRowCreate)
    return envelope.data(await call.write(lookup_tables.add_row, id, wanted.model_dump()))


@routes.put(
    "/lookup-tables/{lookup_table}/rows/{lookup_row}",
    role=Role.MANAGER,
    answer=schemas.One[data.LookupRow],
    body=data.LookupRowUpdate,
)
async def update_lookup_row(call: Call) -> Response:
    """Change a row of a lookup table"""
    id, row_id = call.id("lookup_table"), call.id("lookup_row")
    wanted = await call.body(data.LookupRowUpdate)
    return envelope.data(await call.write(lookup_tables.change_row, id, row_id, wanted.given()))


@routes.delete("/lookup-tables/{lookup_table}/rows/{lookup_row}", role=Role.MANAGER, answer=schemas.Message)
async def delete_lookup_row(call: Call) -> Response:
    """Delete a row of a lookup table"""
    id, row_id = call.id("lookup_table"), call.id("lookup_row")
    await call.write(lookup_tables.remove_row, id, row_id)
    return envelope.message(f"Lookup row {row_id} was deleted.")


@routes.get("/lookup-tables/{lookup_table}/csv", role=Role.READ_ONLY, media_type="text/csv")
async def download_lookup_table(call: Call) -> Response:
    """Download a lookup table as CSV"""
    id = call.id("lookup_table")
    rows = await call.read(lookup_tables.all_rows, id)
    headers = {"Content-Disposition": f"attachment; filename=lookup-table-{id}.csv"}
    return Response(await asyncio.to_thread(lookup_csv.write, rows), 200, headers, "text/csv; charset=utf-8")


@routes.put(
    "/lookup-tables/{lookup_table}/csv",
    role=Role.MANAGER,
    answer=schemas.One[data.LookupTable],
    raw_body=True,
)
async def upload_lookup_table(call: Call) -> Response:
    """Replace all rows of a lookup table by those of a CSV file

    Two columns in UTF-8, with commas between; a header `left,right` may stand above. Either all rows are replaced
    or none.
    """
    id = call.id("lookup_table")
    content = await bodies.raw(call.request)
    rows = await asyncio.to_thread(lookup_csv.read, content, lookup_tables.MAX_ROWS)
    return envelope.data(await call.write(lookup_tables.replace_rows, id, rows))
