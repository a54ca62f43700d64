"""An FTP server (RFC 959, RFC 2428, SIZE of RFC 3659) with files made of zeros, and data connections both ways.

A file whose name is a number has so many octets; settings ``file`` name others
(``readme.txt=1200``). What is stored is kept as a size.
"""

from __future__ import annotations

from collections.abc import Callable

from compiler.fields import Family
from compiler.simulator.applications.ftp_replies import (
    DYNAMIC_PORTS,
    data_ports,
    format_epsv,
    format_port,
    parse_eprt,
    parse_port,
)
from compiler.simulator.applications.ftp_server_data import ServerData
from compiler.simulator.applications.server_log import ServerLog, Settings
from compiler.simulator.applications.server_stream import LineService
from compiler.simulator.sockets import Cancel, Endpoint, Failure, Sockets, Stream

__all__ = ["FtpServer"]


class FtpServer(LineService):
    """One control connection."""

    def __init__(self, sockets: Sockets, log: ServerLog, settings: Settings) -> None:
        super().__init__(sockets, log, settings)
        self.files = dict(_files(settings))
        self.folder = "/"
        self.user = ""
        self.is_logged_in = False
        self.active: Endpoint | None = None
        self.extended_only = False
        self.turn = 0
        self.data: ServerData | None = None
        self._unlisten: Cancel = _nothing

    @staticmethod
    def check(settings: Settings) -> None:
        """ValueError for passive ports that are no range."""
        _passive_ports(settings)

    def connected(self, stream: Stream) -> None:
        """Greet."""
        super().connected(stream)
        self._say(stream, 220, "Gerbang FTP server ready.")

    def line(self, stream: Stream, line: str) -> None:
        """One command."""
        word, _, argument = line.strip().partition(" ")
        command = _COMMANDS.get(word.upper())
        if command is None:
            self._say(stream, 502, "Command not implemented.")
        elif not self.is_logged_in and word.upper() not in _WITHOUT_LOGIN:
            self._say(stream, 530, "Please log in with USER and PASS.")
        else:
            command(self, stream, argument.strip())

    def closed(self, stream: Stream) -> None:
        """No data connection outlives the control connection."""
        self._forget_data()

    def failed(self, stream: Stream, failure: Failure) -> None:
        """No data connection outlives the control connection."""
        self._forget_data()

    def say_about_data(self, stream: Stream, code: int, text: str) -> None:
        """The data connection is over."""
        self.data = None
        self._say(stream, code, text)

    def _say(self, stream: Stream, code: int, text: str) -> None:
        stream.send(f"{code} {text}\r\n".encode())

    def stop_listening(self) -> None:
        """No further data connection is taken at the passive port."""
        self._unlisten()
        self._unlisten = _nothing

    def _forget_data(self) -> None:
        self.stop_listening()
        self.active = None
        if self.data is not None:
            data, self.data = self.data, None
            data.abort()

    # -- login and the like ------------------------------------------------------

    def _user(self, stream: Stream, argument: str) -> None:
        self.user = argument
        self._say(stream, 331, "Any password will do.")

    def _password(self, stream: Stream, argument: str) -> None:
        if not self.user:
            self._say(stream, 503, "USER first.")
            return
        self.named(argument)
        self.is_logged_in = True
        self._say(stream, 230, f"User {self.user} logged in.")

    def _quit(self, stream: Stream, argument: str) -> None:
        self._say(stream, 221, "Goodbye.")
        stream.close()

    def _system(self, stream: Stream, argument: str) -> None:
        self._say(stream, 215, "UNIX Type: L8")

    def _no_operation(self, stream: Stream, argument: str) -> None:
        self._say(stream, 200, "Fine.")

    def _type(self, stream: Stream, argument: str) -> None:
        if argument.upper().split()[:1] in (["A"], ["I"]) or argument.upper() == "L 8":
            self._say(stream, 200, f"Type set to {argument.upper()}.")
        else:
            self._say(stream, 504, "Only types A and I.")

    def _print_folder(self, stream: Stream, argument: str) -> None:
        self._say(stream, 257, '"' + self.folder.replace('"', '""') + '" is the current folder.')

    def _change_folder(self, stream: Stream, argument: str) -> None:
        if argument in ("/", ".", ""):
            self._say(stream, 250, "Changed.")
        else:
            self._say(stream, 550, "There is one folder only.")

    def _size(self, stream: Stream, argument: str) -> None:
        size = self._size_of(argument)
        if size is None:
            self._say(stream, 550, "No such file.")
        else:
            self._say(stream, 213, str(size))

    def _size_of(self, name: str) -> int | None:
        name = name.lstrip("/")
        if name in self.files:
            return self.files[name]
        return int(name) if name.isascii() and name.isdigit() and len(name) <= 15 else None

    # -- data connections ----------------------------------------------------------

    def _port(self, stream: Stream, argument: str) -> None:
        self._take_active(stream, parse_port(argument))

    def _extended_port(self, stream: Stream, argument: str) -> None:
        self._take_active(stream, parse_eprt(argument))

    def _take_active(self, stream: Stream, endpoint: Endpoint | None) -> None:
        if endpoint is None:
            self._say(stream, 501, "That is no address and port.")
        elif endpoint.family is not stream.local.family:
            self._say(stream, 522, "Network protocol not supported here.")
        elif self.extended_only:
            self._say(stream, 503, "EPSV ALL was said.")
        else:
            self._forget_data()
            self.active = endpoint
            self._say(stream, 200, "Command okay.")

    def _passive(self, stream: Stream, argument: str) -> None:
        if stream.local.family is not Family.IPV4:
            self._say(stream, 425, "PASV is for IPv4: use EPSV.")
            return
        port = self._listen(stream)
        if port:
            there = format_port(stream.local._replace(port=port))
            self._say(stream, 227, f"Entering Passive Mode ({there}).")

    def _extended_passive(self, stream: Stream, argument: str) -> None:
        if argument.upper() == "ALL":
            self.extended_only = True
            self._say(stream, 200, "EPSV ALL.")
            return
        port = self._listen(stream)
        if port:
            self._say(stream, 229, f"Entering Extended Passive Mode {format_epsv(port)}")

    def _listen(self, stream: Stream) -> int:
        """A port that waits for one data connection; 0 when none is free, and the client told."""
        self._forget_data()
        data = ServerData(self, stream)
        name = self.seen.token if self.seen is not None else ""
        self.turn += 1
        for port in data_ports(name, self.turn, *_passive_ports(self.settings)):
            try:
                self._unlisten = self.sockets.listen(port, data.accept)
            except ValueError:
                continue
            self.data = data
            return port
        self._say(stream, 425, "No port is free.")
        return 0

    def _transfer(self, stream: Stream, start: Callable[[ServerData], None], what: str) -> None:
        """Say 150 and run the transfer once the data connection is there."""
        data = self.data
        if data is None and self.active is None:
            self._say(stream, 425, "Use PASV, EPSV, PORT or EPRT first.")
            return
        self._say(stream, 150, f"Opening data connection for {what}.")
        if data is None:
            assert self.active is not None
            self.data = data = ServerData(self, stream)
            remote, self.active = self.active, None
            data.connect(remote, self.log.port - 1)
        data.when_ready(start)

    def _list(self, stream: Stream, argument: str) -> None:
        lines = "".join(
            f"-rw-r--r-- 1 ftp ftp {size:>12} Jan  1 00:00 {name}\r\n" for name, size in sorted(self.files.items())
        )
        self._transfer(stream, lambda data: data.give_text(lines), "the list of files")

    def _names(self, stream: Stream, argument: str) -> None:
        lines = "".join(f"{name}\r\n" for name in sorted(self.files))
        self._transfer(stream, lambda data: data.give_text(lines), "the names of files")

    def _retrieve(self, stream: Stream, argument: str) -> None:
        size = self._size_of(argument)
        if size is None:
            self._say(stream, 550, "No such file.")
        else:
            self._transfer(stream, lambda data: data.give_zeros(size), f"{argument} ({size} bytes)")

    def _store(self, stream: Stream, argument: str) -> None:
        if argument:
            self._transfer(stream, lambda data: data.take(argument.lstrip("/")), argument)
        else:
            self._say(stream, 501, "STOR wants a name.")


def _files(settings: Settings) -> list[tuple[str, int]]:
    files = []
    for key, value in settings:
        name, _, size = value.partition("=")
        if key == "file" and size.isdigit():
            files.append((name, int(size)))
    return files


def _passive_ports(settings: Settings) -> tuple[int, int]:
    """The setting ``passive-ports`` (``50000-50100``), or the dynamic ports of RFC 6335."""
    for key, value in settings:
        first, _, last = value.partition("-")
        if key != "passive-ports":
            continue
        if not (first.isdigit() and last.isdigit() and 0 < int(first) <= int(last) < 65536):
            raise ValueError(f"passive-ports: expected a range such as 50000-50100, not {value!r}")
        return int(first), int(last)
    return DYNAMIC_PORTS


def _nothing() -> None:
    pass


_COMMANDS: dict[str, Callable[[FtpServer, Stream, str], None]] = {
    "USER": FtpServer._user,
    "PASS": FtpServer._password,
    "QUIT": FtpServer._quit,
    "SYST": FtpServer._system,
    "NOOP": FtpServer._no_operation,
    "TYPE": FtpServer._type,
    "PWD": FtpServer._print_folder,
    "CWD": FtpServer._change_folder,
    "SIZE": FtpServer._size,
    "PORT": FtpServer._port,
    "EPRT": FtpServer._extended_port,
    "PASV": FtpServer._passive,
    "EPSV": FtpServer._extended_passive,
    "LIST": FtpServer._list,
    "NLST": FtpServer._names,
    "RETR": FtpServer._retrieve,
    "STOR": FtpServer._store,
}
_WITHOUT_LOGIN = frozenset({"USER", "PASS", "QUIT", "SYST", "NOOP"})
