"""``/v1/files``: bytes that clients send and fetch again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from annotated_types import MaxLen
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from appliance.contract.kinds import one_line
from appliance.contract.people import Person
from appliance.contract.refusals import NotFound
from appliance.daemon.bodies import Sent
from appliance.daemon.errors import LoginNeeded
from appliance.daemon.files import LARGEST, Arrived
from appliance.daemon.parts import Parts
from appliance.daemon.paths import FILE, Declared, Login, add_path, by_header, identity_of
from appliance.daemon.replies import plain
from appliance.daemon.requests import bounded, caller_of
from appliance.daemon.running import InvalidArguments, Problem
from appliance.language import _

__all__ = ["add", "disposition", "download"]

SEND = Declared(
    name="files.send",
    summary="Send a file.",
    login=Login.NEEDED,
    takes_file=True,
    parameters=(by_header("X-Name", Annotated[str, MaxLen(200)]),),
    answers=Sent,
    status=201,
)
FETCH = Declared(
    name="files.fetch",
    summary="Fetch a file.",
    login=Login.NEEDED,
    parameters=(identity_of(),),
    media={"*/*": FILE},
    only_media=True,
)

MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,50}/[A-Za-z0-9!#$&^_.+-]{1,49}")


def add(app: FastAPI, parts: Parts) -> None:
    """Add the paths of files."""

    async def send(request: Request) -> Response:
        caller = await caller_of(request, parts)
        person = caller.person
        if caller.session is None and not any(one.service.public for one in parts.registry.services.values()):
            raise LoginNeeded
        name = _name(request.headers.get("x-name", ""))
        said = request.headers.get("content-type", "").partition(";")[0].strip()
        media_type = said if MEDIA_TYPE.fullmatch(said) else "application/octet-stream"
        most = LARGEST if caller.session else parts.files.visitors.room(caller.peer)
        # On the way until its line stands: from then on that line counts.
        with parts.files.arriving.of(parts.files.bounds(person, caller.owner)) as take:
            arrived = await parts.files.receive(bounded(request, most), most, take)
            try:
                if caller.session is None:
                    parts.files.visitors.take(caller.peer, arrived.size)
                caller = await caller_of(request, parts)  # as now: a file may be long on its way
                await parts.threads.writer.run(_keep, parts, caller.person, arrived, name, media_type)
            except BaseException:
                parts.files.drop(arrived.id)
                raise
        return plain(Sent(file=arrived.id), 201)

    async def fetch(request: Request, identity: str) -> Response:
        caller = await caller_of(request, parts)
        found = await parts.threads.readers.run(parts.files.find, caller.logged_in.person, identity)
        return download(found.path, found.name or found.id, found.media_type)

    add_path(app, "POST", "/v1/files", send, SEND)
    add_path(app, "GET", "/v1/files/{identity}", fetch, FETCH)


def download(path: Path, name: str, media_type: str) -> Response:
    """A file on disk as an answer. Raises NotFound when it has gone."""
    if not path.is_file():
        raise NotFound(_("file"), name[:100])
    headers = {
        "Content-Disposition": disposition(name),
        # What somebody has sent is never a page of ours.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
    return FileResponse(path, media_type=media_type, headers=headers)


def disposition(name: str) -> str:
    """``Content-Disposition`` of a download, in any script (RFC 6266, RFC 8187)."""
    ascii_name = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"


def _name(said: str) -> str:
    # Header bytes arrive as Latin-1; clients write UTF-8.
    text = said.encode("latin-1", "replace").decode("utf-8", "replace")
    try:
        text = one_line(text)
    except ValueError:
        raise InvalidArguments((Problem(field="X-Name", kind="string_type", bounds={}),)) from None
    return text.replace("/", "_")[:200]


def _keep(parts: Parts, person: Person, arrived: Arrived, name: str, media_type: str) -> None:
    told = {"file": arrived.id, "name": name, "size": arrived.size, "sha256": arrived.sha256}
    with parts.runner.changing(person, "system", "files.send", told) as context:
        parts.files.keep(context, arrived, name, media_type)
