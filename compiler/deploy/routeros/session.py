"""One connection to the API, with what goes wrong in two kinds: the device refuses, or it is gone.

The library ``routeros-api`` wants texts for values, names an id ``id``, and
raises many things for a lost connection; all of that ends here. Values are
octets on the wire: what is no UTF-8 comes and goes unharmed
(``surrogateescape``).
"""

from __future__ import annotations

import re
import socket
import ssl
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from compiler.deploy.deployment import DeployError
from compiler.deploy.routeros.access import Access
from compiler.deploy.routeros.menus import Menu, Row, Values, normal
from compiler.dialects.routeros.script import Path
from compiler.errors import UsageError

__all__ = ["ApiSession", "Lost", "NotReached", "Refused", "connected"]

_VERSION = re.compile(r"(\d+)\.(\d+)")
_WRONG_LOGIN = re.compile(r"invalid user name or password|cannot log ?in", re.IGNORECASE)


class Refused(Exception):
    """The device answers a sentence by ``!trap``; ``str`` is its message."""


class Lost(Exception):
    """The connection is gone in the middle; whether the last sentence was carried out is not known."""


class NotReached(DeployError):
    """No session could be had: nothing was changed by this attempt."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final
        """Whether trying again is of no use (a wrong password, a certificate that is not trusted)."""


class _Octets:
    """The library's idea of a field: octets on the wire, text here."""

    def get_mikrotik_value(self, text: str) -> bytes:
        return text.encode("utf-8", "surrogateescape")

    def get_python_value(self, octets: bytes) -> str:
        return octets.decode("utf-8", "surrogateescape")


class ApiSession:
    """A session that is logged in. Every method raises Refused or Lost."""

    def __init__(self, pool: Any, api: Any) -> None:  # noqa: ANN401
        self._pool = pool
        self._api = api
        self._structure: Mapping[str, _Octets] = defaultdict(_Octets)
        self.version = 0
        """The major version."""
        self.release = ""
        """``7.18.2``."""
        self.peer = ""
        """The device's address at the other end of the connection."""

    def call(self, path: Path, command: str, arguments: Values | None = None) -> tuple[list[dict[str, str]], str]:
        """One sentence: the rows of the answer, and the ``ret`` of its end."""
        from routeros_api import exceptions  # type: ignore[import-untyped]

        resource = self._api.get_resource("/" + "/".join(path), self._structure)
        try:
            answer = resource.call(command, dict(arguments or {}))
        except exceptions.RouterOsApiCommunicationError as trap:
            raise Refused(_told(trap)) from None
        except (exceptions.RouterOsApiError, OSError, KeyError, AssertionError, ValueError) as error:
            # A bare !fatal is a parsing error of the library's; a torn word may be anything.
            self.close()
            raise Lost(_shown(error)) from None
        rows = [{(".id" if name == "id" else name): text or "" for name, text in row.items()} for row in answer]
        ret = answer.done_message.get("ret", "")
        return rows, ret.decode("utf-8", "replace") if isinstance(ret, bytes) else str(ret)

    def told(self, path: Path) -> list[dict[str, str]]:
        """The rows of a menu as the device tells them."""
        return self.call(path, "print")[0]

    def rows(self, menu: Menu) -> tuple[Row, ...]:
        """The rows of a menu in normal form, in their order; settings are one row."""
        return tuple(
            Row(one.get(".id", ""), normal(menu, one, self.version), one.get("dynamic") in ("true", "yes"))
            for one in self.told(menu.path)
        )

    def add(self, path: Path, values: Values, before: str = "") -> str:
        """A new row, before the one of that id or at the end; its id."""
        more = {"place-before": before} if before else {}
        return self.call(path, "add", {**values, **more})[1]

    def set(self, path: Path, id: str, values: Values) -> None:
        """Change a row, or settings where ``id`` is empty."""
        self.call(path, "set", {"id": id, **values} if id else values)

    def remove(self, path: Path, *ids: str) -> None:
        """Take rows away."""
        self.call(path, "remove", {"id": ",".join(ids)})

    def move(self, path: Path, id: str, before: str) -> None:
        """Move a row before another, or to the end."""
        self.call(path, "move", {"numbers": id, **({"destination": before} if before else {})})

    def close(self) -> None:
        """Hang up."""
        self._pool.disconnect()


@contextmanager
def connected(access: Access) -> Iterator[ApiSession]:
    """A session. Raises NotReached, with what to do."""
    session = _open(access)
    try:
        yield session
    finally:
        session.close()


def _open(access: Access) -> ApiSession:
    try:
        import routeros_api
        from routeros_api import exceptions
    except ImportError:
        raise UsageError("deploying to RouterOS needs routeros-api: install gerbang[deploy]") from None

    context = access.tls.context() if access.tls is not None else None
    pool = routeros_api.RouterOsApiPool(
        access.host, access.user, access.password, access.number, plaintext_login=True, ssl_context=context
    )
    pool.socket_timeout = access.timeout
    try:
        api = pool.get_api()
        wire = getattr(pool.socket, "socket", None)
        if wire is not None:  # the library sends word by word
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = ApiSession(pool, api)
        session.peer = wire.getpeername()[0] if wire is not None else ""
        found = _VERSION.match(session.told(("system", "resource"))[0].get("version", ""))
        if found is None or found[1] not in ("6", "7"):
            raise NotReached(f"{access}: this is no RouterOS 6 or 7. Nothing was changed.", is_final=True)
        session.version = int(found[1])
        session.release = found[0]
        return session
    except exceptions.RouterOsApiCommunicationError as trap:
        pool.disconnect()
        raise _no_login(access, _told(trap)) from None
    except Refused as trap:
        pool.disconnect()
        raise NotReached(f"{access}: the device does not tell its version: {trap}. Nothing was changed.") from None
    except ssl.SSLCertVerificationError as error:
        pool.disconnect()
        raise NotReached(
            f"{access}: the device's certificate is not trusted: {_shown(error)}. Nothing was sent. Give the file of "
            "its authority by --ca, or the certificate's SHA-256 by --fingerprint.",
            is_final=True,
        ) from None
    except ssl.SSLError as error:
        pool.disconnect()
        raise NotReached(
            f"{access}: TLS fails: {_shown(error)}. Nothing was changed. Is the service api-ssl on, with a certificate "
            "(/ip service set api-ssl certificate=…), and is this its port (8729)?",
        ) from None
    except (exceptions.RouterOsApiError, OSError, Lost, KeyError, AssertionError, ValueError) as error:
        pool.disconnect()
        raise NotReached(
            f"{access}: the device cannot be reached: {_shown(error)}. Look whether the service "
            f"{'api' if access.tls is None else 'api-ssl'} is on (/ip service), and whether the port is open from "
            "here. Nothing was changed."
        ) from None
    except BaseException:
        pool.disconnect()
        raise


def _no_login(access: Access, message: str) -> NotReached:
    if _WRONG_LOGIN.search(message):
        why = f"the device does not know the user {access.user!r} with this password ({message})"
    else:
        why = f"the device refuses the login: {message}"
    return NotReached(f"{access}: {why}. Nothing was changed.", is_final=True)


def _told(trap: Exception) -> str:
    original = getattr(trap, "original_message", b"")
    return original.decode("utf-8", "replace") if isinstance(original, bytes) else str(original)


def _shown(error: BaseException) -> str:
    """What an exception says, in one line; the library wraps the operating system's."""
    inner = error.args[0] if error.args and isinstance(error.args[0], BaseException) else error
    if isinstance(inner, socket.gaierror):
        return f"the name is not known ({inner.strerror})"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return " ".join(str(inner).split()) or "the connection was closed by the device"
