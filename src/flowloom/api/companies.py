"""The caller's company over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import envelope, schemas
from flowloom.api import schemas_accounts as accounts
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import companies
from flowloom.services.actor import Role

routes = Routes("Companies")


@routes.get("/company", role=Role.READ_ONLY, answer=schemas.One[accounts.Company])
async def get_company(call: Call) -> Response:
    """Get your company"""
    return envelope.data(await call.read(companies.get))


@routes.put(
    "/company", role=Role.ADMINISTRATOR, answer=schemas.One[accounts.Company], body=accounts.CompanyUpdate
)
async def update_company(call: Call) -> Response:
    """Change your company; what is left out stays"""
    body = await call.body(accounts.CompanyUpdate)
    return envelope.data(await call.write(companies.change, body.model_dump(exclude_none=True)))
