"""Random labs: a star of clients, a Linux router with a random policy, up to three ISPs, servers behind them.

Each is text, as a user would write it. Everything begins at moments of its own
and takes no longer than a link needs, so that the order of connections, and
with it what counters and hashes give them, is determined.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

__all__ = ["random_lab"]

SERVER = "192.0.2.9"
PORTS = (7, 19, 80, 81, 443)
"""Of which the server serves 7, 19 and 80."""
_SPACING = 15
"""Milliseconds between the beginnings of activities."""


def random_lab(seed: int) -> str:
    """The text of a lab file; the same for the same seed."""
    return _Draft(Random(f"lab {seed}")).text(seed)


class _Draft:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.isps = random.choice((0, 1, 1, 2, 2, 3))
        self.clients = [f"10.0.0.{11 + number}" for number in range(random.randint(1, 4))]
        self.modems = [random.random() < 0.5 for _ in range(self.isps)]
        self.outer = [f"isp{number + 1}" for number in range(self.isps)] or ["wan"]
        self.masquerades = self.isps > 1 or random.random() < 0.6
        self.forwards = random.random() < 0.6

    # -- the lab -------------------------------------------------------------------

    def text(self, seed: int) -> str:
        parts = [
            f"name: random-{seed}",
            "duration: 3 s",
            "nodes:",
            *self._nodes(),
            "links:",
            *self._links(),
            "traffic:",
            *self._traffic(),
        ]
        return "\n".join(parts) + "\n"

    def _nodes(self) -> Iterator[str]:
        for number, address in enumerate(self.clients):
            services = "[http, udp-echo, echo]"
            yield f"  c{number}: {{kind: server, address: {address}/24, gateway: 10.0.0.1, services: {services}}}"
        yield "  switch: {kind: switch}"
        yield "  gate:"
        yield "    kind: router"
        yield "    configuration: |"
        yield from (f"      {line}" for line in self._policy())
        yield "    interfaces:"
        yield "      lan: 10.0.0.1/24"
        if not self.isps:
            yield "      wan: 192.0.2.1/24"
            yield f"  server: {{kind: server, address: {SERVER}/24, gateway: 192.0.2.1, services: {_SERVICES}}}"
            return
        for number in range(self.isps):
            yield f"      isp{number + 1}: 192.168.{number + 1}.2/24"
        yield from self._ways()
        yield from self._providers()

    def _ways(self) -> Iterator[str]:
        yield "    routes:"
        for number in range(self.isps):
            yield f"      - {{to: default, via: 192.168.{number + 1}.1, metric: {number + 1}}}"
            yield f"      - {{to: default, via: 192.168.{number + 1}.1, table: line{number + 1}}}"
        yield "    rules:"
        yield "      - {priority: 90, table: main, suppress: 0}"
        for number in range(self.isps):
            yield f"      - {{priority: {100 + number}, mark: {number + 1}, table: line{number + 1}}}"

    def _providers(self) -> Iterator[str]:
        routes = ["    routes:"]
        for number, is_modem in enumerate(self.modems):
            network, outside = f"192.168.{number + 1}", f"198.51.100.{4 * number + 2}"
            gateway = f"198.51.100.{4 * number + 1}"
            if is_modem:
                yield (
                    f"  p{number + 1}: {{kind: modem, interfaces: {{lan: {network}.1/24, line: {outside}/30}}, "
                    f"uplink: line, gateway: {gateway}, routes: [{{to: 10.0.0.0/24, via: {network}.2}}]}}"
                )
            else:
                yield (
                    f"  p{number + 1}: {{kind: router, interfaces: {{lan: {network}.1/24, line: {outside}/30}}, "
                    f"routes: [{{to: default, via: {gateway}}}, {{to: 10.0.0.0/24, via: {network}.2}}]}}"
                )
                routes.append(f"      - {{to: {network}.0/24, via: {outside}}}")
            routes.append(f"      - {{to: 10.0.0.0/24, via: {outside}, metric: {number + 1}}}")
        yield "  internet:"
        yield "    kind: router"
        yield "    interfaces:"
        yield "      servers: 192.0.2.1/24"
        for number in range(self.isps):
            yield f"      line{number + 1}: 198.51.100.{4 * number + 1}/30"
        yield from routes
        yield f"  server: {{kind: server, address: {SERVER}/24, gateway: 192.0.2.1, services: {_SERVICES}}}"

    def _links(self) -> Iterator[str]:
        for number in range(len(self.clients)):
            yield f"  - [c{number}, switch]"
        yield "  - [switch, gate:lan]"
        if not self.isps:
            yield "  - [gate:wan, server]"
            return
        for number in range(self.isps):
            yield f"  - [gate:isp{number + 1}, p{number + 1}:lan]"
            yield f"  - [p{number + 1}:line, internet:line{number + 1}]"
        yield "  - [internet:servers, server]"

    # -- traffic -------------------------------------------------------------------

    def _traffic(self) -> Iterator[str]:
        random = self.random
        for number in range(random.randint(6, 12)):
            client, server = self._ends()
            head = (
                f"name: t{number}, client: {client}, server: {server}, at: {50 + number * _SPACING} ms, timeout: 300 ms"
            )
            kind = random.choice(("connect", "connect", "connect", "http", "ping", "udp", "upload"))
            if kind == "connect":
                ports = random.sample(range(20000, 20010), 3)
                more = f", source_ports: {ports}" if random.random() < 0.5 else ""
                port = random.choice((*PORTS, 8080, 8080))
                yield f"  - {{{head}, connect: {port}, connections: 3, every: 4 ms{more}}}"
            elif kind == "http":
                port = 8080 if server.startswith("192.168") else 80
                yield f"  - {{{head}, http: {{octets: {random.randint(1, 5000)}, port: {port}}}}}"
            elif kind == "ping":
                yield f"  - {{{head}, ping: {{count: 2, every: 5 ms, size: {random.choice((56, 56, 2000))}}}}}"
            elif kind == "udp":
                port = random.choice((7, 9, 53, 8080))
                yield f"  - {{{head}, udp: {{rate: 1 Mbit/s, size: 100, count: 3, port: {port}}}}}"
            else:
                yield f"  - {{{head}, upload: {random.randint(1, 5000)}}}"

    def _ends(self) -> tuple[str, str]:
        random = self.random
        client = f"c{random.randrange(len(self.clients))}"
        choice = random.random()
        if choice < 0.6:
            return client, SERVER
        if choice < 0.7:
            return client, "10.0.0.1"
        if choice < 0.85:
            inside = self.random.choice(self.clients)
            return "server", inside
        line = random.randrange(max(self.isps, 1))
        return "server", f"192.168.{line + 1}.2" if self.isps else "192.0.2.1"

    # -- the policy -----------------------------------------------------------------

    def _policy(self) -> Iterator[str]:
        random = self.random
        yield "table inet filter {"
        yield "\tchain more {"
        yield from (f"\t\t{rule}" for rule in self._rules(random.randint(0, 3)))
        yield "\t}"
        yield "\tchain forward {"
        yield f"\t\ttype filter hook forward priority filter; policy {random.choice(('accept', 'drop'))};"
        if random.random() < 0.7:
            yield "\t\tct state established,related accept"
        # Something that asks for the connection, so that fragments are put together for this table in any case.
        yield f"\t\tct state invalid {random.choice(('drop', 'counter'))}"
        yield from (f"\t\t{rule}" for rule in self._rules(random.randint(0, 6), jumps=True))
        yield "\t}"
        if random.random() < 0.4:
            yield "\tchain input {"
            yield f"\t\ttype filter hook input priority filter; policy {random.choice(('accept', 'accept', 'drop'))};"
            yield from (f"\t\t{rule}" for rule in self._rules(random.randint(0, 3)))
            yield "\t}"
        yield "}"
        yield "table ip shape {"
        yield from self._marking()
        yield from self._translation()
        yield "}"

    def _marking(self) -> Iterator[str]:
        random = self.random
        if not self.isps or random.random() < 0.2:
            return
        count = self.isps
        seed = random.getrandbits(32)
        how = random.choice(
            (
                f"numgen inc mod {count} offset 1",
                f"jhash ip saddr mod {count} seed 0x{seed:x} offset 1",
                f"jhash ip saddr . ip daddr mod {count} seed 0x{seed:x} offset 1",
                str(random.randint(1, count)),
            )
        )
        yield "\tchain balance {"
        yield "\t\ttype filter hook prerouting priority mangle; policy accept;"
        for number in range(count):
            yield f'\t\tiifname "isp{number + 1}" ct state new ct mark 0 ct mark set {number + 1}'
        yield f'\t\tiifname "lan" ip daddr != 10.0.0.0/24 ct state new ct mark 0 ct mark set {how}'
        yield '\t\tiifname "lan" ct mark != 0 meta mark set ct mark'
        yield "\t}"

    def _translation(self) -> Iterator[str]:
        random = self.random
        if self.forwards:
            yield "\tchain prerouting {"
            yield "\t\ttype nat hook prerouting priority dstnat; policy accept;"
            for outer in self.outer:
                for protocol, port, to in (("tcp", 8080, 80), ("udp", 8080, 7)):
                    if random.random() < 0.7:
                        client = random.choice(self.clients)
                        yield f'\t\tiifname "{outer}" {protocol} dport {port} dnat to {client}:{to}'
            if random.random() < 0.3:
                yield f'\t\tiifname "lan" tcp dport 443 dnat to {SERVER}:80'
            yield "\t}"
        if self.masquerades:
            yield "\tchain postrouting {"
            yield "\t\ttype nat hook postrouting priority srcnat; policy accept;"
            for number, outer in enumerate(self.outer):
                own = f"192.168.{number + 1}.2" if self.isps else "192.0.2.1"
                yield f'\t\toifname "{outer}" {random.choice(("masquerade", f"snat to {own}"))}'
            yield "\t}"

    def _rules(self, count: int, *, jumps: bool = False) -> Iterator[str]:
        for _ in range(count):
            yield self._rule(jumps=jumps)

    def _rule(self, *, jumps: bool) -> str:
        random = self.random
        is_tcp = False
        words = []
        if random.random() < 0.5:
            one = random.choice(self.clients)
            words.append(
                random.choice(
                    (
                        f"ip saddr {one}",
                        f"ip saddr != {one}",
                        f"ip daddr {one}",
                        f"ip saddr {{ {', '.join(self.clients)} }}",
                        "ip saddr & 255.255.255.1 == 10.0.0.1",
                        "ip daddr & 0.0.0.6 == 0.0.0.2",
                        f"ip daddr {SERVER}",
                    )
                )
            )
        if random.random() < 0.3:
            outer = random.choice(self.outer)
            words.append(random.choice(('iifname "lan"', f'oifname "{outer}"', 'iifname != "lan"')))
        if random.random() < 0.7:
            what = random.choice(
                (
                    "tcp dport 80",
                    "tcp dport { 7, 80 }",
                    "tcp dport 1-100",
                    "tcp sport 20000-20005",
                    "tcp flags & (syn | ack) == syn",
                    "udp dport 7",
                    "udp dport != 9",
                    "icmp type echo-request",
                    "meta l4proto { icmp, udp }",
                )
            )
            is_tcp = what.startswith("tcp")
            words.append(what)
        if random.random() < 0.3:
            words.append(
                random.choice(("ct state new", "ct state established", "ct status dnat", "ct direction reply"))
            )
        verdicts = ["accept", "accept", "drop", "reject", "reject with icmp admin-prohibited", "counter", "return"]
        verdicts += ["reject with icmp host-unreachable", "reject with icmpx port-unreachable"]
        verdicts += ["reject with tcp reset"] * (2 if is_tcp else 0) + ["jump more"] * (2 if jumps else 0)
        return " ".join((*words, random.choice(verdicts)))


_SERVICES = "[http, echo, source, discard, udp-echo, sink]"
