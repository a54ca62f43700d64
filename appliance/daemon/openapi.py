"""The OpenAPI 3.1 document: FastAPI writes it, from the daemon's own routes and a route for each command and listing.

The commands' routes are made when the document is first asked for. None of them is ever matched: one path answers for
all commands, since FastAPI would try two hundred patterns one after another ("Extending OpenAPI" in its documentation).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import Response

from appliance.contract.commands import Command, Effect
from appliance.contract.documents import Document
from appliance.contract.listings import Listing, Question, columns_of
from appliance.contract.people import ADMINISTRATOR, ANYONE, VISITOR
from appliance.daemon.bodies import QueryMade, WorkBegun
from appliance.daemon.paths import FILE, TEXT, Declared, Login, StrictRoute, by_header
from appliance.daemon.registry import Registry

__all__ = ["document"]

BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
PAPERS = {"text/plain": TEXT, "text/html": TEXT, "application/pdf": FILE}
ONCE = by_header(
    "Idempotency-Key",
    UUID,
    "A repeat within a day gets the first answer, and nothing is done twice.",
)


def document(app: FastAPI, registry: Registry) -> dict[str, Any]:
    """The whole document. The same services give the same bytes."""
    made: dict[str, Any] = _bounded(
        get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=[*app.routes, *_routes(registry)],
            tags=[{"name": name, "description": one.service.title} for name, one in sorted(registry.services.items())],
        )
    )
    return made


def _bounded(value: Any) -> Any:
    """The bounds of whole numbers as they are: FastAPI's model of a schema has but floats for them."""
    if isinstance(value, list):
        return [_bounded(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: int(one) if name in BOUNDS and isinstance(one, float) and one.is_integer() else _bounded(one)
        for name, one in value.items()
    }


def _routes(registry: Registry) -> Iterator[StrictRoute]:
    for service, offered in sorted(registry.services.items()):
        for name, command in sorted(offered.commands.items()):
            yield StrictRoute("POST", f"/v1/commands/{service}/{name}", _elsewhere, _command(service, command))
    for service, offered in sorted(registry.services.items()):
        for name, listing in sorted(offered.listings.items()):
            yield StrictRoute("POST", f"/v1/listings/{service}/{name}", _elsewhere, _listing(service, listing))


async def _elsewhere(_request: Request) -> Response:
    raise AssertionError("the routes of the document are not the application's")


def _command(service: str, command: Command) -> Declared:
    works = command.effect is Effect.WORK
    # None as an answer is a JSON null; to FastAPI it would be no type at all.
    returns = type(None) if command.returns is None else command.returns
    return Declared(
        name=f"{service}.{command.name}",
        tags=(service,),
        summary=command.summary,
        description=_roles(service, command.roles),
        login=_login(command.roles),
        takes=command.arguments,
        parameters=() if command.effect is Effect.QUERY else (ONCE,),
        answers=WorkBegun if works else returns,
        status=202 if works else 200,
        done="It has begun; see /v1/work/{id}." if works else "Done.",
        media=PAPERS if command.returns is Document and not works else {},
        extra={"x-effect": str(command.effect)},
    )


def _listing(service: str, listing: Listing) -> Declared:
    return Declared(
        name=f"{service}.{listing.name}",
        tags=(service,),
        summary=f"Look at {listing.name.replace('-', ' ')}.",
        description=_roles(service, listing.see),
        login=_login(listing.see),
        takes=Question,
        answers=QueryMade,
        done="The rows.",
        extra={
            "x-listing": listing.name,
            "x-key": listing.key,
            "x-columns": [_column(one) for one in columns_of(listing.row)],
            "requestBody": {"required": False},
        },
    )


def _roles(service: str, roles: frozenset[str]) -> str:
    if VISITOR in roles:
        return "Roles: everybody, without a login."
    if ANYONE in roles:
        return "Roles: everybody who has logged in."
    named = {f"{service}.{role}": None for role in sorted(roles)} | {ADMINISTRATOR: None}
    return f"Roles: {', '.join(named)}."


def _login(roles: frozenset[str]) -> Login:
    return Login.EITHER if VISITOR in roles else Login.NEEDED


def _column(column: Any) -> dict[str, Any]:
    field = column.field
    return {"name": field.name, "label": field.label, "kind": str(field.kind), "unit": field.unit}
