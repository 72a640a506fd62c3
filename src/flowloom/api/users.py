"""Users over HTTP, and who the caller is."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.responses import Response

from flowloom.api import envelope, schemas
from flowloom.api import schemas_accounts as accounts
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import invitations, passwords, users
from flowloom.services.actor import Role

routes = Routes("Users")


@routes.get("/me", role=Role.READ_ONLY, answer=schemas.One[accounts.Me])
async def get_me(call: Call) -> Response:
    """Who you are"""
    return envelope.data(await call.read(users.me))


@routes.get("/users", role=Role.ADMINISTRATOR, answer=schemas.Page[schemas.User], listing=users.LISTING)
async def list_users(call: Call) -> Response:
    """List users"""
    asked = call.asked(users.LISTING)
    return call.page(asked, await call.read(users.page, asked))


@routes.post("/users", role=Role.ADMINISTRATOR, answer=schemas.One[schemas.User], body=accounts.UserCreate)
async def create_user(call: Call) -> Response:
    """Create a user"""
    fields = await _fields(await call.body(accounts.UserCreate))
    if "password_hash" not in fields:
        fields |= await _unknown_password()
    created = await call.write(users.create, fields)
    call.doors.principals.forget()
    return envelope.data(created)


@routes.get("/users/{user}", role=Role.ADMINISTRATOR, answer=schemas.One[schemas.User])
async def get_user(call: Call) -> Response:
    """Get a user"""
    return envelope.data(await call.read(users.get, call.id("user")))


@routes.put(
    "/users/{user}", role=Role.ADMINISTRATOR, answer=schemas.One[schemas.User], body=accounts.UserUpdate
)
async def update_user(call: Call) -> Response:
    """Change a user

    The last administrator of a company keeps the role.
    """
    id = call.id("user")
    fields = await _fields(await call.body(accounts.UserUpdate))
    changed = await call.write(users.change, id, fields)
    call.doors.principals.forget()
    return envelope.data(changed)


@routes.post("/users/{user}/invitation", role=Role.ADMINISTRATOR, answer=schemas.One[accounts.Invitation])
async def invite_user(call: Call) -> Response:
    """Make a link with which a user chooses a password, once

    It works for seven days, or until the user has another password.
    """
    vault = call.platform.vault
    return envelope.data(await call.read(invitations.invite, vault, call.id("user")))


@routes.delete("/users/{user}", role=Role.ADMINISTRATOR, answer=schemas.Message)
async def delete_user(call: Call) -> Response:
    """Delete a user"""
    id = call.id("user")
    await call.write(users.remove, id)
    call.doors.principals.forget()
    return envelope.message(f"User {id} was deleted.")


async def _fields(wanted: accounts.UserCreate | accounts.UserUpdate) -> dict[str, Any]:
    """What was sent, with the password hashed: that takes too long for a transaction."""
    fields = wanted.model_dump(exclude_none=True)
    if "password" in fields:
        fields["password_hash"] = await passwords.apart(passwords.hash, fields.pop("password"))
    return fields


async def _unknown_password() -> dict[str, Any]:
    """That of a user who chooses one later: nobody knows it, and no two are alike."""
    return {"password_hash": await passwords.apart(passwords.hash, secrets.token_urlsafe(32))}
