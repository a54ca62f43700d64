"""How a path gets its function: FastAPI's routes, which describe themselves for the OpenAPI document, with a handler of
our own ("Custom Request and APIRoute class" in FastAPI's documentation).

The handler reads the body by the command's own record in JSON's strict mode, and its errors repeat nothing of what was
sent. What a path takes and answers is declared beside it, for FastAPI to write down.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import Enum
from inspect import Parameter, Signature
from typing import Annotated, Any

from annotated_types import MaxLen
from fastapi import Body, FastAPI, Header, Path, Query, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from appliance.daemon.bodies import Failure

__all__ = ["FILE", "TEXT", "Declared", "Login", "StrictRoute", "add_path", "by_header", "by_query", "identity_of"]

JSON = "application/json"
BINARY = "application/octet-stream"
TEXT: Mapping[str, Any] = {"type": "string"}
FILE: Mapping[str, Any] = {"type": "string", "contentMediaType": BINARY}
TOKEN = Security(HTTPBearer(scheme_name="token", auto_error=False))
"""Only written down; ``caller_of`` is what asks for it."""
REFUSED: Mapping[int, str] = {
    401: "Log in first, or again.",
    403: "None of your roles reaches this, or the password must be changed first.",
    404: "It is not there.",
    409: "Somebody was first, it is there already, or it is in use.",
    413: "The body is too large.",
    422: "Arguments that are not as their types say, or a rule of the service.",
    429: "Too much at once.",
    503: "The store cannot be used now.",
}
FAILURE = {JSON: {"schema": {"$ref": f"#/components/schemas/{Failure.__name__}"}}}


class Login(Enum):
    """Whether a path needs a token."""

    NONE = "none"
    EITHER = "either"
    NEEDED = "needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a path takes and answers."""

    name: str
    """Of the operation: ``queries.page``."""
    summary: str
    login: Login
    description: str = ""
    tags: tuple[str, ...] = ()
    takes: Any = None
    """The type of the body, or None."""
    takes_file: bool = False
    parameters: tuple[Parameter, ...] = ()
    answers: Any = None
    """The type of the answer as JSON; None when that is not known before."""
    status: int = 200
    done: str = "Done."
    media: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Other media types of the answer, with their schemas."""
    only_media: bool = False
    """Never JSON."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Of the operation: what FastAPI has no word for."""

    @property
    def signature(self) -> Signature:
        """The function's, as FastAPI reads it."""
        body: tuple[Parameter, ...] = ()
        if self.takes_file:
            body = (_parameter("body", Annotated[bytes, Body(media_type=BINARY)]),)
        elif self.takes is not None:
            body = (_parameter("body", Annotated[self.takes, Body()]),)
        return Signature([*self.parameters, *body])

    @property
    def responses(self) -> dict[int | str, dict[str, Any]]:
        """Those beside JSON, and the refusals. FastAPI defines Failure where ``model`` says it: once is enough, since
        each ``model`` costs two milliseconds of the start."""
        refused: dict[int | str, dict[str, Any]] = {
            status: {"description": words, "content": FAILURE} for status, words in REFUSED.items()
        }
        if self.name == "login":
            refused[401] = {"description": REFUSED[401], "model": Failure}
        if self.media:
            refused[self.status] = {"content": {name: {"schema": dict(one)} for name, one in self.media.items()}}
        return refused


class StrictRoute(APIRoute):
    """A route of FastAPI that is described by ``Declared`` and handled by the function alone."""

    def __init__(
        self,
        method: str,
        path: str,
        function: Callable[..., Awaitable[Response]],
        declared: Declared | None,
    ) -> None:
        async def answer(request: Request) -> Response:
            return await function(request, **request.path_params)

        self.answer = answer
        if declared is None:
            super().__init__(path, answer, methods=[method], response_model=None, include_in_schema=False)
            return

        # Never called: it has the signature that FastAPI reads.
        def endpoint() -> None: ...

        endpoint.__signature__ = declared.signature  # type: ignore[attr-defined]
        super().__init__(
            path,
            endpoint,
            methods=[method],
            operation_id=declared.name,
            summary=declared.summary,
            description=declared.description,
            tags=list(declared.tags),
            dependencies=[] if declared.login is Login.NONE else [TOKEN],
            response_model=declared.answers,
            response_class=Response if declared.only_media else JSONResponse,
            response_description=declared.done,
            status_code=declared.status,
            responses=declared.responses,
            openapi_extra={**({"security": [{}]} if declared.login is Login.EITHER else {}), **declared.extra},
        )

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function, without FastAPI's reading of the body and its errors."""
        return self.answer


def add_path(
    app: FastAPI,
    method: str,
    path: str,
    function: Callable[..., Awaitable[Response]],
    declared: Declared | None = None,
) -> None:
    """Answer this method of this path by the function: it gets the request, and the path's parts by their names.
    What is not declared is not in the document."""
    app.router.routes.append(StrictRoute(method, path, function, declared))


def identity_of() -> Parameter:
    """The number of a thing, in the path."""
    return _parameter("identity", Annotated[str, MaxLen(64), Path()])


def by_query(name: str, annotation: Any, default: Any = Parameter.empty) -> Parameter:
    """A parameter of the query string."""
    return _parameter(name, Annotated[annotation, Query()], default)


def by_header(name: str, annotation: Any, description: str = "") -> Parameter:
    """A header that may be left out."""
    said = Header(alias=name, description=description or None)
    return _parameter(name.lower().replace("-", "_"), Annotated[annotation, said], None)


def _parameter(name: str, annotation: Any, default: Any = Parameter.empty) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
