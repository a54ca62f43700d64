"""The kinds of value of a network: names of interfaces, addresses and prefixes as people write them."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le, MaxLen
from netaddr import INET_PTON, AddrFormatError, IPAddress, IPNetwork
from pydantic import StringConstraints
from pydantic.functional_validators import AfterValidator

from appliance.contract.kinds import Entry, Unit, several_lines

__all__ = [
    "Address",
    "InterfaceAddress",
    "InterfaceName",
    "Metric",
    "Mtu",
    "Network",
    "PolicyName",
    "PolicyText",
    "Port",
    "address",
    "interface_address",
    "network",
]


def address(text: str) -> IPAddress:
    """An address without a length, IPv4 or IPv6. ValueError for anything else, for ``10.1`` and ``010.0.0.1`` too."""
    try:
        return IPAddress(text, flags=INET_PTON)
    except (AddrFormatError, ValueError) as error:
        raise ValueError(f"{text!r} is not an IPv4 or IPv6 address") from error


def interface_address(text: str) -> IPNetwork:
    """``192.0.2.1/24``: a host's address with the length of its network. ValueError."""
    host, slash, length = text.partition("/")
    found = address(host)
    most = 32 if found.version == 4 else 128
    if not slash or not (length.isascii() and length.isdigit()) or int(length[:4]) > most:
        raise ValueError(f"{text!r}: expected an address and the length of its network, as 192.0.2.1/24")
    return IPNetwork(f"{found}/{int(length)}")


def network(text: str) -> IPNetwork:
    """``192.0.2.0/24``: a prefix without bits behind its length. ValueError."""
    found = interface_address(text)
    if found.ip != found.network:
        raise ValueError(f"{text!r} has bits behind its length: {found.cidr} is the network")
    return found


def _plain_address(text: str) -> str:
    return str(address(text)) if text else ""


def _plain_interface_address(text: str) -> str:
    return str(interface_address(text))


def _plain_network(text: str) -> str:
    return str(network(text))


InterfaceName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,14}$"), MaxLen(15), Entry("line")
]
"""An interface as Linux names it (dev_valid_name in net/core/dev.c), of characters that need no quotes in nft."""
Address = Annotated[str, MaxLen(45), AfterValidator(_plain_address), Entry("line")]
"""An address, IPv4 or IPv6, in its usual spelling; empty for none."""
InterfaceAddress = Annotated[str, MaxLen(49), AfterValidator(_plain_interface_address), Entry("line")]
"""``192.0.2.1/24`` or ``2001:db8::1/64``."""
Network = Annotated[str, MaxLen(49), AfterValidator(_plain_network), Entry("line")]
"""``192.0.2.0/24``; ``0.0.0.0/0`` and ``::/0`` are everything."""
PolicyName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=32), MaxLen(32), Entry("line")
]
"""The name of an access list, as it stands in the text of its policy."""
PolicyText = Annotated[str, MaxLen(200_000), AfterValidator(several_lines), Entry("note")]
"""A configuration of several lines."""
Port = Annotated[int, Ge(1), Le(65535), Entry("number")]
"""Of TCP."""
Metric = Annotated[int, Ge(0), Le(2**31 - 1)]
"""Of a route: the least is taken. 0 is the kernel's own choice."""
Mtu = Annotated[int, Ge(0), Le(65535), Unit("octets")]
"""The largest packet of an interface; 0 leaves it as it is."""
"""A time to confirm in."""
