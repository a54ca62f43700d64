"""A router in two network namespaces: real packets through a real nft ruleset.

``KernelRouter`` joins a router namespace with a tester namespace by two veth
pairs. Frames are sent raw on one side and looked for on the other, each known
by the IPv4 identification or the IPv6 flow label, so fragments and odd
protocols need no payload of their own::

    with KernelRouter() as router:
        router.load(ruleset_text)
        passed = router.verdicts(packets, "west")    # True where a packet came out in the east
        back, out = router.exchange(packets, "west")[0]    # what the first one led to, on both sides

Packets are layer-3 bytes (or whatever ``bytes()`` turns into them, such as
scapy packets). They must be forwardable: TTL above 1, no multicast, loopback or
link-local addresses, and none of ``ROUTER_ADDRESSES``.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import functools
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import SupportsBytes

ROUTER_ADDRESSES = ("198.18.255.1", "198.18.255.5", "2001:db8:ffff:1::1", "2001:db8:ffff:2::1")
"""What belongs to the router itself: packets to these are not forwarded."""

INTERFACES = {"west": "west0", "east": "east0"}
"""Side to interface name in the router."""

_CLONE_NEWNET = 0x40000000
_NETLINK_NETFILTER = 12
_DELETE_CONNECTIONS = 1 << 8 | 2
"""NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE (linux/netfilter/nfnetlink_conntrack.h)."""
_ETH_ARP = 0x0806
_ETHTOOL, _SET_TRANSMIT_CHECKSUMS = 0x8946, 0x17
"""SIOCETHTOOL and ETHTOOL_STXCSUM (linux/sockios.h, linux/ethtool.h)."""
_BATCH = 200
_TESTER_MAC = {"west": "02:00:00:00:00:01", "east": "02:00:00:00:00:02"}
_ROUTER_MAC = {"west": "02:00:00:00:01:01", "east": "02:00:00:00:01:02"}
_OTHER = {"west": "east", "east": "west"}
_NEXT_HOP = {"west": ("198.18.255.2", "2001:db8:ffff:1::2"), "east": ("198.18.255.6", "2001:db8:ffff:2::2")}
_OWN = {
    "west": ("198.18.255.1/30", "2001:db8:ffff:1::1/64"),
    "east": ("198.18.255.5/30", "2001:db8:ffff:2::1/64"),
}


def why_not() -> str:
    """Why no kernel router can be made here; empty when one can."""
    if os.geteuid():
        return "not root: network namespaces and raw sockets need it"
    for tool in ("nft", "ip", "sysctl"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    try:
        with _in_namespace(None):
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.unshare(_CLONE_NEWNET):
                return f"no network namespace can be made: {os.strerror(ctypes.get_errno())}"
    except OSError as error:
        return f"no network namespace can be made: {error}"
    return ""


@contextlib.contextmanager
def _in_namespace(name: str | None) -> Iterator[None]:
    """This thread in the named namespace; back to where it was at the end."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as home:
        try:
            if name is not None:
                with open(f"/run/netns/{name}", "rb") as other:
                    if libc.setns(other.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), f"setns to {name}")
            yield
        finally:
            libc.setns(home.fileno(), _CLONE_NEWNET)


def _run(*command: str, text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class KernelRouter:
    """The two namespaces, as a context manager that removes them again, also after a failure."""

    _made = 0

    def __init__(self) -> None:
        KernelRouter._made += 1
        self.router = f"gerbang-r{os.getpid()}-{KernelRouter._made}"
        self.tester = f"gerbang-t{os.getpid()}-{KernelRouter._made}"
        self._sockets: dict[str, socket.socket] = {}
        self._netfilter: socket.socket | None = None
        self._next_id = 1

    def __enter__(self) -> KernelRouter:
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove sockets and namespaces."""
        for one in self._sockets.values():
            one.close()
        self._sockets.clear()
        if self._netfilter is not None:
            self._netfilter.close()
            self._netfilter = None
        for name in (self.router, self.tester):
            if Path(f"/run/netns/{name}").exists():
                subprocess.run(("ip", "netns", "del", name), capture_output=True, check=False)

    def _build(self) -> None:
        _run("ip", "netns", "add", self.router)
        _run("ip", "netns", "add", self.tester)
        _run(
            "ip", "netns", "exec", self.router, "sysctl", "-qw",
            "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
            "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
            "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.default.send_redirects=0",
            "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0",
            "net.ipv4.icmp_ratemask=0", "net.ipv6.icmp.ratemask=255", "net.ipv6.auto_flowlabels=0",
            "net.ipv4.ip_default_ttl=64", "net.ipv6.conf.all.hop_limit=64", "net.ipv6.conf.default.hop_limit=64",
            "net.ipv4.icmp_echo_ignore_all=0", "net.ipv4.icmp_errors_use_inbound_ifaddr=0",
            "net.ipv4.fwmark_reflect=0", "net.ipv6.fwmark_reflect=0",
            "net.netfilter.nf_conntrack_tcp_loose=1", "net.netfilter.nf_conntrack_tcp_be_liberal=0",
            "net.netfilter.nf_conntrack_tcp_ignore_invalid_rst=0", "net.netfilter.nf_conntrack_tcp_max_retrans=3",
            "net.netfilter.nf_conntrack_checksum=1",
            # Room for the parts of many datagrams that never become whole.
            "net.ipv4.ipfrag_high_thresh=268435456", "net.ipv6.ip6frag_high_thresh=268435456",
            "net.netfilter.nf_conntrack_frag6_high_thresh=268435456", "net.ipv4.ipfrag_time=3600",
            "net.ipv6.ip6frag_time=3600", "net.netfilter.nf_conntrack_frag6_timeout=3600",
            "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
            "net.ipv6.conf.default.accept_ra=0",
        )  # fmt: skip
        _run(
            "ip", "netns", "exec", self.tester, "sysctl", "-qw",
            "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1",
            "net.ipv4.conf.all.arp_ignore=8", "net.ipv4.conf.default.arp_ignore=8",
        )  # fmt: skip
        links, routes, routes6, outside = [], [], [], []
        for side, table in (("west", "101"), ("east", "102")):
            name, other = INTERFACES[side], _OTHER[side]
            links.append(
                f"link add {name} address {_ROUTER_MAC[side]} type veth "
                f"peer name {side} address {_TESTER_MAC[side]} netns {self.tester}"
            )
            links += [f"address add {own} dev {name}" for own in _OWN[side]]
            links.append(f"link set {name} up")
            outside.append(f"link set {side} up")
            for hop in _NEXT_HOP[side]:
                routes.append(f"neighbour replace {hop} lladdr {_TESTER_MAC[side]} dev {name} nud permanent")
            v4, v6 = _NEXT_HOP[other]
            routes.append(f"route add default via {v4} dev {INTERFACES[other]} table {table}")
            routes6.append(f"route add default via {v6} dev {INTERFACES[other]} table {table}")
            routes.append(f"rule add iif {name} lookup {table} pref 10{table}")
            routes6.append(f"rule add iif {name} lookup {table} pref 10{table}")
        # Answers of the router (rejects) go back to the west.
        routes.append(f"route add default via {_NEXT_HOP['west'][0]} dev {INTERFACES['west']}")
        routes6.append(f"route add default via {_NEXT_HOP['west'][1]} dev {INTERFACES['west']}")
        routes.append("link set lo up")
        _run("ip", "-n", self.router, "-batch", "-", text="\n".join(links) + "\n")
        _run("ip", "-n", self.tester, "-batch", "-", text="\n".join(outside) + "\n")
        _run("ip", "-n", self.router, "-batch", "-", text="\n".join(routes) + "\n")
        _run("ip", "-6", "-n", self.router, "-batch", "-", text="\n".join(routes6) + "\n")
        with _in_namespace(self.router):
            for name in INTERFACES.values():
                _finish_checksums(name)
            self._netfilter = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        with _in_namespace(self.tester):
            for side in INTERFACES:
                one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
                one.bind((side, 3))
                self._sockets[side] = one

    # -- rules -----------------------------------------------------------------

    def load(self, ruleset_text: str) -> None:
        """Replace all rules of the router. RuntimeError with nft's words when it refuses."""
        self.nft("flush ruleset\n" + ruleset_text)

    def nft(self, text: str) -> None:
        """Run commands of nft in the router."""
        _run("ip", "netns", "exec", self.router, "nft", "-f", "-", text=text)

    def listing(self) -> str:
        """``nft list ruleset``."""
        return _run("ip", "netns", "exec", self.router, "nft", "list", "ruleset")

    def forget_connections(self) -> None:
        """Empty the table of connections, as ``conntrack -F`` does."""
        assert self._netfilter is not None
        # A netlink header that asks for an acknowledgement, and an nfgenmsg of no family: all of them.
        self._netfilter.send(struct.pack("=IHHIIBBH", 20, _DELETE_CONNECTIONS, 5, 1, 0, 0, 0, 0))
        error = struct.unpack_from("=i", self._netfilter.recv(4096), 16)[0]
        if error:
            raise OSError(-error, "deleting connections")

    # -- packets ---------------------------------------------------------------

    def verdicts(self, packets: Sequence[bytes | SupportsBytes], ingress: str) -> list[bool]:
        """For each packet whether it came out at the other side."""
        return [kind is not None for kind in self.forwarded(packets, ingress)]

    def forwarded(self, packets: Sequence[bytes | SupportsBytes], ingress: str) -> list[bytes | None]:
        """For each packet its bytes as it came out at the other side, or None."""
        found: list[bytes | None] = []
        with self._on_one_processor():
            for start in range(0, len(packets), _BATCH):
                found += self._batch([bytes(packet) for packet in packets[start : start + _BATCH]], ingress)
        return found

    def play(self, packets: Sequence[tuple[str, bytes]]) -> list[dict[str, list[bytes]]]:
        """Send packets as they are, each with the side that it enters by: what each led to, by side.

        What comes out by one side is in order. A sender that the kernel keeps
        waiting may see an output with the packet behind its own, never lost.
        ARP, and what the router says to groups, is left out.
        """
        found: list[dict[str, list[bytes]]] = []
        with self._on_one_processor():
            for one in self._sockets.values():
                _drain(one)
                one.setblocking(False)
            for side, packet in packets:
                kind = b"\x08\0" if packet[0] >> 4 == 4 else b"\x86\xdd"
                self._sockets[side].send(_mac(_ROUTER_MAC[side]) + _mac(_TESTER_MAC[side]) + kind + packet)
                found.append({name: _heard(one, name) for name, one in self._sockets.items()})
            if found:
                for side, one in self._sockets.items():
                    self._wait_for_echo(one, side, found[-1][side])
        return found

    def exchange(
        self, packets: Sequence[bytes | SupportsBytes], ingress: str
    ) -> list[tuple[bytes | None, bytes | None]]:
        """For each packet the first that it made come back on its own side, and the first at the other.

        One after the other, so that answers (ICMP errors, resets, echoes) belong to the packet before them.
        """
        found = []
        for packet in packets:
            (heard,) = self.play([(ingress, bytes(packet))])
            near, far = heard[ingress], heard[_OTHER[ingress]]
            found.append((near[0] if near else None, far[0] if far else None))
        return found

    @contextlib.contextmanager
    def _on_one_processor(self) -> Iterator[None]:
        """One processor: its queue of received frames keeps them in order."""
        previous = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(previous)})
        try:
            yield
        finally:
            os.sched_setaffinity(0, previous)

    def _batch(self, packets: list[bytes], ingress: str) -> list[bytes | None]:
        egress = self._sockets[_OTHER[ingress]]
        sender = self._sockets[ingress]
        _drain(egress)
        _drain(sender)
        header = _mac(_ROUTER_MAC[ingress]) + _mac(_TESTER_MAC[ingress])
        wanted: dict[tuple[int, int], int] = {}
        for position, packet in enumerate(packets):
            number = self._next_id
            self._next_id = number % 65535 + 1
            marked, version = _mark(packet, number)
            wanted[(version, number)] = position
            sender.send(header + struct.pack("!H", 0x0800 if version == 4 else 0x86DD) + marked)
        self._wait_for_echo(sender, ingress)
        found: list[bytes | None] = [None] * len(packets)
        for frame in _drain(egress):
            known = _identity(frame)
            if known in wanted:
                found[wanted[known]] = frame[14:]
        return found

    def _wait_for_echo(self, sender: socket.socket, ingress: str, heard: list[bytes] | None = None) -> None:
        """An ARP request behind the packets: its answer means that all of them were handled."""
        own = socket.inet_aton(_OWN[ingress][0].partition("/")[0])
        source = socket.inet_aton(_NEXT_HOP[ingress][0])
        mac = _mac(_TESTER_MAC[ingress])
        request = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + source + bytes(6) + own
        sender.send(_mac(_ROUTER_MAC[ingress]) + mac + struct.pack("!H", _ETH_ARP) + request.ljust(46, b"\0"))
        sender.settimeout(5)
        deadline = time.monotonic() + 5
        try:
            while time.monotonic() < deadline:
                frame, address = sender.recvfrom(65535)
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2":
                    return
                if heard is not None and _is_for(frame, ingress):
                    heard.append(frame[14:])
        except TimeoutError:
            pass
        finally:
            sender.settimeout(None)
        raise RuntimeError(f"the router does not answer on {ingress}")


def _finish_checksums(interface: str) -> None:
    """Have the kernel compute checksums itself: what it leaves to a card is missing on a veth (ethtool -K tx off)."""
    value = array.array("I", [_SET_TRANSMIT_CHECKSUMS, 0])
    request = struct.pack("16sP", interface.encode(), value.buffer_info()[0]) + bytes(16)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, _ETHTOOL, request)


def _drain(one: socket.socket) -> list[bytes]:
    frames = []
    one.setblocking(False)
    try:
        while True:
            frame, address = one.recvfrom(65535)
            if address[2] != socket.PACKET_OUTGOING:
                frames.append(frame)
    except BlockingIOError:
        return frames
    finally:
        one.setblocking(True)


def _heard(one: socket.socket, side: str) -> list[bytes]:
    """What a socket that does not wait has now."""
    frames = []
    while True:
        try:
            frame, address = one.recvfrom(65535)
        except BlockingIOError:
            return frames
        if address[2] != socket.PACKET_OUTGOING and _is_for(frame, side):
            frames.append(frame[14:])


def _is_for(frame: bytes, side: str) -> bool:
    return frame[:6] == _mac(_TESTER_MAC[side]) and frame[12:14] != b"\x08\x06"


@functools.cache
def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _mark(packet: bytes, number: int) -> tuple[bytes, int]:
    """The packet with its number in the identification or flow label, and its version."""
    version = packet[0] >> 4
    if version == 4:
        length = (packet[0] & 15) * 4
        header = packet[:4] + struct.pack("!H", number) + packet[6:10] + b"\0\0" + packet[12:length]
        checksum = _checksum(header)
        return header[:10] + struct.pack("!H", checksum) + header[12:] + packet[length:], 4
    if version == 6:
        first = struct.unpack("!I", packet[:4])[0] & 0xFFF00000 | number
        return struct.pack("!I", first) + packet[4:], 6
    raise ValueError(f"a packet of IP version {version}")


def _identity(frame: bytes) -> tuple[int, int]:
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == 0x0800:
        return 4, struct.unpack("!H", frame[18:20])[0]
    if kind == 0x86DD:
        return 6, struct.unpack("!I", frame[14:18])[0] & 0xFFFFF
    return 0, 0


def _checksum(header: bytes) -> int:
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
