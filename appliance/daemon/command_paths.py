"""``/v1/commands/{service}/{command}`` and ``/v1/work/{id}``."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response

from appliance.contract.commands import Effect
from appliance.contract.documents import Document
from appliance.contract.people import Person
from appliance.contract.refusals import NotAllowed, NotFound
from appliance.contract.results import KeptFile
from appliance.daemon.bodies import WorkBegun, WorkSeen
from appliance.daemon.documents import shown
from appliance.daemon.errors import LoginNeeded
from appliance.daemon.file_paths import download
from appliance.daemon.once import Once
from appliance.daemon.parts import Parts
from appliance.daemon.paths import Declared, Login, add_path, identity_of
from appliance.daemon.replies import json_bytes, plain, wanted
from appliance.daemon.requests import Caller, caller_of, key_of, read_body
from appliance.daemon.running import Answer
from appliance.language import _

__all__ = ["add"]

IDENTITY = (identity_of(),)
LOOK = Declared(name="work.look", summary="How far work is.", login=Login.EITHER, parameters=IDENTITY, answers=WorkSeen)
CANCEL = Declared(name="work.cancel", summary="Cancel work.", login=Login.EITHER, parameters=IDENTITY, status=204)
RESULT = Declared(name="work.result", summary="What work answered.", login=Login.EITHER, parameters=IDENTITY)


def add(app: FastAPI, parts: Parts) -> None:
    """Add the paths of commands and of work."""

    async def command(request: Request, service: str, command: str) -> Response:
        caller = await caller_of(request, parts)
        try:
            _offered, found = parts.runner.find(caller.person, service, command)
        except NotAllowed:
            if caller.session is None:
                raise LoginNeeded from None
            raise
        key = key_of(request)
        body = await read_body(request)
        caller = await caller_of(request, parts)  # as now: a body may be long on its way
        if found.effect is Effect.WORK:
            piece = parts.works.start(caller.person, service, command, body, str(key or ""))
            return plain(WorkBegun(work=piece.id), 202)
        if found.effect is Effect.QUERY:
            lane = parts.threads.of_queries(service)
            answer = await lane.run(parts.runner.call, caller.person, service, command, body)
        else:
            once = Once.of(caller.person.name, key, service, command, body) if key else None
            writer = parts.threads.writer
            # A change of who may do what ends its transaction: those after it are asked for their roles again.
            turn = writer.run if service == "system" else writer.share
            prepared = None
            if found.before is not None:
                prepared = await parts.threads.known_passwords.run(parts.runner.prepare, found, body)
            answer = await turn(_change, parts, caller, service, command, body, once, prepared)
        return await _reply(parts, request, caller.person, answer)

    async def work(request: Request, identity: str) -> Response:
        caller = await caller_of(request, parts)
        piece = parts.works.find(caller.person, identity)
        seen = piece.described()
        if piece.answer is not None:
            seen["result"] = from_json(piece.answer.json())
        return plain(seen)

    async def cancel(request: Request, identity: str) -> Response:
        caller = await caller_of(request, parts)
        parts.works.find(caller.person, identity).cancelled.set()
        return Response(status_code=204)

    async def result(request: Request, identity: str) -> Response:
        caller = await caller_of(request, parts)
        piece = parts.works.find(caller.person, identity)
        if piece.answer is None:
            raise NotFound(_("result of work"), identity[:64])
        return await _reply(parts, request, caller.person, piece.answer)

    add_path(app, "POST", "/v1/commands/{service}/{command}", command)
    add_path(app, "GET", "/v1/work/{identity}", work, LOOK)
    add_path(app, "DELETE", "/v1/work/{identity}", cancel, CANCEL)
    add_path(app, "GET", "/v1/work/{identity}/result", result, RESULT)


def _change(
    parts: Parts, caller: Caller, service: str, command: str, body: bytes, once: Once | None, prepared: Any
) -> Answer:
    person = caller.person
    if caller.session is not None:
        # It waited for its turn: a change before it may have taken the session or the role.
        now = parts.sessions.find(caller.session.digest)
        if now is None:
            raise LoginNeeded
        person = now.person
    return parts.runner.call(person, service, command, body, once, prepared)


async def _reply(parts: Parts, request: Request, person: Person, answer: Answer) -> Response:
    if isinstance(answer.value, Document):
        media = wanted(request.headers.get("accept", ""))
        if media != "application/json":
            return await parts.threads.documents.run(shown, parts, person, answer.value, media)
    if isinstance(answer.value, KeptFile):
        return download(answer.value.path, answer.value.name, answer.value.media_type)
    if answer.value is None and answer.repeated is None:
        return json_bytes(b"null")
    return json_bytes(answer.json())
