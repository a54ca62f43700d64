"""One API session: sentences in, sentences out; it knows no sockets.

Source: MikroTik documentation, "API" (login, tags, ``/cancel``, ``listen``,
``/quit``). Until 6.43 a client answers a challenge by MD5; from then on it
sends its password, and from 6.45.1 on nothing else will do.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence

from compiler.dialects.routeros.script import Path
from labs.virtual_routeros.commands import Reply
from labs.virtual_routeros.device import Device
from labs.virtual_routeros.queries import parse_query
from labs.virtual_routeros.sentences import Sentence
from labs.virtual_routeros.traps import Category, Fatal, Trap

__all__ = ["Session"]

_PLAIN_SINCE, _CHALLENGE_UNTIL = (6, 43), (6, 45)
_ENCODING, _ERRORS = "utf-8", "surrogateescape"


class _Request:
    """A sentence taken apart."""

    def __init__(self, sentence: Sentence) -> None:
        words = [word.decode(_ENCODING, _ERRORS) for word in sentence]
        self.command = words[0]
        self.arguments: dict[str, str] = {}
        self.query: list[str] = []
        self.tag: str | None = None
        self.stray = ""
        for word in words[1:]:
            if word.startswith("="):
                name, _, value = word[1:].partition("=")
                self.arguments[name] = value
            elif word.startswith("?"):
                self.query.append(word)
            elif word.startswith(".tag="):
                self.tag = word[5:]
            elif word.startswith(".proplist="):
                self.arguments[".proplist"] = word[10:]
            else:
                self.stray = self.stray or word

    @property
    def words(self) -> Path:
        """The words of the command."""
        return tuple(word for word in self.command.split("/") if word)


class _Listening:
    """A ``listen`` that goes on until it is cancelled."""

    def __init__(self, path: Path, test: Callable[[Mapping[str, str]], bool], wanted: frozenset[str]) -> None:
        self.path = path
        self.test = test
        self.wanted = wanted


class Session:
    """One client. ``send`` is called with each sentence that the router says, at any time from ``begin`` to ``end``."""

    def __init__(self, device: Device, send: Callable[[Sentence], None]) -> None:
        self._device = device
        self._send = send
        self.user = ""
        """Whoever is logged in."""
        self._is_in = False
        self._challenge = b""
        self._listening: dict[str | None, _Listening] = {}

    def begin(self) -> None:
        """From now on hear of changes."""
        self._device.listeners.append(self._heard)

    def end(self) -> None:
        """The connection is gone."""
        self._listening.clear()
        if self._heard in self._device.listeners:
            self._device.listeners.remove(self._heard)

    def take(self, sentence: Sentence, refusal: str | None = None) -> bool:
        """Carry out a sentence, or refuse it with that message; False when the session is over."""
        request = _Request(sentence)
        try:
            if refusal is not None:
                raise Trap(refusal)
            if self._is_work(request):
                return True
            reply = self._work(request)
        except Trap as trap:
            self._trap(trap, request.tag)
            self._say("!done", request.tag)
            return True
        except Fatal as last:
            self._send((b"!fatal", str(last).encode()))
            return False
        for row in reply.rows:
            self._say("!re", request.tag, row)
        if reply.lists and not reply.rows and self._device.description.says_empty:
            self._say("!empty", request.tag)
        self._say("!done", request.tag, {} if reply.ret is None else {"ret": reply.ret})
        return True

    def _is_work(self, request: _Request) -> bool:
        """Begin a ``listen``, which is not answered until it ends."""
        words = request.words
        if not self._is_in or words[-1:] != ("listen",) or len(words) < 2:
            return False
        self._want_sound(request)
        self._device.table(words[:-1])
        wanted = frozenset(name for name in request.arguments.get(".proplist", "").split(",") if name)
        self._listening[request.tag] = _Listening(words[:-1], parse_query(request.query), wanted)
        return True

    def _work(self, request: _Request) -> Reply:
        words = request.words
        if words == ("quit",):
            raise Fatal("session terminated on request")
        if words == ("login",):
            return self._login(request.arguments)
        if not self._is_in:
            raise Fatal("not logged in")
        self._want_sound(request)
        if words == ("cancel",):
            return self._cancel(request.arguments)
        return self._device.call(words[:-1], words[-1], request.arguments, request.query)

    def _want_sound(self, request: _Request) -> None:
        if not request.command.startswith("/") or not request.words:
            raise Trap("no such command", Category.MISSING)
        if request.stray:
            raise Trap(f"unknown parameter {request.stray}" if self._device.version >= 7 else "unknown parameter")

    # -- login ---------------------------------------------------------------------------------

    def _login(self, arguments: Mapping[str, str]) -> Reply:
        numbers = self._device.description.numbers
        name = arguments.get("name", "")
        known = self._device.description.users.get(name)
        if "response" in arguments and numbers < _CHALLENGE_UNTIL:
            challenge, self._challenge = self._challenge, b""
            is_right = bool(challenge) and known is not None and _answers(known, challenge, arguments["response"])
        elif "name" in arguments and "password" in arguments and numbers >= _PLAIN_SINCE:
            is_right = known is not None and hmac.compare_digest(
                known.encode(_ENCODING, _ERRORS), arguments["password"].encode(_ENCODING, _ERRORS)
            )
        elif numbers < _CHALLENGE_UNTIL:
            self._challenge = secrets.token_bytes(16)
            return Reply(ret=self._challenge.hex())
        else:
            is_right = False
        if not is_right:
            old = numbers < _PLAIN_SINCE
            raise Trap("cannot log in" if old else "invalid user name or password (6)")
        self.user, self._is_in = name, True
        return Reply()

    # -- listening -----------------------------------------------------------------------------

    def _heard(self, path: Path, row: Mapping[str, str]) -> None:
        for tag, listening in tuple(self._listening.items()):
            if listening.path != path or not (".dead" in row or listening.test(row)):
                continue
            kept = listening.wanted | {".id", ".dead"} if listening.wanted else row.keys()
            self._say("!re", tag, {name: text for name, text in row.items() if name in kept})

    def _cancel(self, arguments: Mapping[str, str]) -> Reply:
        """Interrupt the command of that tag, or all commands."""
        wanted = [arguments["tag"]] if "tag" in arguments else list(self._listening)
        for tag in wanted:
            if self._listening.pop(tag, None) is None:
                raise Trap("unknown tag", Category.API)
            self._trap(Trap("interrupted", Category.INTERRUPTED), tag)
            self._say("!done", tag)
        return Reply()

    # -- answers -------------------------------------------------------------------------------

    def _trap(self, trap: Trap, tag: str | None) -> None:
        first = {} if trap.category is None else {"category": str(int(trap.category))}
        self._say("!trap", tag, {**first, "message": str(trap)})
        if trap.second:
            self._say("!trap", tag, {"message": trap.second})

    def _say(self, kind: str, tag: str | None, attributes: Mapping[str, str] | None = None) -> None:
        words = [kind, *(f"={name}={text}" for name, text in (attributes or {}).items())]
        if tag is not None:
            words.append(f".tag={tag}")
        self._send(_encoded(words))


def _encoded(words: Sequence[str]) -> Sentence:
    return tuple(word.encode(_ENCODING, _ERRORS) for word in words)


def _answers(password: str, challenge: bytes, response: str) -> bool:
    """Whether the response is ``00`` and the MD5 of a null octet, the password and the challenge."""
    # Not our choice: the protocol of old versions asks for it.
    digest = hashlib.md5(b"\x00" + password.encode(_ENCODING, _ERRORS) + challenge, usedforsecurity=False)
    return hmac.compare_digest("00" + digest.hexdigest(), response.lower())
