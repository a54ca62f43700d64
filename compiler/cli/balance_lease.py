"""``gerbang balance lease``: the hook of a DHCP or PPP client tells the watch what it got."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.balance_watch import folder_of
from compiler.cli.verb import Verb

__all__ = ["action"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("uplink", metavar="UPLINK", help="its name in the intent")
    parser.add_argument("--gateway", metavar="ADDRESS", help="the gateway of the lease")
    parser.add_argument("--address", metavar="ADDRESS/LENGTH", help="the router's own address by the lease")
    parser.add_argument("--lost", action="store_true", help="the lease has ended")
    parser.add_argument("--state", metavar="FOLDER", help="the watch's (/run/gerbang-balance)")


def _run(arguments: Namespace) -> int:
    from compiler.balancing.reading_words import name
    from compiler.balancing.wanted_routes import Lease
    from compiler.deploy.linux.leases import known_uplinks, tell_lease
    from compiler.errors import UsageError
    from compiler.fields import Family
    from compiler.placed.addresses import address, interface_address

    if arguments.lost == bool(arguments.gateway or arguments.address):
        raise UsageError("either --lost, or --gateway or --address")
    lease = None
    if not arguments.lost:
        try:
            family, gateway = address(arguments.gateway) if arguments.gateway else (Family.IPV4, None)
            own = interface_address(arguments.address) if arguments.address else None
        except ValueError as error:
            raise UsageError(f"not understood: {error}") from error
        if family is not Family.IPV4 or (own is not None and own.family is not Family.IPV4):
            raise UsageError("uplinks are balanced by IPv4 alone")
        lease = Lease(gateway, own)
    folder = folder_of(arguments.state)
    known = known_uplinks(folder)
    try:
        name(arguments.uplink)
    except ValueError as error:
        raise UsageError(f"{arguments.uplink!r} is no uplink here: {error}") from error
    if known and arguments.uplink not in known:
        raise UsageError(f"{arguments.uplink!r} is no uplink here: there are {', '.join(known)}")
    tell_lease(folder, arguments.uplink, lease)
    return 0


action = Verb(
    "tell the watch what DHCP or PPP gave an uplink",
    _configure,
    _run,
    (
        "balance lease cable --gateway 203.0.113.1 --address 203.0.113.7/24",
        "balance lease cable --lost",
    ),
)
