"""Cache entries over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import envelope, schemas
from flowloom.api import schemas_data as data
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import cache_entries
from flowloom.services.actor import Role

routes = Routes("Cache entries")


@routes.get(
    "/cache-entries",
    role=Role.READ_ONLY,
    answer=schemas.Page[data.CacheEntry],
    listing=cache_entries.LISTING,
)
async def list_cache_entries(call: Call) -> Response:
    """List cache entries, with values up to 4 KB"""
    asked = call.asked(cache_entries.LISTING)
    return call.page(asked, await call.read(cache_entries.page, asked))


@routes.get("/cache-entries/{cache_entry}", role=Role.READ_ONLY, answer=schemas.One[data.CacheEntry])
async def get_cache_entry(call: Call) -> Response:
    """Get a cache entry with its value"""
    return envelope.data(await call.read(cache_entries.get, call.id("cache_entry")))


@routes.delete("/cache-entries/{cache_entry}", role=Role.MANAGER, answer=schemas.Message)
async def delete_cache_entry(call: Call) -> Response:
    """Delete a cache entry"""
    id = call.id("cache_entry")
    await call.write(cache_entries.remove, id)
    return envelope.message(f"Cache entry {id} was deleted.")
