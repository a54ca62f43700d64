"""Whether the machine has the addresses on which its daemons are told to listen.

They bind addresses that are not there yet (``ip_nonlocal_bind`` of ip(7), ``ip-freebind`` of NSD and Unbound), so that
they serve as soon as the network comes after a power cut. So they bind a mistyped address too, without a word, and
nobody reaches them. Only looking tells. It is no error: the address may come later, and a service that acts at the
boot must not fail for it.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from appliance.components.finding import warning
from appliance.contract.components import Finding
from appliance.language import _

__all__ = ["addresses_elsewhere", "own_addresses"]

_SIOCGIFCONF = 0x8912
_ROW = 40 if struct.calcsize("P") == 8 else 32
"""Bytes of a struct ifreq; its sockaddr_in begins at the 16th, the address four later (netdevice(7))."""
_ROWS = 256
"""For which there is room at first; where there are more, twice as many."""
_SIX = Path("/proc/self/net/if_inet6")


def own_addresses() -> tuple[str, ...]:
    """Of all interfaces, those of the loopback last. Raises OSError.

    Asked without netlink, which the daemon's unit has no right to. Connecting
    a socket and asking for its name would not do: of several addresses of one
    network the kernel names the first for all of them.
    """
    found: dict[IPv4Address | IPv6Address, None] = dict.fromkeys((*_four(), *_six()))
    return tuple(str(one) for one in sorted(found, key=lambda one: (one.is_loopback, one.version, int(one))))


def addresses_elsewhere(component: str, setting: str, addresses: Iterable[str]) -> tuple[Finding, ...]:
    """A warning for each of the setting's addresses that is none of this machine's. ``setting``: ``mail/address``."""
    wanted = [one for one in addresses if not _everywhere(one)]
    if not wanted:
        return ()
    own = own_addresses()
    words = _("{address} is no address of this machine, so nobody reaches it there; the machine has {own}")
    shown = ", ".join(one for one in own if not _local(one)) or "127.0.0.1"
    return tuple(
        warning(component, words, setting, address=one, own=shown) for one in wanted if str(ip_address(one)) not in own
    )


def _everywhere(address: str) -> bool:
    """All of 127.0.0.0/8 is ours, on each machine; and the unspecified address stands for all that we have."""
    plain = ip_address(address)
    return plain.is_loopback or plain.is_unspecified


def _local(address: str) -> bool:
    """Nobody is told of these as a server's."""
    plain = ip_address(address)
    return plain.is_loopback or plain.is_link_local


def _four() -> Iterator[IPv4Address]:
    """As SIOCGIFCONF lists them: each address of an interface, the further ones too."""
    rows = _ROWS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
        while True:
            room = array.array("B", bytes(rows * _ROW))
            place, size = room.buffer_info()
            answer = fcntl.ioctl(one, _SIOCGIFCONF, struct.pack("iP", size, place))
            (used,) = struct.unpack_from("i", answer)
            if used < size:
                break
            rows *= 2
    for start in range(0, used, _ROW):
        yield IPv4Address(room[start + 20 : start + 24].tobytes())


def _six() -> Iterator[IPv6Address]:
    """A kernel without IPv6 has no such file."""
    try:
        lines = _SIX.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        yield IPv6Address(bytes.fromhex(line.split()[0]))
