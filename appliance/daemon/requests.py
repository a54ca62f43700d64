"""Reading a request: who asks, its body within its bound, its numbers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from starlette.requests import Request

from appliance.contract.people import Person
from appliance.daemon.errors import LoginNeeded, MustChangePassword, TooLarge
from appliance.daemon.listings import owner_of
from appliance.daemon.parts import Parts
from appliance.daemon.running import InvalidArguments, Problem, adapter, problems_of
from appliance.daemon.sessions import Session, digest_of
from appliance.daemon.throttle import peer_key

__all__ = ["LARGEST", "Caller", "bounded", "caller_of", "key_of", "number_of", "peer_of", "read_body", "record_from"]

LARGEST = 1024 * 1024
"""Bytes of a JSON body."""
SMALL = 64 * 1024
"""Bytes of a body that is read in the loop's own thread: what anybody may send."""
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
NOBODY = Person("")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. A visitor has no session."""

    person: Person
    session: Session | None
    peer: str

    @property
    def owner(self) -> str:
        """Whose queries these are: the session's, or of all visitors from one place."""
        return owner_of(self.session.id) if self.session else f"visitor:{peer_key(self.peer)}"

    @property
    def logged_in(self) -> Session:
        """The session; raises LoginNeeded for a visitor."""
        if self.session is None:
            raise LoginNeeded
        return self.session


async def caller_of(request: Request, parts: Parts, *, first_password: bool = False) -> Caller:
    """Who sends this. Raises LoginNeeded for a token that is none or has ended, and MustChangePassword unless
    ``first_password`` says that a one-time password is enough here."""
    said = request.headers.get("authorization")
    peer = peer_of(request)
    if said is None:
        return Caller(NOBODY, None, peer)
    scheme, _, token = said.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not TOKEN.fullmatch(token):
        raise LoginNeeded
    digest = digest_of(token)
    session = parts.sessions.cached(digest) or await parts.threads.readers.run(parts.sessions.find, digest)
    if session is None:
        raise LoginNeeded
    if session.must_change and not first_password:
        raise MustChangePassword
    return Caller(session.person, session, peer)


def peer_of(request: Request) -> str:
    """The other end. A door on this machine may say for whom it speaks: ``Gerbang-Peer``."""
    state = request.scope.get("state", {})
    if state.get("trusted") and (behind := request.headers.get("gerbang-peer")):
        return re.sub(r"[^0-9A-Za-z.:_-]", "", behind)[:100] or str(state["peer"])
    return str(state.get("peer", "?"))


async def bounded(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body's parts; raises TooLarge, before anything is read when the length is said."""
    said = request.headers.get("content-length", "")
    if said.isdecimal() and (len(said) > 18 or int(said) > most):
        raise TooLarge(most)
    read = 0
    async for part in request.stream():
        read += len(part)
        if read > most:
            raise TooLarge(most)
        yield part


async def read_body(request: Request, most: int = LARGEST) -> bytes:
    """The whole body of a JSON request."""
    return b"".join([part async for part in bounded(request, most)])


async def record_from(request: Request, record: type) -> Any:
    """The body as this record; raises InvalidArguments, and TooLarge for more than SMALL."""
    body = await read_body(request, SMALL)
    try:
        return adapter(record).validate_json(body or b"{}")
    except ValidationError as error:
        raise InvalidArguments(tuple(problems_of(error))) from None


def number_of(request: Request, name: str, default: int | None, least: int, most: int) -> int:
    """A number of the query string; raises InvalidArguments."""
    said = request.query_params.get(name)
    if said is None and default is not None:
        return default
    if said is None or not re.fullmatch(r"-?[0-9]{1,18}", said) or not least <= int(said) <= most:
        raise InvalidArguments((Problem(field=name, kind="int_parsing", bounds={"ge": least, "le": most}),))
    return int(said)


def key_of(request: Request) -> UUID | None:
    """The Idempotency-Key, if there is one; raises InvalidArguments for one that is no UUID."""
    said = request.headers.get("idempotency-key")
    if said is None:
        return None
    # The draft writes it as a string of structured fields: in quotes; plain is as good.
    text = said.strip().strip('"')
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", text):
        raise InvalidArguments((Problem(field="Idempotency-Key", kind="uuid_parsing", bounds={}),))
    return UUID(text)
