"""The helper's socket: who may connect, how much may be said, how long it may take.

The kernel tells the user who connected (``appliance.peer``).
"""

from __future__ import annotations

import asyncio
import contextlib
import grp
import logging
import os
import socket
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from appliance.contract.program_data import DataKeeper
from appliance.helper.answers import Code, Done, Failed, HelperRefused, write_answer
from appliance.helper.requests import LARGEST_REQUEST, OfData, Perform, Request, read_request
from appliance.helper.streaming import Streaming
from appliance.peer import Peer, peer_of
from appliance.supervisor.errors import SupervisionFailed, why_of
from compiler.errors import GerbangError

__all__ = ["Bounds", "Server", "listening_socket"]

journal = logging.getLogger("gerbang.helper")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much the helper lets itself be asked."""

    connections: int = 32
    at_once: int = 16
    """Actions that run; more are told to come again."""
    patience: float = 15.0
    """Seconds for a whole request to arrive, and for an answer to be taken."""


class Server:
    """Answers requests on a listening socket, in an asyncio loop; actions run in threads."""

    def __init__(
        self,
        do: Callable[[Request], Done],
        allowed: frozenset[int],
        bounds: Bounds | None = None,
        *,
        keeper: DataKeeper | None = None,
    ) -> None:
        self._do = do
        self._keeper = keeper
        self._allowed = allowed
        self._bounds = bounds or Bounds()
        self._connections: set[asyncio.Task[None]] = set()
        self._running = 0
        self._threads = ThreadPoolExecutor(self._bounds.at_once, thread_name_prefix="gerbang-helper")

    async def serve(self, listening: socket.socket, until: asyncio.Event) -> None:
        """Answer until the event is set; then finish the actions that run."""
        server = await asyncio.start_unix_server(self._connected, sock=listening, limit=LARGEST_REQUEST)
        try:
            await until.wait()
        finally:
            server.close()
            for task in tuple(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            await asyncio.to_thread(self._threads.shutdown, wait=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._converse(reader, writer)
        except asyncio.CancelledError:
            # The helper ends; the stream's own callback must not report that as an error. What nobody has taken is
            # let go: to close would wait for it, in a loop that does not run any more.
            writer.transport.abort()
        except Exception:
            journal.exception("a connection ended with an error of ours")
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = peer_of(writer.get_extra_info("socket"))
        if peer.user not in self._allowed:
            journal.warning("user %d, process %d: not allowed to connect", peer.user, peer.process)
            await self._say(writer, Failed(code="not-allowed", message="this user may not ask the helper"))
            return
        if len(self._connections) > self._bounds.connections:
            await self._say(writer, Failed(code="busy", message="there are too many connections"))
            return
        while True:
            try:
                line = await asyncio.wait_for(reader.readuntil(b"\n"), self._bounds.patience)
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    journal.warning("user %d, process %d: left in the middle of a request", peer.user, peer.process)
                return
            except asyncio.LimitOverrunError:
                await self._refuse(writer, peer, "too-large", f"a request has at most {LARGEST_REQUEST} bytes")
                return
            except TimeoutError:
                await self._refuse(writer, peer, "too-slow", "no whole request came in time")
                return
            await self._say(writer, await self._answer(line, peer, reader, writer))

    async def _answer(
        self, line: bytes, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Done | Failed:
        try:
            request = read_request(line)
        except ValidationError as error:
            why = _what_is_wrong(error)
            journal.warning("user %d, process %d: ill-formed request: %s", peer.user, peer.process, why)
            return Failed(code="ill-formed", message=why)
        if self._running >= self._bounds.at_once:
            journal.warning("user %d, process %d: %s refused: busy", peer.user, peer.process, request.action)
            return Failed(code="busy", message="too many actions run already")
        self._running += 1
        loop = asyncio.get_running_loop()
        # Not awaited as such: when the client leaves, the action still runs to its end and is logged.
        do = self._do
        if isinstance(request, OfData) and self._keeper is not None:
            stream = Streaming(keeper=self._keeper, reader=reader, writer=writer, loop=loop)
            do = partial(_streamed, stream)
        doing = loop.run_in_executor(self._threads, self._done, do, request, peer)
        doing.add_done_callback(self._one_less)
        return await asyncio.shield(doing)

    def _one_less(self, _: asyncio.Future[Done | Failed]) -> None:
        self._running -= 1

    def _done(self, do: Callable[[Request], Done], request: Request, peer: Peer) -> Done | Failed:
        """In a thread: do it, and log who, what and the outcome."""
        asked = _asked(request)
        answer: Done | Failed
        try:
            answer = do(request)
            outcome = f"done{_noted(request, answer)}"
        except HelperRefused as error:
            answer = Failed(code=error.code, message=error.message)
            outcome = f"refused: {error.message}"
        except SupervisionFailed as error:
            answer = Failed(code="failed", message=error.why, subject=error.program, said=error.said)
            outcome = f"failed: {error.why}"
        except GerbangError as error:
            answer = Failed(code="failed", message=str(error))
            outcome = f"failed: {error}"
        except (ConnectionError, TimeoutError, EOFError) as error:
            answer = Failed(code="too-slow", message="the other side has left, or is too slow")
            outcome = f"left: {type(error).__name__}"
        except OSError as error:
            answer = Failed(code="failed", message=why_of(error))
            outcome = f"failed: {why_of(error)}"
        except Exception as error:
            journal.exception("%s: an error of ours", asked)
            answer = Failed(code="failed", message=f"the helper erred: {type(error).__name__}; see its log")
            outcome = f"error: {type(error).__name__}"
        journal.info("user %d, process %d: %s: %s", peer.user, peer.process, asked, _one_line(outcome))
        return answer

    async def _refuse(self, writer: asyncio.StreamWriter, peer: Peer, code: Code, why: str) -> None:
        journal.warning("user %d, process %d: %s", peer.user, peer.process, why)
        await self._say(writer, Failed(code=code, message=why))

    async def _say(self, writer: asyncio.StreamWriter, answer: Done | Failed) -> None:
        writer.write(write_answer(answer))
        # A client that does not read must not hold a connection for ever.
        await asyncio.wait_for(writer.drain(), self._bounds.patience)


def listening_socket(path: Path, group: str) -> socket.socket:
    """The socket, 0660 in a folder 0750, both of root and the group. Raises OSError, KeyError for no such group.

    There is no moment in which it could be reached by others: it is made 0600.
    """
    number = grp.getgrnam(group).gr_gid if group else -1
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    os.chown(path.parent, -1, number, follow_symlinks=False)
    path.parent.chmod(0o750)
    if path.exists() and not stat.S_ISSOCK(path.lstat().st_mode):
        raise FileExistsError(f"{path} is there and is no socket")
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        made.bind(str(path))
    except BaseException:
        made.close()
        raise
    finally:
        os.umask(before)
    os.chown(path, -1, number, follow_symlinks=False)
    path.chmod(0o660)
    made.listen(64)
    return made


def _asked(request: Request) -> str:
    """The request for the log. What an operation is given to read may be a password: only how long it is."""
    said = request.model_dump()
    if given := said.get("given"):
        said["given"] = f"{len(given)} characters"
    return " ".join(f"{name}={_one_line(value)}" for name, value in said.items() if value != "")


def _one_line(value: object) -> str:
    """Printable and no longer than a line: what is asked may hold a line that looks like one of ours."""
    text = str(value)[:1_000]
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _streamed(stream: Streaming, request: Request) -> Done:
    assert isinstance(request, OfData)
    return stream.do(request)


def _noted(request: Request, answer: Done) -> str:
    """What an operation prints is its asker's alone: the log keeps no letters that somebody had opened."""
    if isinstance(request, Perform):
        return f", answered {len(answer.said)} characters"
    return f", said: {answer.said.splitlines()[0]}" if answer.said else ""


def _what_is_wrong(error: ValidationError) -> str:
    """Names and kinds only: what was sent may be anything, and does not go into a log."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[:3]
    names = {"extra_forbidden": "something that is not asked for"}
    return "; ".join(
        f"{_place(one['loc']) or 'the request'}: {names.get(one['type'], one['type'].replace('_', ' '))}"
        for one in first
    )


def _place(parts: tuple[int | str, ...]) -> str:
    words = ".".join(str(part) for part in parts)[:80]
    return words if words.isascii() and words.isprintable() else ascii(words)
