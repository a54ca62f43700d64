"""The daemon's own paths in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["own_paths"]

JSON = "application/json"
TOKEN: list[dict[str, list[str]]] = [{"token": []}]
OPEN: list[dict[str, list[str]]] = []
EITHER: list[dict[str, list[str]]] = [{}, {"token": []}]
FILE = {"type": "string", "contentMediaType": "application/octet-stream"}
NUMBER = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}


def own_paths(schemas: Mapping[str, Any], refused: Mapping[str, str]) -> dict[str, Any]:
    """Login, listings' queries, work, events and files. ``schemas`` by the names of ``bodies``."""

    def operation(
        name: str,
        summary: str,
        security: list[dict[str, list[str]]],
        *,
        takes: str = "",
        answers: Any = None,
        status: str = "200",
        media: str = JSON,
        parameters: tuple[Any, ...] = (),
    ) -> dict[str, Any]:
        content = {} if answers is None else {"content": {media: {"schema": answers}}}
        said: dict[str, Any] = {
            "operationId": name,
            "summary": summary,
            "security": security,
            "responses": {status: {"description": "Done.", **content}},
        }
        if takes:
            said["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas[takes]}}}
        if parameters:
            said["parameters"] = list(parameters)
        failure = {"content": {JSON: {"schema": schemas["Failure"]}}}
        said["responses"] |= {code: {"description": words, **failure} for code, words in refused.items()}
        return said

    identity = _parameter("identity", "path", {"type": "string", "maxLength": 64})
    offset = _parameter("offset", "query", {**NUMBER, "default": 0})
    limit = _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})
    row = _parameter("row", "query", NUMBER, required=True)
    form = _parameter("format", "query", {"enum": ["csv", "xlsx"], "default": "csv"})
    name = _parameter("X-Name", "header", {"type": "string", "maxLength": 200})
    document = {"type": "object"}
    sums = {"type": "object", "additionalProperties": {"type": ["number", "null"]}}
    many = {"type": "array", "items": schemas["ServiceSeen"]}
    send = operation("files.send", "Send a file.", TOKEN, answers=schemas["Sent"], status="201", parameters=(name,))
    send["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": FILE}}}
    work = "/v1/work/{identity}"
    query = "/v1/queries/{identity}"
    return {
        "/v1/health": {"get": operation("health", "Whether the daemon serves.", OPEN, answers=schemas["Health"])},
        "/v1/login": {"post": operation("login", "Log in.", OPEN, takes="Credentials", answers=schemas["LoggedInAs"])},
        "/v1/logout": {"post": operation("logout", "Log out.", TOKEN, status="204")},
        "/v1/me": {"get": operation("me", "Who is logged in.", TOKEN, answers=schemas["Me"])},
        "/v1/password": {
            "post": operation(
                "password", "Change the password; other logins end.", TOKEN, takes="NewPassword", status="204"
            )
        },
        "/v1/language": {
            "post": operation("language", "Choose the language.", TOKEN, takes="LanguageChosen", status="204")
        },
        "/v1/services": {"get": operation("services", "What one may use.", EITHER, answers=many)},
        "/v1/openapi.json": {"get": operation("openapi", "This document.", EITHER, answers=document)},
        "/v1/events": {
            "get": operation(
                "events", "What happens, as it happens.", EITHER, answers={"type": "string"}, media="text/event-stream"
            )
        },
        query: {
            "get": operation(
                "queries.page",
                "A page of a query.",
                EITHER,
                answers=schemas["RowsFound"],
                parameters=(identity, offset, limit),
            )
        },
        f"{query}/position": {
            "get": operation(
                "queries.position", "Where a row is.", EITHER, answers=schemas["RowFound"], parameters=(identity, row)
            )
        },
        f"{query}/totals": {
            "get": operation("queries.totals", "Sums of the columns.", EITHER, answers=sums, parameters=(identity,))
        },
        f"{query}/export": {"get": _export(operation("queries.export", "All rows.", EITHER), identity, form)},
        work: {
            "get": operation(
                "work.look", "How far work is.", EITHER, answers=schemas["WorkSeen"], parameters=(identity,)
            ),
            "delete": operation("work.cancel", "Cancel work.", EITHER, status="204", parameters=(identity,)),
        },
        f"{work}/result": {
            "get": operation("work.result", "What work answered.", EITHER, answers={}, parameters=(identity,))
        },
        "/v1/files": {"post": send},
        "/v1/files/{identity}": {"get": _any(operation("files.fetch", "Fetch a file.", TOKEN), identity)},
    }


def _parameter(name: str, place: str, schema: Any, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required or place == "path", "schema": schema}


def _export(said: dict[str, Any], *parameters: Any) -> dict[str, Any]:
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    said["responses"]["200"]["content"] = {"text/csv": {"schema": {"type": "string"}}, sheet: {"schema": FILE}}
    said["parameters"] = list(parameters)
    return said


def _any(said: dict[str, Any], *parameters: Any) -> dict[str, Any]:
    said["responses"]["200"]["content"] = {"*/*": {"schema": FILE}}
    said["parameters"] = list(parameters)
    return said
