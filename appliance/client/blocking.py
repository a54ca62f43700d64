"""The client for scripts and the command line: each call waits for its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from appliance.client.addresses import Address
from appliance.client.errors import Unreachable
from appliance.client.protocol import Asked, Work, asked, command, event_of, failure, reason, value_of, whole, work_of
from compiler.errors import UsageError

__all__ = ["Client", "Query"]

PATIENCE = httpx2.Timeout(60.0, connect=5.0)
SILENCE = httpx2.Timeout(None, connect=5.0, read=45.0)
"""Of events: three heartbeats missed is a lost connection."""
PAGE = 500


@dataclass(frozen=True, slots=True)
class Query:
    """A question that the daemon has answered: how many rows there are, and the first of them."""

    id: str
    count: int
    first: list[Mapping[str, Any]]


class Client:
    """One daemon, one person. Not for several threads at a time."""

    def __init__(self, address: Address, token: str = "", *, verify: Any = True) -> None:
        self.address = address
        self.token = token
        # On a UNIX socket there is no TLS: reading the authorities would take a tenth of a second for nothing.
        carried = httpx2.HTTPTransport(uds=str(address.socket), verify=False) if address.socket else None
        # A proxy of the environment has no business between us and our own daemon.
        self._http = httpx2.Client(
            transport=carried,
            base_url=f"{address.url or 'http://gerbang'}/v1",
            timeout=PATIENCE,
            trust_env=False,
            verify=verify,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def login(self, name: str, password: str) -> Mapping[str, Any]:
        """Log in; this client has the token from now on."""
        said: Mapping[str, Any] = self.value(asked("POST", "/login", {"name": name, "password": password}))
        self.token = str(said["token"])
        return said

    def logout(self) -> None:
        """End the session."""
        self.value(asked("POST", "/logout"))
        self.token = ""

    def me(self) -> Mapping[str, Any]:
        """Who is logged in."""
        return dict(self.value(asked("GET", "/me")))

    def change_password(self, old: str, new: str) -> None:
        """Change one's own."""
        self.value(asked("POST", "/password", {"old": old, "new": new}))

    def services(self) -> list[Mapping[str, Any]]:
        """What this person may use."""
        return list(self.value(asked("GET", "/services")))

    def openapi(self) -> Mapping[str, Any]:
        """The document of the API."""
        return dict(self.value(asked("GET", "/openapi.json")))

    def call(self, service: str, name: str, arguments: Any = None, *, key: str = "") -> Any:
        """A query's or a change's result; of work its number: ``{"work": id}``."""
        return self.value(command(service, name, arguments, key))

    def document(self, service: str, name: str, arguments: Any, media: str) -> bytes:
        """A document as text, HTML or PDF."""
        return self.body(command(service, name, arguments, accept=media))

    def ask(self, service: str, listing: str, question: Mapping[str, Any] | None = None) -> Query:
        """Ask a listing."""
        said = self.value(asked("POST", f"/listings/{service}/{listing}", question or {}, again=True))
        return Query(said["query"], said["count"], said["rows"])

    def rows(self, query: Query) -> Iterator[Mapping[str, Any]]:
        """All rows of a query, read a page at a time."""
        yield from query.first
        offset = len(query.first)
        while offset < query.count:
            page = self.value(asked("GET", f"/queries/{query.id}?offset={offset}&limit={PAGE}"))["rows"]
            if not page:
                return
            yield from page
            offset += len(page)

    def export(self, query: Query, form: str, *, plain: bool = False, limit: int | None = None) -> Iterator[bytes]:
        """All rows as CSV or XLSX, part by part; ``plain`` CSV is for programs."""
        more = ("&plain=yes" if plain else "") + (f"&limit={limit}" if limit is not None else "")
        return self._streamed(f"/queries/{query.id}/export?format={form}{more}")

    def download(self, path: str, into: Path) -> None:
        """What a path answers as a file, which has its name only when it is whole. Raises Refusal and Unreachable."""
        with whole(into) as file:
            for part in self._streamed(path):
                file.write(part)

    def result(self, work: str, into: Path) -> None:
        """The file that work has answered."""
        self.download(f"/work/{work}/result", into)

    def look(self, work: str) -> Work:
        """How far work is; raises Refusal when it failed."""
        return work_of(work, self.value(asked("GET", f"/work/{work}")))

    def cancel(self, work: str) -> None:
        """Cancel it."""
        self.value(asked("DELETE", f"/work/{work}", again=True))

    def wait(self, work: str, watch: Callable[[Work], None] = lambda work: None, every: float = 0.2) -> Work:
        """Look until it has ended."""
        while True:
            seen = self.look(work)
            watch(seen)
            if seen.state != "running":
                return seen
            time.sleep(every)

    def send_file(self, path: Path, media_type: str = "application/octet-stream") -> str:
        """Send a file; answers its number."""
        headers: Mapping[str, str | bytes] = {"Content-Type": media_type, "X-Name": path.name.encode()}
        return str(self.value(Asked("POST", "/files", _octets(path), headers))["file"])

    def events(self) -> Iterator[Mapping[str, Any]]:
        """What happens, until the iterator is closed. An empty event says: look at everything again; it comes
        first, and after each lost connection."""
        pause = 0.5
        while True:
            try:
                with self._http.stream("GET", "/events", headers=self._headers({}), timeout=SILENCE) as answer:
                    if answer.status_code >= 400:
                        raise failure(answer.status_code, answer.read())
                    yield {}
                    pause = 0.5
                    for line in answer.iter_lines():
                        if (event := event_of(line)) is not None:
                            yield event
            except httpx2.TransportError:
                pass
            time.sleep(pause)
            pause = min(pause * 2, 15.0)

    def value(self, request: Asked) -> Any:
        """Send, and read the JSON answer."""
        answer = self._send(request)
        return value_of(answer.status_code, answer.content)

    def body(self, request: Asked) -> bytes:
        """Send, and take the answer as it is."""
        answer = self._send(request)
        if answer.status_code >= 400:
            raise failure(answer.status_code, answer.content)
        return bytes(answer.content)

    def _streamed(self, path: str) -> Iterator[bytes]:
        try:
            with self._http.stream("GET", path, headers=self._headers({})) as answer:
                if answer.status_code >= 400:
                    raise failure(answer.status_code, answer.read())
                yield from answer.iter_bytes()
        except httpx2.TransportError as error:
            raise Unreachable(f"{self.address}: {reason(error)}") from error

    def _send(self, request: Asked) -> httpx2.Response:
        headers = self._headers(request.headers)
        for last in (not request.again, True):
            try:
                return self._http.request(request.method, request.path, content=request.body, headers=headers)
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError) as error:
                # A kept connection that the daemon has closed in the meantime, or a daemon that was restarted.
                if last:
                    raise Unreachable(f"{self.address}: {reason(error)}") from error
            except (httpx2.TransportError, httpx2.InvalidURL) as error:
                raise Unreachable(f"{self.address}: {reason(error)}") from error
        raise AssertionError("the second attempt answers or raises")

    def _headers(self, more: Mapping[str, str | bytes]) -> dict[bytes, bytes]:
        headers = {**more, "Authorization": f"Bearer {self.token}"} if self.token else more
        return {name.encode(): one if isinstance(one, bytes) else one.encode() for name, one in headers.items()}


def _octets(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
