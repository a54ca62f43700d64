"""``/v1/login``, ``/logout``, ``/me``, ``/password``, ``/language``."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from appliance.daemon.bodies import Credentials, LanguageChosen, LoggedInAs, Me, PersonSeen
from appliance.daemon.parts import Parts
from appliance.daemon.paths import Declared, Login, add_path
from appliance.daemon.replies import plain
from appliance.daemon.requests import caller_of, peer_of, record_from
from appliance.daemon.sessions import Session
from appliance.services.system.model import NewPassword

__all__ = ["add"]

LOGIN = Declared(name="login", summary="Log in.", login=Login.NONE, takes=Credentials, answers=LoggedInAs)
LOGOUT = Declared(name="logout", summary="Log out.", login=Login.NEEDED, status=204)
ME = Declared(name="me", summary="Who is logged in.", login=Login.NEEDED, answers=Me)
PASSWORD = Declared(
    name="password",
    summary="Change the password; other logins end.",
    login=Login.NEEDED,
    takes=NewPassword,
    status=204,
)
LANGUAGE = Declared(
    name="language", summary="Choose the language.", login=Login.NEEDED, takes=LanguageChosen, status=204
)


def add(app: FastAPI, parts: Parts) -> None:
    """Add the paths of people."""

    async def login(request: Request) -> Response:
        said: Credentials = await record_from(request, Credentials)
        opened = await parts.logins.log_in(said.name, said.password, peer_of(request))
        session = opened.session
        return plain(
            LoggedInAs(
                token=opened.token,
                expires_at=session.expires.astimezone(parts.runner.zone),
                must_change_password=session.must_change,
                person=PersonSeen(**_person(session)),
            )
        )

    async def logout(request: Request) -> Response:
        caller = await caller_of(request, parts, first_password=True)
        await parts.logins.log_out(caller.logged_in)
        parts.queries.drop(caller.owner)
        return Response(status_code=204)

    async def logged_in(request: Request, *, first_password: bool = False) -> Session:
        return (await caller_of(request, parts, first_password=first_password)).logged_in

    async def me(request: Request) -> Response:
        session = await logged_in(request, first_password=True)
        return plain(Me(**_person(session), must_change_password=session.must_change))

    async def password(request: Request) -> Response:
        await logged_in(request, first_password=True)
        said: NewPassword = await record_from(request, NewPassword)
        session = await logged_in(request, first_password=True)  # as now: a body may be long on its way
        await parts.logins.change_password(session, said.old, said.new, peer_of(request))
        return Response(status_code=204)

    async def language(request: Request) -> Response:
        await logged_in(request)
        said: LanguageChosen = await record_from(request, LanguageChosen)
        await parts.logins.change_language(await logged_in(request), said.language)
        return Response(status_code=204)

    add_path(app, "POST", "/v1/login", login, LOGIN)
    add_path(app, "POST", "/v1/logout", logout, LOGOUT)
    add_path(app, "GET", "/v1/me", me, ME)
    add_path(app, "POST", "/v1/password", password, PASSWORD)
    add_path(app, "POST", "/v1/language", language, LANGUAGE)


def _person(session: Session) -> dict[str, Any]:
    person = session.person
    return {
        "name": person.name,
        "full_name": session.full_name,
        "language": person.language,
        "roles": sorted(person.roles),
    }
