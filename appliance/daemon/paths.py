"""How a path gets its function: no more than Starlette's own routes, which cost a fifth of a framework's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ["add_path"]


def add_path(app: Starlette, method: str, path: str, function: Callable[..., Awaitable[Response]]) -> None:
    """Answer this method of this path by the function: it gets the request, and the path's parts by their names."""

    async def answer(request: Request) -> Response:
        return await function(request, **request.path_params)

    route = Route(path, answer, methods=[method])
    route.methods = {method}  # a HEAD beside each GET is not in the contract
    app.router.routes.append(route)
