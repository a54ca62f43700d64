"""How the daemon says no over HTTP: one shape of error, and which status stands for which refusal."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from appliance.contract.refusals import Refused, Value
from appliance.daemon.running import InvalidArguments
from appliance.language import _
from appliance.store.failures import StoreAway, StoreBusy, StoreFault
from compiler.errors import GerbangError

__all__ = [
    "STATUS",
    "LoginNeeded",
    "LoginRefused",
    "MustChangePassword",
    "NoRoom",
    "TooLarge",
    "TooMany",
    "described",
    "install",
]

STATUS: Mapping[str, int] = {
    "login-needed": 401,
    "login-refused": 401,
    "not-allowed": 403,
    "must-change-password": 403,
    "not-found": 404,
    "conflict": 409,
    "already-there": 409,
    "in-use": 409,
    "key-reused": 409,
    "too-large": 413,
    "rule-broken": 422,
    "refused": 422,
    "invalid-arguments": 422,
    "too-many": 429,
    "no-room": 507,
}
AGAIN = 2
"""Seconds after which a store that was busy or away may answer."""
logger = logging.getLogger("gerbang.daemon")


class LoginNeeded(Refused):
    """No token, or one that has ended."""

    code = "login-needed"

    def __init__(self) -> None:
        super().__init__(_("log in first"))


class LoginRefused(Refused):
    """A name or a password that is wrong; it is not said which."""

    code = "login-refused"

    def __init__(self) -> None:
        super().__init__(_("the name or the password is wrong"))


class MustChangePassword(Refused):
    """A one-time password opens nothing but its own change."""

    code = "must-change-password"

    def __init__(self) -> None:
        super().__init__(_("choose a password of your own first"))


class TooLarge(Refused):
    """A body of more bytes than are read."""

    code = "too-large"

    def __init__(self, most: int) -> None:
        super().__init__(_("more than {most} bytes are not taken"), most=most)


class NoRoom(Refused):
    """The disk is nearly full (507: RFC 4918, 11.5)."""

    code = "no-room"

    def __init__(self) -> None:
        super().__init__(_("the appliance's disk is nearly full, so no file is taken; tell the administrator"))


class TooMany(Refused):
    """Too much at once, or too many wrong passwords: try again after some seconds."""

    code = "too-many"

    def __init__(self, retry_after: int) -> None:
        super().__init__(_("too many requests; try again in {seconds} s"), seconds=retry_after)
        self.retry_after = retry_after


def described(error: Exception) -> dict[str, Any]:
    """The error as the contract has it."""
    if isinstance(error, InvalidArguments):
        problems = [{"field": one.field, "kind": one.kind, "bounds": one.bounds} for one in error.problems]
        first = error.problems[0].field if error.problems else ""
        body = _body("invalid-arguments", _("the arguments are not as the command takes them"), {}, first)
        return {"error": {**body, "problems": problems}}
    if isinstance(error, StoreFault):
        return {"error": _body("store-failed", _("the store cannot be used; the daemon's log says why"), {}, "")}
    if isinstance(error, GerbangError):
        # Of the machine or the root helper: said to people, without a traceback.
        said = str(error)
        return {"error": _body("refused", "{reason}", {"reason": said}, "", said)}
    if isinstance(error, Refused):
        return {"error": _body(error.code, error.template, error.values, error.field, str(error))}
    return {"error": _body("failed", _("the daemon failed; its log says why"), {}, "")}


def _body(
    code: str, template: str, values: Mapping[str, Value], field: str, message: str | None = None
) -> dict[str, Any]:
    said = template if message is None else message
    return {"code": code, "template": template, "values": dict(values), "field": field, "message": said}


def _answer(status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    # ASCII: a lone surrogate in a value is written as its escape, and no encoder fails on it.
    body = json.dumps(content, default=str).encode()
    return Response(body, status, headers, "application/json")


def install(app: FastAPI) -> None:
    """Answer every exception in the one shape. The framework's own would be of another."""

    async def refused(_request: Request, error: Exception) -> Response:
        code = "invalid-arguments" if isinstance(error, InvalidArguments) else getattr(error, "code", "refused")
        headers = {}
        if isinstance(error, TooMany):
            headers["Retry-After"] = str(error.retry_after)
        if STATUS.get(code) == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return _answer(STATUS.get(code, 422), described(error), headers)

    async def by_framework(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = {404: "not-found", 405: "wrong-method"}.get(error.status_code, "refused")
        headers = dict(error.headers or {})
        return _answer(error.status_code, {"error": _body(code, str(error.detail), {}, "")}, headers)

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # nobody reads it

    async def failed(request: Request, error: Exception) -> Response:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return _answer(500, described(error))

    async def store_failed(_request: Request, error: Exception) -> Response:
        logger.error("the store failed: %s", error)
        passes = isinstance(error, StoreAway | StoreBusy)
        return _answer(503, described(error), {"Retry-After": str(AGAIN)} if passes else None)

    async def machine_failed(request: Request, error: Exception) -> Response:
        logger.warning("%s %s: %s", request.method, request.url.path, error)
        return _answer(STATUS["refused"], described(error))

    app.add_exception_handler(StoreFault, store_failed)
    app.add_exception_handler(GerbangError, machine_failed)
    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(InvalidArguments, refused)
    app.add_exception_handler(HTTPException, by_framework)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, failed)
