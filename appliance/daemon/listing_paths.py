"""``/v1/listings/{service}/{listing}`` and ``/v1/queries/{id}``."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from annotated_types import Ge, Le
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from appliance.contract.listings import Question
from appliance.contract.refusals import NotAllowed
from appliance.daemon.bodies import Offset, RowFound, RowsFound
from appliance.daemon.errors import LoginNeeded
from appliance.daemon.file_paths import disposition
from appliance.daemon.listings import EXPORTS
from appliance.daemon.parts import Parts
from appliance.daemon.paths import FILE, TEXT, Declared, Login, add_path, by_query, identity_of
from appliance.daemon.replies import json_bytes, plain
from appliance.daemon.requests import caller_of, number_of, record_from
from appliance.daemon.running import InvalidArguments, Problem

__all__ = ["add"]

LONGEST_PAGE = 1000
MOST_ROWS = 2**53 - 1
IDENTITY = identity_of()
PAGE = Declared(
    name="queries.page",
    summary="A page of a query.",
    login=Login.EITHER,
    parameters=(
        IDENTITY,
        by_query("offset", Offset, 0),
        by_query("limit", Annotated[int, Ge(1), Le(LONGEST_PAGE)], 100),
    ),
    answers=RowsFound,
)
POSITION = Declared(
    name="queries.position",
    summary="Where a row is.",
    login=Login.EITHER,
    parameters=(IDENTITY, by_query("row", Offset)),
    answers=RowFound,
)
TOTALS = Declared(
    name="queries.totals",
    summary="Sums of the columns.",
    login=Login.EITHER,
    parameters=(IDENTITY,),
    answers=dict[str, float | None],
)
EXPORT = Declared(
    name="queries.export",
    summary="All rows.",
    login=Login.EITHER,
    parameters=(
        IDENTITY,
        by_query("format", Literal["csv", "xlsx"], "csv"),
        by_query("limit", Offset, MOST_ROWS),
        by_query("plain", Literal["yes", "no"], "no"),
    ),
    media={EXPORTS["csv"].partition(";")[0]: TEXT, EXPORTS["xlsx"]: FILE},
    only_media=True,
)


def add(app: FastAPI, parts: Parts) -> None:
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
        caller = await caller_of(request, parts)  # as now: a body may be long on its way
        queries.listing(caller.person, service, listing)
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
        most = number_of(request, "limit", MOST_ROWS, 0, MOST_ROWS)
        plain_csv = request.query_params.get("plain", "") == "yes"
        exported = partial(queries.export, plain=plain_csv, most=most)
        name, parts_of_it = await parts.threads.exports.run(exported, caller.owner, caller.person, identity, form)
        headers = {"Content-Disposition": disposition(f"{name}.{form}"), "Cache-Control": "no-store"}
        return StreamingResponse(parts_of_it, media_type=EXPORTS[form], headers=headers)

    add_path(app, "POST", "/v1/listings/{service}/{listing}", ask)
    add_path(app, "GET", "/v1/queries/{identity}", page, PAGE)
    add_path(app, "GET", "/v1/queries/{identity}/position", position, POSITION)
    add_path(app, "GET", "/v1/queries/{identity}/totals", totals, TOTALS)
    add_path(app, "GET", "/v1/queries/{identity}/export", export, EXPORT)
