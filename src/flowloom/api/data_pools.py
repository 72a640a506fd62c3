"""Data pools and their keys over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import envelope, schemas
from flowloom.api import schemas_data as data
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import data_pools
from flowloom.services.actor import Role

routes = Routes("Data pools")


@routes.get(
    "/data-pools", role=Role.READ_ONLY, answer=schemas.Page[data.DataPool], listing=data_pools.LISTING
)
async def list_data_pools(call: Call) -> Response:
    """List data pools"""
    asked = call.asked(data_pools.LISTING)
    return call.page(asked, await call.read(data_pools.page, asked))


@routes.post("/data-pools", role=Role.MANAGER, answer=schemas.One[data.DataPool], body=data.DataPoolCreate)
async def create_data_pool(call: Call) -> Response:
    """Create a data pool"""
    wanted = await call.body(data.DataPoolCreate)
    return envelope.data(await call.write(data_pools.create, wanted.given()))


@routes.get("/data-pools/{data_pool}", role=Role.READ_ONLY, answer=schemas.One[data.DataPool])
async def get_data_pool(call: Call) -> Response:
    """Get a data pool"""
    return envelope.data(await call.read(data_pools.get, call.id("data_pool")))


@routes.put(
    "/data-pools/{data_pool}",
    role=Role.MANAGER,
    answer=schemas.One[data.DataPool],
    body=data.DataPoolUpdate,
)
async def update_data_pool(call: Call) -> Response:
    """Change a data pool

    Its name stays while a Deployed version has a step that names it.
    """
    id = call.id("data_pool")
    wanted = await call.body(data.DataPoolUpdate)
    return envelope.data(await call.write(data_pools.change, id, wanted.given()))


@routes.delete("/data-pools/{data_pool}", role=Role.MANAGER, answer=schemas.Message)
async def delete_data_pool(call: Call) -> Response:
    """Delete a data pool that no Deployed version names, with all its keys"""
    id = call.id("data_pool")
    while await call.write(data_pools.remove_some, id, with_pool=True):
        pass
    await call.write(data_pools.KIND.remove, id)
    return envelope.message(f"Data pool {id} was deleted.")


@routes.get(
    "/data-pools/{data_pool}/entries",
    role=Role.READ_ONLY,
    answer=schemas.Page[data.PoolEntry],
    listing=data_pools.ENTRY_LISTING,
)
async def list_pool_entries(call: Call) -> Response:
    """List the keys of a data pool"""
    asked = call.asked(data_pools.ENTRY_LISTING)
    return call.page(asked, await call.read(data_pools.entries, call.id("data_pool"), asked))


@routes.post(
    "/data-pools/{data_pool}/entries",
    role=Role.MANAGER,
    answer=schemas.One[data.PoolAdded],
    body=data.PoolKeys,
)
async def add_pool_entries(call: Call) -> Response:
    """Put keys into a data pool for good"""
    id = call.id("data_pool")
    wanted = await call.body(data.PoolKeys)
    return envelope.data({"added": await call.write(data_pools.add, id, wanted.keys)})


@routes.delete("/data-pools/{data_pool}/entries", role=Role.MANAGER, answer=schemas.Message)
async def delete_pool_entries(call: Call) -> Response:
    """Take all keys out of a data pool, so that every record is new again"""
    id = call.id("data_pool")
    while await call.write(data_pools.remove_some, id, with_pool=False):
        pass
    return envelope.message(f"Data pool {id} was emptied.")


@routes.delete("/data-pools/{data_pool}/entries/{pool_entry}", role=Role.MANAGER, answer=schemas.Message)
async def delete_pool_entry(call: Call) -> Response:
    """Take a key out of a data pool, so that its record is new again"""
    id, entry_id = call.id("data_pool"), call.id("pool_entry")
    await call.write(data_pools.remove_entry, id, entry_id)
    return envelope.message(f"Pool entry {entry_id} was deleted.")
