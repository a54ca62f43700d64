"""``/v1/listings/{service}/{listing}`` and ``/v1/queries/{id}``."""

from __future__ import annotations

from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from appliance.contract.listings import Question
from appliance.contract.refusals import NotAllowed
from appliance.daemon.bodies import RowFound
from appliance.daemon.errors import LoginNeeded
from appliance.daemon.file_paths import disposition
from appliance.daemon.listings import EXPORTS
from appliance.daemon.parts import Parts
from appliance.daemon.paths import add_path
from appliance.daemon.replies import json_bytes, plain
from appliance.daemon.requests import caller_of, number_of, record_from
from appliance.daemon.running import InvalidArguments, Problem

__all__ = ["add"]

LONGEST_PAGE = 1000


def add(app: Starlette, parts: Parts) -> None:
    """Add the paths of listings and of the queries that they begin."""
    queries, readers = parts.queries, parts.threads.readers

    async def ask(request: Request, service: str, listing: str) -> Response:
        caller = await caller_of(request, parts)
        try:
            found = queries.listing(caller.person, service, listing)
        except NotAllowed:
            if caller.session is None:
                raise LoginNeeded from None
            raise
        question: Question = await record_from(request, Question)
        return json_bytes(await readers.run(queries.ask, caller.owner, caller.person, service, found, question))

    async def page(request: Request, identity: str) -> Response:
        caller = await caller_of(request, parts)
        offset = number_of(request, "offset", 0, 0, 2**53 - 1)
        limit = number_of(request, "limit", 100, 1, LONGEST_PAGE)
        return json_bytes(await readers.run(queries.page, caller.owner, caller.person, identity, offset, limit))

    async def position(request: Request, identity: str) -> Response:
        caller = await caller_of(request, parts)
        row = number_of(request, "row", None, 0, 2**53 - 1)
        return plain(RowFound(offset=await readers.run(queries.position, caller.owner, caller.person, identity, row)))

    async def totals(request: Request, identity: str) -> Response:
        caller = await caller_of(request, parts)
        return plain(await readers.run(queries.totals, caller.owner, caller.person, identity))

    async def export(request: Request, identity: str) -> Response:
        caller = await caller_of(request, parts)
        form = request.query_params.get("format", "csv")
        if form not in EXPORTS:
            raise InvalidArguments((Problem(field="format", kind="enum", bounds={"expected": ", ".join(EXPORTS)}),))
        most = number_of(request, "limit", 2**53 - 1, 0, 2**53 - 1)
        plain_csv = request.query_params.get("plain", "") == "yes"
        exported = partial(queries.export, plain=plain_csv, most=most)
        name, parts_of_it = await readers.run(exported, caller.owner, caller.person, identity, form)
        headers = {"Content-Disposition": disposition(f"{name}.{form}"), "Cache-Control": "no-store"}
        return StreamingResponse(parts_of_it, media_type=EXPORTS[form], headers=headers)

    add_path(app, "POST", "/v1/listings/{service}/{listing}", ask)
    add_path(app, "GET", "/v1/queries/{identity}", page)
    add_path(app, "GET", "/v1/queries/{identity}/position", position)
    add_path(app, "GET", "/v1/queries/{identity}/totals", totals)
    add_path(app, "GET", "/v1/queries/{identity}/export", export)
