"""How the daemon runs: where its state, socket and store are, and its TLS port; from a YAML file and options.

::

    state: /var/lib/gerbang
    socket: /run/gerbang/api.sock
    store: postgresql://gerbang@/gerbang     # or nothing: SQLite in the state folder
    zone: Asia/Jakarta
    helper: /run/gerbang-helper/helper.sock  # or nothing: programs run as the daemon's user
    doors: [gerbang-web]                     # users whose programs may say for whom they speak
    tls:
      address: 0.0.0.0
      port: 8443
      certificate: /etc/gerbang/certificate.pem
      key: /etc/gerbang/key.pem
"""

from __future__ import annotations

import pwd
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from compiler.errors import InputError, InputErrors, SyntaxFault, UsageError
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedSequence, PlacedValue, compose, kind_of

__all__ = ["FILE", "RunSettings", "Tls", "local_zone", "read_settings"]

FILE = Path("/etc/gerbang/appliance.yaml")


def local_zone() -> ZoneInfo:
    """The machine's time zone (localtime(5)); UTC when it has none. Raises UsageError on a machine without tzdata."""
    try:
        target = str(Path("/etc/localtime").resolve(strict=True))
        name = target.partition("/zoneinfo/")[2]
        if name:
            return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        pass
    try:
        return ZoneInfo("UTC")
    except KeyError:
        raise UsageError("there are no time zones: install the Debian package tzdata") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A port with TLS."""

    certificate: Path
    key: Path
    address: str = "127.0.0.1"
    port: int = 8443


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How the daemon runs."""

    state: Path = Path("/var/lib/gerbang")
    socket: Path = Path("/run/gerbang/api.sock")
    store: str = ""
    """A URL; empty: SQLite in the state folder."""
    zone: ZoneInfo = field(default_factory=local_zone)
    tls: Tls | None = None
    helper: Path | None = None
    """The root helper's socket; without it programs run as this process's user."""
    doors: frozenset[int] = frozenset()
    """The uids of doors: what they say in ``Gerbang-Peer`` is believed, as what root and this process's user say."""

    @property
    def store_url(self) -> str:
        """The URL of the store."""
        return self.store or f"sqlite:///{self.state.absolute() / 'gerbang.sqlite'}"


def read_settings(path: Path) -> RunSettings:
    """Raises InputErrors with places, and UsageError for a file that cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no UTF-8 text") from None
    reader = _Reader(text.split("\n"))
    found = reader.settings(compose(text, str(path)))
    if reader.errors:
        raise InputErrors(tuple(sorted(reader.errors, key=lambda error: error.span)))
    return found


class _Reader:
    """Collects all that is wrong."""

    def __init__(self, lines: list[str]) -> None:
        self.errors: list[InputError] = []
        self._lines = lines

    def settings(self, root: PlacedValue) -> RunSettings:
        found = RunSettings()
        for key, value in self._entries(root, {"state", "socket", "store", "zone", "tls", "helper", "doors"}):
            if key == "tls":
                found = replace(found, tls=self._tls(value))
            elif key == "doors":
                found = replace(found, doors=self._users(value))
            elif (text := self._text(value)) is None:
                continue
            elif key == "zone":
                found = replace(found, zone=self._zone(text) or found.zone)
            elif key == "store":
                found = replace(found, store=text.text)
            elif key == "state":
                found = replace(found, state=self._path(text))
            elif key == "helper":
                found = replace(found, helper=self._path(text))
            else:
                found = replace(found, socket=self._path(text))
        return found

    def _tls(self, value: PlacedValue) -> Tls | None:
        said = dict(self._entries(value, {"address", "port", "certificate", "key"}))
        texts = {key: text for key, one in said.items() if (text := self._text(one)) is not None}
        missing = [key for key in ("certificate", "key") if key not in said]
        if missing:
            self._complain(f"tls needs {' and '.join(missing)}", value)
        if missing or len(texts) != len(said):
            return None
        port = 8443
        if "port" in texts:
            digits = texts["port"].text
            port = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 6 else 0
            if not 1 <= port <= 65535:
                self._complain(f"{digits!r} is no port: 1 to 65535", texts["port"])
        address = texts["address"].text if "address" in texts else "127.0.0.1"
        return Tls(
            certificate=self._path(texts["certificate"]), key=self._path(texts["key"]), address=address, port=port
        )

    def _zone(self, value: PlacedScalar) -> ZoneInfo | None:
        try:
            return ZoneInfo(value.text)
        except (OSError, ValueError, KeyError):
            self._complain(f"there is no time zone {value.text!r}", value)
            return None

    def _users(self, value: PlacedValue) -> frozenset[int]:
        if not isinstance(value, PlacedSequence):
            self._complain(f"{kind_of(value)}: expected a list of users", value)
            return frozenset()
        found = set()
        for one in value.items:
            if (name := self._text(one)) is not None:
                try:
                    found.add(pwd.getpwnam(name.text).pw_uid)
                except (KeyError, ValueError):  # ValueError: a zero byte
                    self._complain(f"there is no user {name.text!r}", one)
        return frozenset(found)

    def _path(self, value: PlacedScalar) -> Path:
        if not value.text.startswith("/"):
            self._complain(f"{value.text!r} is no absolute path", value)
        return Path(value.text)

    def _text(self, value: PlacedValue) -> PlacedScalar | None:
        if isinstance(value, PlacedScalar) and value.text:
            return value
        self._complain(f"{kind_of(value)}: expected a text", value)
        return None

    def _entries(self, value: PlacedValue, known: set[str]) -> list[tuple[str, PlacedValue]]:
        if not isinstance(value, PlacedMapping):
            self._complain(f"{kind_of(value)}: expected a mapping", value)
            return []
        for key, _one in value.entries:
            if key.text not in known:
                self._complain(f"unknown key {key.text!r}: expected {', '.join(sorted(known))}", key)
        return [(key.text, one) for key, one in value.entries if key.text in known]

    def _complain(self, message: str, value: PlacedValue) -> None:
        span = value.span
        line = self._lines[span.line - 1] if 0 < span.line <= len(self._lines) else ""
        self.errors.append(SyntaxFault(message, span, line))
