"""``gerbang logout``: end the session and forget its token."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from contextlib import suppress

from appliance.cli.connecting import add_connection, address_of, connected
from compiler.cli.verb import Verb

__all__ = ["verb"]


def _run(arguments: Namespace) -> int:
    from appliance.client.addresses import forget_token
    from appliance.client.errors import LoginNeeded

    # It may have ended already.
    with connected(arguments) as client, suppress(LoginNeeded):
        client.logout()
    forget_token(address_of(arguments))
    return 0


def _configure(parser: ArgumentParser) -> None:
    add_connection(parser)


verb = Verb(summary="log out of the appliance's daemon", configure=_configure, run=_run, examples=("logout",))
