"""Logging in and out: a password for a token, which browsers keep in a cookie that scripts cannot read.

Setting up is here too: it ends the session of the generated password and begins the next.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from flowloom import errors
from flowloom.api import bodies, envelope, schemas
from flowloom.api import call as calls
from flowloom.api import schemas_accounts as accounts
from flowloom.api.routes import Routes
from flowloom.services import first_start, invitations, logins, passwords
from flowloom.services.actor import Role
from flowloom.services.principals import TOKEN_SECONDS

routes = Routes("Logins", prefix="")


@routes.post(
    "/fabric/api/login",
    role=None,
    answer=accounts.LoginAnswer,
    body=accounts.Login,
    aliases=("/api/v1/login",),
)
async def login(request: Request) -> Response:
    """Log in

    The token goes after `Bearer ` in the Authorization header and works for 24 hours.
    """
    calls.require_own_page(request)
    wanted = bodies.model(accounts.Login, await bodies.json_object(request))
    if not wanted.account:
        raise errors.Invalid.field("email", "Send the e-mail address as email or as username.")
    token = await _token(request, wanted)
    return _session(request, token, "Logged in.")


@routes.post("/api/v1/set-up", role=Role.ADMINISTRATOR, answer=accounts.LoginAnswer, body=accounts.SetUp)
async def set_up(call: calls.Call) -> Response:
    """Set up the company of a first start, once

    The administrator whose password was generated says who he is; the token is that of the new password.
    """
    wanted = await call.body(accounts.SetUp)
    password_hash = await passwords.apart(passwords.hash, wanted.password)
    user = {"name": wanted.name, "email": wanted.email, "password_hash": password_hash}
    user_id = await call.write(first_start.finish, user, wanted.company_name)
    call.doors.principals.forget()
    token = call.doors.principals.issue_token(user_id, password_hash, call.actor.at)
    return _session(call.request, token, "The company is set up.")


@routes.post(
    "/api/v1/invitations/accept", role=None, answer=accounts.LoginAnswer, body=accounts.InvitationAccept
)
async def accept_invitation(request: Request) -> Response:
    """Choose a password with the link of an invitation, and log in"""
    calls.require_own_page(request)
    wanted = bodies.model(accounts.InvitationAccept, await bodies.json_object(request))
    doors: calls.Doors = request.app.state.doors
    database, vault, now = doors.platform.database, doors.platform.vault, doors.platform.clock()
    # Before the slow part: only who has a link has a password hashed.
    await database.read(invitations.find, vault, wanted.token, now)
    password_hash = await passwords.apart(passwords.hash, wanted.password)
    user_id = await database.write(invitations.accept, vault, wanted.token, password_hash, now)
    doors.principals.forget()
    token = doors.principals.issue_token(user_id, password_hash, now)
    return _session(request, token, "The password is set.")


@routes.post("/api/v1/logout", role=Role.READ_ONLY, answer=schemas.Message)
async def logout(call: calls.Call) -> Response:
    """Log out

    Takes the session cookie back; a token that is used without it works until it ends.
    """
    response = envelope.message("Logged out.")
    _set_cookie(call.request, response, "", 0)
    return response


async def _token(request: Request, wanted: accounts.Login) -> str:
    """The account's token. Raises Unauthenticated, or TooMany after many failures."""
    doors: calls.Doors = request.app.state.doors
    now = doors.platform.clock()
    address = request.client.host if request.client else ""
    doors.logins.check(wanted.account, address, now)
    # Counted before the slow part: guesses that are sent all at once are not more than the limit either.
    doors.logins.failed(wanted.account, address, now)
    user = await doors.platform.database.read(logins.find, wanted.account)
    password_hash = None if user is None else user.password_hash
    is_right = await passwords.apart(passwords.is_right, wanted.password, password_hash)
    if user is None or not is_right:
        raise errors.Unauthenticated("The e-mail address or the password is wrong.")
    doors.logins.succeeded(wanted.account, address)
    return doors.principals.issue_token(user.id, user.password_hash, now)


def _session(request: Request, token: str, message: str) -> Response:
    """The answer that begins a session, for programs in its body and for browsers in a cookie."""
    response = envelope.answer({"message": message, "token": token, "expires_in": TOKEN_SECONDS})
    _set_cookie(request, response, token, TOKEN_SECONDS)
    return response


def _set_cookie(request: Request, response: Response, token: str, seconds: int) -> None:
    response.set_cookie(
        calls.COOKIE,
        token,
        max_age=seconds,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
