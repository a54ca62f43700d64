"""The device that ``gerbang balance deploy``, ``confirm`` and ``rollback`` are about: options, and deployment."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from shlex import quote
from typing import TYPE_CHECKING

from compiler.cli.arguments import FILE
from compiler.cli.output import note
from compiler.placed.source_text import read_source

if TYPE_CHECKING:
    from compiler.deploy.deployment import Deployment

__all__ = ["PASSWORD", "TARGETS", "add_device", "again", "deployment_of", "seconds"]

TARGETS = ("routeros", "linux")
PASSWORD = "GERBANG_PASSWORD"
"""The environment's word for the password."""
_UNITS = {"s": 1, "m": 60, "h": 3600}


def add_device(parser: ArgumentParser, intent: str) -> None:
    """The intent's file, ``--to``, and how a RouterOS device is reached."""
    parser.add_argument("file", metavar=FILE, nargs="?", help=f'the intent (YAML), "-" for standard input: {intent}')
    parser.add_argument("--to", choices=TARGETS, required=True, help="a RouterOS device, or this very Linux")
    parser.add_argument("--host", help="RouterOS: name or address of the device")
    parser.add_argument(
        "--port", type=_port, default=0, help="RouterOS: port of the API (default: 8728, with TLS 8729)"
    )
    parser.add_argument("--user", default="admin", help="RouterOS: user (default: admin)")
    parser.add_argument(
        "--password-file", metavar="FILE", help=f"RouterOS: password in a file; else {PASSWORD}, else it is asked for"
    )
    parser.add_argument("--tls", action="store_true", help="RouterOS: the API over TLS (api-ssl)")
    parser.add_argument("--ca", metavar="FILE", help="with --tls: trust the authorities of this file (PEM)")
    parser.add_argument("--fingerprint", metavar="SHA256", help="with --tls: trust this very certificate")
    parser.add_argument("--insecure", action="store_true", help="with --tls: trust any certificate")
    parser.add_argument("--timeout", type=seconds, default=15, help="RouterOS: to wait for an answer (default: 15s)")


def seconds(text: str) -> int:
    """``90``, ``90s``, ``5m``, ``1h`` as seconds, for argparse."""
    digits, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    if not digits.isascii() or not digits.isdigit() or not 0 < int(digits) < 10**6:
        raise ArgumentTypeError(f"{text!r}: expected a time such as 90s, 5m or 1h")
    return int(digits) * _UNITS[unit]


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65_536:
        raise ArgumentTypeError(f"{text!r}: expected a port, 1 to 65535")
    return int(text)


def deployment_of(arguments: Namespace, *, remove: bool = False) -> Deployment:
    """The deployment that the options are about. Raises UsageError, and InputErrors for the intent."""
    text, source = None, ""
    if arguments.file:
        read = read_source(arguments.file)
        text, source = read.text, read.name
        if read.note:
            note(read.note)
    return {"routeros": _routeros, "linux": _linux}[arguments.to](arguments, text, source, remove=remove)


def again(arguments: Namespace, action: str) -> str:
    """The command to type next."""
    words = ["gerbang balance", action, *([arguments.file] if arguments.file else []), "--to", arguments.to]
    if arguments.to == "routeros":
        words += ["--host", arguments.host]
        for name in ("port", "user", "password_file", "ca", "fingerprint"):
            value = getattr(arguments, name)
            if value and value != "admin":
                words += [f"--{name.replace('_', '-')}", str(value)]
        words += [f"--{name}" for name in ("tls", "insecure") if getattr(arguments, name)]
    return " ".join(words[:1] + [quote(word) for word in words[1:]])


def _routeros(arguments: Namespace, text: str | None, source: str, *, remove: bool) -> Deployment:
    from compiler.deploy.routeros.access import Access, Tls
    from compiler.deploy.routeros.deployment import RouterosDeployment
    from compiler.errors import UsageError

    if not arguments.host:
        raise UsageError("--to routeros needs --host")
    trust = [name for name in ("ca", "fingerprint", "insecure") if getattr(arguments, name)]
    if trust and not arguments.tls:
        raise UsageError(f"--{trust[0]} goes with --tls")
    if len(trust) > 1:
        raise UsageError(f"--{trust[0]} and --{trust[1]}: one of them")
    tls = Tls(arguments.ca or "", arguments.fingerprint or "", arguments.insecure) if arguments.tls else None
    if tls is not None:
        tls.context()  # a wrong file is told before a password is asked for
    access = Access(arguments.host, arguments.user, _password(arguments), arguments.port, tls, float(arguments.timeout))
    return RouterosDeployment(
        text,
        source,
        access,
        remove=remove,
        replace_foreign=_said(arguments, "replace_foreign"),
        despite_foreign=_said(arguments, "despite_foreign"),
    )


def _linux(arguments: Namespace, text: str | None, source: str, *, remove: bool) -> Deployment:
    from compiler.deploy.linux.deployment import LinuxDeployment
    from compiler.errors import UsageError

    if arguments.host:
        raise UsageError("--to linux is this very machine: it takes no --host")
    if text is None:
        raise UsageError("--to linux needs the intent, to confirm and to go back too")
    return LinuxDeployment(text, source, remove=remove, despite_foreign=_said(arguments, "despite_foreign"))


def _said(arguments: Namespace, name: str) -> bool:
    """A flag that ``confirm`` and ``rollback`` do not have."""
    return bool(getattr(arguments, name, False))


def _password(arguments: Namespace) -> str:
    """From the file, the environment, or the terminal; never from the command line, which others can read."""
    from compiler.errors import UsageError

    if arguments.password_file:
        try:
            with open(arguments.password_file, encoding="utf-8") as file:
                return file.readline().rstrip("\r\n")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise UsageError(f"cannot read {arguments.password_file!r}: {reason}") from error
    if PASSWORD in os.environ:
        return os.environ[PASSWORD]
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"no password: give --password-file or {PASSWORD} (there is no terminal to ask at)")
    from getpass import getpass

    return getpass(f"Password of {arguments.user} at {arguments.host}: ")
