"""What is the same for both clients: requests as values, replies as values or exceptions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import quote
from uuid import uuid4

from appliance.client.errors import LoginNeeded, Refusal, Unreachable
from compiler.errors import UsageError

__all__ = [
    "Asked",
    "Reply",
    "Work",
    "asked",
    "command",
    "event_of",
    "failure",
    "reason",
    "value_of",
    "whole",
    "work_of",
]


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str | bytes] = {}
    again: bool = False
    """May be sent again when the connection broke."""


class Reply(NamedTuple):
    """An answer as it came."""

    status: int
    body: bytes
    media_type: str


class Work(NamedTuple):
    """How far a piece of work is."""

    id: str
    state: str
    done: int
    total: int
    doing: str
    result: Any


def asked(
    method: str, path: str, value: Any = None, headers: Mapping[str, str] | None = None, *, again: bool = False
) -> Asked:
    """A request with a JSON body. ``again``: twice is no more than once, as it is for every GET."""
    body = b"" if value is None else json.dumps(value).encode()
    said = {"Content-Type": "application/json", **(headers or {})}
    return Asked(method, path, body, said, again or method == "GET")


def command(service: str, name: str, arguments: Any, key: str = "", accept: str = "application/json") -> Asked:
    """A command. It has an Idempotency-Key, so it may be sent again: nothing is done twice."""
    path = f"/commands/{quote(service, safe='')}/{quote(name, safe='')}"
    body = arguments if isinstance(arguments, bytes) else json.dumps(arguments or {}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": key or str(uuid4()), "Accept": accept}
    # A command without arguments takes no body, and {} is none.
    return Asked("POST", path, body, headers, True)


def value_of(status: int, body: bytes) -> Any:
    """The JSON of a success; raises Refusal, LoginNeeded and Unreachable."""
    if status >= 400:
        raise failure(status, body)
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        raise Unreachable("what answers is no Gerbang daemon") from None


def failure(status: int, body: bytes) -> Exception:
    """The exception that an error stands for."""
    try:
        error = json.loads(body)["error"]
        code = error["code"]
    except (ValueError, KeyError, TypeError):
        return Unreachable(f"what answers is no Gerbang daemon (HTTP {status})")
    return LoginNeeded(status, error) if code == "login-needed" else Refusal(status, error)


def work_of(identity: str, said: Mapping[str, Any]) -> Work:
    """The state of a piece of work; raises Refusal for one that failed."""
    if said["state"] == "failed":
        raise Refusal(422, said.get("error") or {})
    return Work(identity, said["state"], said["done"], said["total"], said["doing"], said.get("result"))


def event_of(line: str) -> Mapping[str, Any] | None:
    """The event in a line of the stream; an empty one says that some were lost."""
    if not line.startswith("data:"):
        return None
    try:
        said = json.loads(line[5:])
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def reason(error: BaseException) -> str:
    """What the system said, as short as it is."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__


@contextmanager
def whole(into: Path) -> Iterator[IO[bytes]]:
    """A file beside ``into``, which takes its name when the block ends well and is gone when it does not. Raises
    UsageError for a place where none can be."""
    beside = into.with_name(f".{into.name}.{os.getpid()}")
    try:
        with open(beside, "wb") as file:
            yield file
        beside.replace(into)
    except OSError as error:
        raise UsageError(f"cannot write {into}: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)
