"""The compiled router in the real kernel: a namespace with a tester at each port. The same steps as the simulator's.

Links, neighbours and settings are made once; each plan then gets its own
addresses, routes and rules in them.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from compiler.fields import ICMP, Family
from compiler.placed.addresses import show
from tests.compiler.balancing.written_router import Known, Step, Written
from tests.compiler.dialects.nftables.kernel import _finish_checksums, _in_namespace, _mac, _run
from tests.compiler.dialects.nftables.kernel import why_not as _why_not

__all__ = ["PORTS", "KernelUplinks", "why_not"]

PORTS = ("LAN", "GUESTS", "DMZ", "ISP1", "ISP2", "ISP3", "ISP4", "ISP5")
_SEED = Path("/proc/sys/net/ipv4/fib_multipath_hash_seed")
_POLICY = {"l3": "0", "l4": "1", "l3-inner": "2"}
_ROUTER = "02:00:00:00:01:{:02x}"
_TESTER = "02:00:00:00:00:{:02x}"
_ALL = "ff:ff:ff:ff:ff:ff"
_SETTINGS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/icmp_ratelimit": "0",
    "net/ipv4/icmp_ratemask": "0",
    "net/ipv4/icmp_echo_ignore_all": "0",
    "net/ipv4/icmp_echo_ignore_broadcasts": "1",
    "net/ipv4/fwmark_reflect": "0",
    "net/ipv4/fib_multipath_use_neigh": "0",
    "net/ipv4/ip_default_ttl": "64",
    "net/ipv4/ping_group_range": "1 0",
    "net/netfilter/nf_conntrack_tcp_loose": "1",
    "net/netfilter/nf_conntrack_tcp_be_liberal": "0",
    "net/netfilter/nf_conntrack_tcp_ignore_invalid_rst": "0",
    "net/netfilter/nf_conntrack_tcp_max_retrans": "3",
    "net/netfilter/nf_conntrack_checksum": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
    "net/ipv6/conf/all/disable_ipv6": "1",
    **{f"net/ipv4/conf/{place}/rp_filter": "0" for place in ("all", "default")},
    **{f"net/ipv4/conf/{place}/send_redirects": "0" for place in ("all", "default")},
    **{f"net/ipv4/conf/{place}/accept_redirects": "0" for place in ("all", "default")},
    **{f"net/ipv4/conf/{place}/ignore_routes_with_linkdown": "1" for place in ("all", "default")},
}
_BUFFER = 32 << 20
_DUMP_TYPE, _DUMP_FLAGS = 1 << 8 | 1, 0x301
"""NFNL_SUBSYS_CTNETLINK and IPCTNL_MSG_CT_GET; NLM_F_REQUEST | NLM_F_DUMP."""


def why_not() -> str:
    """Why it cannot be done here; empty when it can."""
    reason = _why_not()
    return reason or ("" if _SEED.exists() else "this kernel's hash of multipath routes cannot be seeded (Linux 6.11)")


class KernelUplinks:
    """A context manager that removes what it made."""

    _made = 0

    def __init__(self) -> None:
        KernelUplinks._made += 1
        self.router = f"gerbang-u{os.getpid()}-{KernelUplinks._made}"
        self.tester = f"gerbang-v{os.getpid()}-{KernelUplinks._made}"
        self._sockets: dict[str, socket.socket] = {}
        self._down: set[str] = set()
        self._own: dict[int | str, socket.socket] = {}
        self._netfilter: socket.socket | None = None
        self._undo: list[str] = []

    def __enter__(self) -> KernelUplinks:
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
        for one in (*self._sockets.values(), *self._own.values()):
            one.close()
        if self._netfilter is not None:
            self._netfilter.close()
        for name in (self.router, self.tester):
            if Path(f"/run/netns/{name}").exists():
                subprocess.run(("ip", "netns", "del", name), capture_output=True, check=False)

    def _build(self) -> None:
        _run("ip", "netns", "add", self.router)
        _run("ip", "netns", "add", self.tester)
        with _in_namespace(self.tester):
            for name in ("net/ipv6/conf/default/disable_ipv6", "net/ipv6/conf/all/disable_ipv6"):
                Path("/proc/sys", name).write_text("1")
            Path("/proc/sys/net/ipv4/conf/default/arp_ignore").write_text("8")
        with _in_namespace(self.router):
            for name, value in _SETTINGS.items():
                Path("/proc/sys", name).write_text(value)
            lines = ["link set lo up"]
            for number, port in enumerate(PORTS, 1):
                # Where both ends have one index the kernel tells of a lost carrier a second late (linkwatch).
                lines.append(
                    f"link add {port} index {100 + number} address {_ROUTER.format(number)} type veth "
                    f"peer name {port} address {_TESTER.format(number)} netns {self.tester}"
                )
                lines.append(f"link set {port} up")
            self._ip(lines)
            for port in PORTS:
                _finish_checksums(port)
            self._netfilter = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
            self._netfilter.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        with _in_namespace(self.tester):
            self._ip([f"link set {port} up" for port in PORTS])
            for port in PORTS:
                one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
                one.setsockopt(socket.SOL_SOCKET, 33, _BUFFER)  # SO_RCVBUFFORCE
                one.bind((port, 3))
                one.setblocking(False)
                self._sockets[port] = one

    @staticmethod
    def _ip(lines: Sequence[str], *, force: bool = False) -> None:
        """In the namespace of this thread."""
        command = ("ip", "-force", "-batch", "-") if force else ("ip", "-batch", "-")
        done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
        if done.returncode and not force:
            raise RuntimeError(done.stderr)

    # -- a plan ---------------------------------------------------------------------------------

    def load(self, written: Written, neighbours: Sequence[tuple[str, int]]) -> None:
        """Addresses, routes and rules of the plan and no others; no connections. ``neighbours``: port and address."""
        self._written = written
        with _in_namespace(self.router):
            for one in self._own.values():
                one.close()
            self._own.clear()
            for name, value in (("seed", str(written.seed)), ("policy", _POLICY[written.policy])):
                Path(f"/proc/sys/net/ipv4/fib_multipath_hash_{name}").write_text(value)
            batch = written.batch().split("\n")
            static = [
                f"neigh replace {show(Family.IPV4, address)} lladdr {_TESTER.format(PORTS.index(port) + 1)} "
                f"dev {port} nud permanent"
                for port, address in neighbours
            ]
            self._ip([*self._undo, *(f"address flush dev {port}" for port in PORTS), *batch, *static], force=True)
            rules = [line.split()[3] for line in batch if line.startswith("rule add")]
            self._undo = [f"rule del priority {priority}" for priority in rules]
            _run("nft", "-f", "-", text="flush ruleset\n" + written.rules)
        self.forget_connections()

    def forget_connections(self) -> None:
        """As ``conntrack -F`` does."""
        assert self._netfilter is not None
        self._netfilter.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 5, 1, 0, 0, 0, 0))
        error = struct.unpack_from("=i", self._netfilter.recv(4096), 16)[0]
        if error:
            raise OSError(-error, "deleting connections")

    # -- steps ---------------------------------------------------------------------------------

    def play(self, steps: Sequence[Step]) -> dict[str, list[bytes]]:
        """Take the steps; what came out by each port, in order."""
        previous = os.sched_getaffinity(0)
        # One processor: its queue of received frames keeps them in order.
        os.sched_setaffinity(0, {min(previous)})
        try:
            for one in self._sockets.values():
                _drain(one)
            heard: dict[str, list[bytes]] = {port: [] for port in PORTS}
            for number, step in enumerate(steps):
                if step.kind != "packet":
                    self._settle(heard)
                getattr(self, f"_{step.kind}")(step)
                if number % 64 == 63:
                    self._listen(heard)
            self._settle(heard)
            return heard
        finally:
            os.sched_setaffinity(0, previous)

    def _packet(self, step: Step) -> None:
        number = PORTS.index(step.port) + 1
        target = _ALL if step.to_all else _ROUTER.format(number)
        self._sockets[step.port].send(_mac(target) + _mac(_TESTER.format(number)) + b"\x08\0" + step.octets)

    def _link(self, step: Step) -> None:
        with _in_namespace(self.tester):
            self._ip([f"link set {step.port} {'up' if step.is_up else 'down'}"])
        (self._down.discard if step.is_up else self._down.add)(step.port)
        with _in_namespace(self.router):
            deadline = time.monotonic() + 5
            while True:
                # Of its own network only: newer ip shows shared routes too, with what other links do.
                shown = _run("ip", "-4", "route", "show", "proto", "kernel", "dev", step.port)
                if ("linkdown" in shown) is not step.is_up:
                    return
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the link of {step.port} does not follow")

    def mend(self) -> None:
        """All links up again."""
        for port in sorted(self._down):
            self._link(Step("link", port, is_up=True))

    def _routes(self, step: Step) -> None:
        with _in_namespace(self.router):
            batch = [line for line in self._written.batch(step.gone).split("\n") if not line.startswith("rule")]
            self._ip([*batch, *self._written.absent(step.gone)], force=True)

    def _load(self, step: Step) -> None:
        with _in_namespace(self.router):
            _run("nft", "-f", "-", text=self._written.rules)

    def _udp_own(self, step: Step) -> None:
        if step.number not in self._own:
            with _in_namespace(self.router):
                one = self._own[step.number] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                one.bind(("", step.number))
        _send(self._own[step.number], b"own", (show(Family.IPV4, step.address), step.to_port))

    def _echo_own(self, step: Step) -> None:
        if "echo" not in self._own:
            with _in_namespace(self.router):
                self._own["echo"] = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        body = struct.pack("!BBHHH", 8, 0, 0, step.number, step.to_port) + bytes(56)
        total = sum(struct.unpack(f"!{len(body) // 2}H", body))
        total = (total & 0xFFFF) + (total >> 16)
        checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
        _send(
            self._own["echo"], body[:2] + struct.pack("!H", checksum) + body[4:], (show(Family.IPV4, step.address), 0)
        )

    # -- listening -------------------------------------------------------------------------------

    def _listen(self, heard: dict[str, list[bytes]]) -> bool:
        """Take what has come; whether an answer to our ARP request is among it."""
        answered = False
        for port, one in self._sockets.items():
            own = _mac(_TESTER.format(PORTS.index(port) + 1))
            for frame in _drain(one):
                if frame[12:14] == b"\x08\x06":
                    answered = answered or frame[20:22] == b"\0\2"
                elif frame[:6] == own:
                    heard[port].append(frame[14:])
        return answered

    def _settle(self, heard: dict[str, list[bytes]]) -> None:
        """An ARP request behind the packets: its answer means that all of them were handled."""
        network = self._written.plan.balance.networks[0]
        port, own = network.interface, network.address.address
        mac = _mac(_TESTER.format(PORTS.index(port) + 1))
        request = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + (own + 200).to_bytes(4, "big") + bytes(6)
        frame = _mac(_ALL) + mac + b"\x08\x06" + request + own.to_bytes(4, "big")
        self._sockets[port].send(frame.ljust(60, b"\0"))
        deadline = time.monotonic() + 5
        while not self._listen(heard):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the router does not answer on {port}")

    # -- connections ----------------------------------------------------------------------------------

    def connections(self) -> set[Known]:
        """The table of connections, by ctnetlink."""
        assert self._netfilter is not None
        self._netfilter.send(struct.pack("=IHHIIBBH", 20, _DUMP_TYPE, _DUMP_FLAGS, 1, 0, 2, 0, 0))
        found: set[Known] = set()
        while True:
            octets = self._netfilter.recv(1 << 20)
            position = 0
            while position < len(octets):
                length, kind = struct.unpack_from("=IH", octets, position)
                if kind == 3:  # NLMSG_DONE
                    return found
                if kind == 2:
                    raise OSError(-struct.unpack_from("=i", octets, position + 16)[0], "listing connections")
                found.add(_known(octets[position + 20 : position + length]))
                position += length + 3 & ~3


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(octets):
        length, kind = struct.unpack_from("=HH", octets, position)
        yield kind & 0x3FFF, octets[position + 4 : position + length]
        position += length + 3 & ~3


def _known(octets: bytes) -> Known:
    """linux/netfilter/nfnetlink_conntrack.h: CTA_TUPLE_ORIG 1, CTA_TUPLE_REPLY 2, CTA_MARK 8."""
    found = dict(_attributes(octets))
    protocol, original = _tuple(found[1])
    return Known(protocol, original, _tuple(found[2])[1], int.from_bytes(found.get(8, bytes(4)), "big"))


def _tuple(octets: bytes) -> tuple[int, tuple[int, ...]]:
    parts = dict(_attributes(octets))
    ends = dict(_attributes(parts[1]))
    layer4 = {kind: int.from_bytes(value, "big") for kind, value in _attributes(parts[2])}
    protocol = layer4[1]
    ports = layer4.get(2, 0), layer4.get(3, 0)
    if protocol == ICMP:  # CTA_PROTO_ICMP_ID, _TYPE, _CODE
        ports = layer4[4], layer4[5] << 8 | layer4[6]
    return protocol, (int.from_bytes(ends[1], "big"), int.from_bytes(ends[2], "big"), *ports)


def _send(one: socket.socket, octets: bytes, target: tuple[str, int]) -> None:
    """Without a way the router says so to itself only."""
    try:
        one.sendto(octets, target)
    except OSError as error:
        if error.errno not in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EPERM, errno.EACCES):
            raise


def _drain(one: socket.socket) -> list[bytes]:
    frames = []
    while True:
        try:
            frame, address = one.recvfrom(65535)
        except BlockingIOError:
            return frames
        except OSError as error:
            if error.errno != errno.ENETDOWN:  # told once when its interface goes
                raise
            continue
        if address[2] != socket.PACKET_OUTGOING:
            frames.append(frame)
