"""Names as texts: absolute and relative, and the names of the reverse tree (RFC 1035 section 3.5, RFC 3596)."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address, ip_network

__all__ = ["absolute", "address_of", "below", "relative", "reverse_name", "reverse_zone"]

_V4, _V6 = ".in-addr.arpa", ".ip6.arpa"


def absolute(owner: str, zone: str) -> str:
    """The whole name, without its last dot: ``www`` of ``rssulsel.com`` is ``www.rssulsel.com``."""
    if owner == "@":
        return zone
    return owner[:-1] if owner.endswith(".") else f"{owner}.{zone}"


def relative(name: str, zone: str) -> str:
    """The shortest owner of a whole name (without its last dot) in a zone."""
    if name == zone:
        return "@"
    return name.removesuffix(f".{zone}") if below(name, zone) else f"{name}."


def below(name: str, zone: str) -> bool:
    """Whether the name is the zone's own or one below it. Both without their last dots, in small letters."""
    return name == zone or name.endswith(f".{zone}")


def reverse_name(address: str) -> str:
    """``2.10.168.192.in-addr.arpa`` of ``192.168.10.2``."""
    return ip_address(address).reverse_pointer


def reverse_zone(network: str) -> str:
    """The zone of a network: of the next longer whole label when its length is none, so that it covers the network.

    ``192.168.10.0/24`` is ``10.168.192.in-addr.arpa``; ``192.168.10.0/25`` too, ``10.0.0.0/12`` is
    ``10.in-addr.arpa``: RFC 2317 is for those who are delegated less than a label.
    """
    found = ip_network(network, strict=False)
    size, total = (8, 32) if isinstance(found, IPv4Network) else (4, 128)
    labels = max(1, min(found.prefixlen, total - size) // size)
    return ".".join(found.network_address.reverse_pointer.split(".")[total // size - labels :])


def address_of(name: str) -> str | None:
    """The address that a whole name of the reverse tree stands for, in its usual spelling; None for any other name."""
    labels = name.removesuffix(".").lower()
    if labels.endswith(_V4):
        parts = labels.removesuffix(_V4).split(".")
        text = ".".join(reversed(parts))
    elif labels.endswith(_V6):
        parts = labels.removesuffix(_V6).split(".")
        digits = "".join(reversed(parts))
        if len(parts) != 32 or len(digits) != 32:
            return None
        text = ":".join(digits[place : place + 4] for place in range(0, 32, 4))
    else:
        return None
    try:
        return str(ip_address(text))
    except ValueError:
        return None
