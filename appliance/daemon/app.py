"""The HTTP API: paths to parts, and nothing else. ``build`` makes the ASGI application of a set of parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any

from fastapi import FastAPI
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from appliance.contract.people import Person
from appliance.daemon import command_paths, file_paths, listing_paths, people_paths
from appliance.daemon.bodies import CommandSeen, Health, ListingSeen, ServiceSeen
from appliance.daemon.errors import LoginNeeded, install
from appliance.daemon.events import sees
from appliance.daemon.openapi import document
from appliance.daemon.parts import Parts
from appliance.daemon.paths import TEXT, Declared, Login, add_path
from appliance.daemon.registry import Offered
from appliance.daemon.replies import json_bytes, plain
from appliance.daemon.requests import caller_of
from appliance.daemon.versions import version

__all__ = ["build"]

HEALTH = Declared(name="health", summary="Whether the daemon serves.", login=Login.NONE, answers=Health)
SERVICES = Declared(name="services", summary="What one may use.", login=Login.EITHER, answers=list[ServiceSeen])
OPENAPI = Declared(name="openapi", summary="This document.", login=Login.EITHER, answers=dict[str, Any])
EVENTS = Declared(
    name="events",
    summary="What happens, as it happens.",
    login=Login.EITHER,
    media={"text/event-stream": TEXT},
    only_media=True,
)


def build(parts: Parts) -> FastAPI:
    """The application. Its lifespan starts and stops the parts."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await parts.start()
        try:
            yield
        finally:
            await parts.stop()

    app = FastAPI(
        title="Gerbang",
        version=version(),
        description="The commands of the appliance's services.",
        lifespan=lifespan,
        # Ours asks for a login; FastAPI's pages of documentation come from a CDN.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.openapi = cache(partial(document, app, parts.registry))  # type: ignore[method-assign]
    install(app)
    _seeing(app, parts)
    people_paths.add(app, parts)
    command_paths.add(app, parts)
    listing_paths.add(app, parts)
    file_paths.add(app, parts)
    return app


def _seeing(app: FastAPI, parts: Parts) -> None:
    @cache
    def described() -> bytes:
        return to_json(app.openapi())

    async def health(_request: Request) -> Response:
        return plain(parts.watch.told())

    async def services(request: Request) -> Response:
        caller = await caller_of(request, parts)
        found = [_seen(one, caller.person) for one in parts.registry.services.values()]
        return plain([one for one in found if one is not None])

    async def openapi(request: Request) -> Response:
        caller = await caller_of(request, parts, first_password=True)
        if caller.session is None and not caller.peer.startswith("uid:"):
            raise LoginNeeded
        return json_bytes(await parts.threads.documents.run(described))

    async def events(request: Request) -> Response:
        caller = await caller_of(request, parts)
        session = caller.session

        def person() -> Person | None:
            if session is None:
                return caller.person
            now = parts.sessions.current(session.digest)
            return now.person if now is not None else None

        cut = request.scope.get("state", {}).get("cut", lambda: None)
        name = caller.owner if session is None else caller.person.name
        stream = await parts.hub.listen(person, name, cut, visitor=session is None)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    add_path(app, "GET", "/v1/health", health, HEALTH)
    add_path(app, "GET", "/v1/services", services, SERVICES)
    add_path(app, "GET", "/v1/openapi.json", openapi, OPENAPI)
    add_path(app, "GET", "/v1/events", events, EVENTS)


def _seen(offered: Offered, person: Person) -> ServiceSeen | None:
    """The service as this person sees it, or None."""
    service = offered.service
    commands = [
        CommandSeen(name=one.name, effect=one.effect, summary=one.summary, arguments=one.arguments is not None)
        for one in offered.commands.values()
        if person.reaches(service.name, one.roles)
    ]
    listings = [
        ListingSeen(name=one.name, key=one.key)
        for one in offered.listings.values()
        if person.reaches(service.name, one.see)
    ]
    if not commands and not listings and not sees(person, service):
        return None
    reaches_settings = any(one.name == "settings.change" for one in commands)
    return ServiceSeen(
        name=service.name,
        title=service.title,
        requires=list(service.requires),
        public=service.public,
        commands=sorted(commands, key=lambda one: one.name),
        listings=sorted(listings, key=lambda one: one.name),
        settings=offered.settings is not None and reaches_settings,
    )
