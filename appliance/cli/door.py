"""``gerbang door``: what other servers need to let people in to the console."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    doors = parser.add_subparsers(dest="door", metavar="DOOR", required=True)
    ssh = doors.add_parser(
        "ssh",
        help="print what lets the holder of a key have the console over OpenSSH, and nothing else",
        allow_abbrev=False,
    )
    what = ssh.add_mutually_exclusive_group(required=True)
    what.add_argument("--key", type=Path, metavar="FILE", help="print the line of authorized_keys for this public key")
    what.add_argument("--sshd", action="store_true", help="print a file for /etc/ssh/sshd_config.d")
    ssh.add_argument("--user", metavar="NAME", default="gerbang-ssh", help="the login at sshd (default: %(default)s)")
    ssh.add_argument("--keys", type=Path, metavar="FILE", help="the keys of all who may, one a line")
    ssh.add_argument("--socket", type=Path, metavar="PATH", help="the daemon's UNIX socket, if it is not the usual one")
    ssh.add_argument("--program", type=Path, metavar="FILE", help="where gerbang is (default: the one that runs)")


def _run(arguments: Namespace) -> int:
    from appliance.doors.ssh import authorized_line, console_command, sshd_configuration
    from compiler.errors import UsageError

    command = console_command(_program(arguments.program), arguments.socket)
    if arguments.sshd:
        if arguments.keys is None:
            raise UsageError("--sshd needs --keys, the file with the keys of all who may")
        print(sshd_configuration(arguments.user, arguments.keys, command), end="")
        return 0
    try:
        lines = arguments.key.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{arguments.key}: no public key: {error}") from None
    for line in lines:
        if line.strip() and not line.startswith("#"):
            print(authorized_line(line, command))
    return 0


def _program(given: Path | None) -> Path:
    from compiler.errors import UsageError

    if given is not None:
        return given.absolute()
    found = Path(sys.argv[0]).absolute()
    if found.name == "gerbang" and found.is_file():
        return found
    beside = Path(sys.executable).with_name("gerbang")
    if beside.is_file():
        return beside
    if (anywhere := shutil.which("gerbang")) is not None:
        return Path(anywhere)
    raise UsageError("where gerbang is cannot be told: say --program")


verb = Verb(
    summary="print what lets people in to the console by other servers",
    configure=_configure,
    run=_run,
    examples=(
        "door ssh --key id_ed25519.pub >> ~gerbang-ssh/.ssh/authorized_keys",
        "door ssh --sshd --keys /etc/gerbang/console_keys > /etc/ssh/sshd_config.d/gerbang.conf",
    ),
)
