"""``gerbang login``: keep a token for the daemon."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from appliance.cli.connecting import add_connection, address_of, connected
from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="who logs in (asked for when it is not given)")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add_connection(parser)


def _run(arguments: Namespace) -> int:
    from appliance.client.addresses import keep_token

    name = arguments.name or _asked("name: ")
    password = sys.stdin.readline().rstrip("\n") if arguments.password_stdin else _secret("password: ")
    with connected(arguments, token="") as client:
        said = client.login(name, password)
        if said["must_change_password"]:
            if arguments.password_stdin:
                new = sys.stdin.readline().rstrip("\n")
            else:
                print("This password was for one login. Choose one of your own.", file=sys.stderr)
                new = _chosen()
            client.change_password(password, new)
        keep_token(address_of(arguments), client.token)
    print(f"logged in as {name} until {said['expires_at']}", file=sys.stderr)
    return 0


def _chosen() -> str:
    from compiler.errors import UsageError

    new = _secret("new password: ")
    if _secret("again: ") != new:
        raise UsageError("the two are not the same")
    return new


def _secret(prompt: str) -> str:
    import getpass

    from compiler.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for the password: use --password-stdin")
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise UsageError("no password") from None


def _asked(prompt: str) -> str:
    from compiler.errors import UsageError

    try:
        print(prompt, end="", file=sys.stderr, flush=True)
        return input()
    except EOFError:
        raise UsageError("no name") from None


verb = Verb(
    summary="log in to the appliance's daemon and keep the token",
    configure=_configure,
    run=_run,
    examples=("login admin", "login ani --url https://gerbang.example:8443"),
)
