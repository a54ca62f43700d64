"""``--socket``, ``--url`` and ``--ca``: how the verbs find the daemon. Cheap to import."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.client.addresses import Address
    from appliance.client.blocking import Client

__all__ = ["add_connection", "address_of", "connected"]


def add_connection(parser: ArgumentParser, taken: frozenset[str] = frozenset()) -> None:
    """Add the options, those excepted whose names are ``taken``."""
    if "socket" not in taken:
        parser.add_argument("--socket", metavar="PATH", help="the daemon's UNIX socket (or GERBANG_SOCKET)")
    if "url" not in taken:
        parser.add_argument("--url", metavar="URL", help="the daemon's address, https://… (or GERBANG_URL)")
    if "ca" not in taken:
        parser.add_argument("--ca", metavar="FILE", help="whose certificates to believe, PEM")


def address_of(arguments: Namespace) -> Address:
    """Where the daemon is."""
    from appliance.client.addresses import Address

    return Address.of(getattr(arguments, "socket", None), getattr(arguments, "url", None))


def connected(arguments: Namespace, token: str | None = None) -> Client:
    """A client with this user's token."""
    from appliance.client.addresses import kept_token
    from appliance.client.blocking import Client

    address = address_of(arguments)
    return Client(address, kept_token(address) if token is None else token, verify=_believed(arguments))


def _believed(arguments: Namespace) -> object:
    if not getattr(arguments, "ca", None):
        return True
    import ssl

    from compiler.errors import UsageError

    try:
        return ssl.create_default_context(cafile=arguments.ca)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{arguments.ca}: no certificates: {error}") from None
