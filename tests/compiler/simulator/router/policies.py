"""Random nft policies over tiny alphabets, with state: what the simulator and the kernel are compared on."""

from __future__ import annotations

from random import Random

__all__ = ["random_policy"]

CLIENTS = {4: ("10.0.0.1", "10.0.0.2", "10.0.0.3"), 6: ("2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3")}
SERVERS = {4: ("10.9.0.1", "10.9.0.2", "10.9.0.3"), 6: ("2001:db8:9::1", "2001:db8:9::2", "2001:db8:9::3")}
OWN = {4: ("198.18.255.1", "198.18.255.5"), 6: ("2001:db8:ffff:1::1", "2001:db8:ffff:2::1")}
PORTS = (21, 22, 53, 80, 600, 1000, 4000, 5000)
POOL = {4: ("192.0.2.10", "192.0.2.13"), 6: ("2001:db8:aa::10", "2001:db8:aa::13")}
WORD = {4: "ip", 6: "ip6"}
ICMP = {4: "icmp", 6: "icmpv6"}

_PRIORITIES = {
    "prerouting": ("raw", "mangle", "-250", "-199", "-120", "-50", "0", "10"),
    "input": ("mangle", "filter", "50", "150", "200"),
    "forward": ("mangle", "filter", "5", "security"),
    "output": ("raw", "mangle", "-50", "filter", "150"),
    "postrouting": ("mangle", "0", "50", "150", "200"),
}


def _one(chance: Random, *choices: str) -> str:
    return chance.choice(choices)


class _Maker:
    def __init__(self, chance: Random, version: int, family: str) -> None:
        self.chance = chance
        self.version = version
        self.family = family

    # -- conditions ----------------------------------------------------------------------

    def address(self) -> str:
        return self.chance.choice(self.chance.choice((CLIENTS, SERVERS))[self.version])

    def addresses(self) -> str:
        one = self.address()
        network = one[: one.rindex("." if self.version == 4 else ":") + 1]
        prefix = f"{network}0/{30 if self.version == 4 else 126}"
        return _one(self.chance, one, f"!= {one}", prefix, f"{{ {', '.join(sorted({one, self.address()}))} }}")

    def port(self) -> str:
        port = self.chance.choice(PORTS)
        return _one(self.chance, str(port), f"!= {port}", f"{port}-{port + 1000}", f"{{ 53, {port + 1} }}")

    def header(self) -> str:
        """A condition on the header."""
        word, chance = WORD[self.version], self.chance
        side = _one(chance, "s", "d")
        end = self.address()
        return _one(
            chance,
            f"{word} {side}addr {self.addresses()}",
            f"tcp {side}port {self.port()}",
            f"udp {side}port {self.port()}",
            f"meta l4proto {_one(chance, 'tcp', 'udp', ICMP[self.version], '{ tcp, udp }', '!= tcp', '47')}",
            f"tcp flags {_one(chance, 'syn / syn,ack', '& (fin|rst) != 0', 'ack', '& (syn|ack) == syn | ack')}",
            f"{ICMP[self.version]} type {_one(chance, 'echo-request', 'echo-reply', 'destination-unreachable')}",
            f"{_one(chance, 'iifname', 'oifname')} {_one(chance, 'west0', 'east0', '!= west0')}",
            f"{word} dscp {_one(chance, 'cs1', '!= cs0', 'af11')}",
            f"{'ip ttl' if self.version == 4 else 'ip6 hoplimit'} {_one(chance, '< 10', '64', '!= 63')}",
            f"{word} {side}addr . udp dport {{ {end} . 53, {end} . 4000-5000 }}",
        )

    def state(self) -> str:
        """A condition on what the router remembers."""
        chance = self.chance
        return _one(
            chance,
            "ct state new",
            "ct state established",
            "ct state established,related",
            "ct state invalid",
            "ct state untracked",
            "ct state != new",
            "ct state related",
            "ct status dnat",
            "ct status snat",
            "ct status seen-reply",
            "ct status assured",
            "ct status & confirmed == 0",
            "ct direction original",
            "ct direction reply",
            "ct mark 0",
            "ct mark != 0",
            "ct mark & 3 == 1",
            "meta mark 1",
            "meta mark & 6 != 0",
            "meta mark != 3",
            "ip saddr @seen" if self.version == 4 else "ip6 saddr @seen6",
            "ip daddr @seen" if self.version == 4 else "ip6 daddr != @seen6",
            f"meta length {_one(chance, '< 60', '40-100', '> 200')}",
            f"fib daddr type {_one(chance, 'local', '!= local', 'unicast')}",
            "fib saddr type local",
        )

    def draw(self) -> str:
        """A condition that counts or hashes."""
        word, chance = WORD[self.version], self.chance
        return _one(
            chance,
            "numgen inc mod 2 0",
            "numgen inc mod 3 != 1",
            f"jhash {word} saddr . {word} daddr mod 3 seed 0x5eed 1",
            f"jhash {word} saddr mod 2 seed 7 0",
            f"jhash {word} daddr . tcp sport mod 2 seed 7 0",
            "limit rate 3/hour burst 4 packets",
            "limit rate over 2/day burst 30 packets",
        )

    # -- effects ---------------------------------------------------------------------------

    def effect(self, hook: str) -> str:
        word, chance = WORD[self.version], self.chance
        effects = [
            "counter",
            f"meta mark set {chance.randint(0, 4)}",
            "meta mark set ct mark",
            "meta mark set mark or 2",
            "meta mark set ct mark and 3 xor 1",
            "ct mark set meta mark",
            f"ct mark set {chance.randint(0, 4)}",
            "ct mark 0 ct mark set numgen inc mod 3 offset 1",
            f"ct mark set jhash {word} saddr . {word} daddr mod 4 seed 0xdeadbeef",
            "meta mark set numgen inc mod 2 map { 0 : 1, 1 : 5 }",
            f"add @seen{'' if self.version == 4 else '6'} {{ {word} {_one(chance, 'saddr', 'daddr')} }}",
        ]
        # Linux 6.18 drops IPv6 for itself whose header was changed behind tracking: its checksum seems wrong.
        if self.version == 4 or hook in ("forward", "output", "postrouting"):
            effects += [
                f"{word} dscp set {_one(chance, 'cs1', 'af11', 'cs0')}",
                f"{'ip ttl' if self.version == 4 else 'ip6 hoplimit'} set {_one(chance, '5', '64', '200')}",
            ]
        if hook in ("forward", "postrouting"):
            effects += [
                "tcp flags syn tcp option maxseg size set 1200",
                "tcp flags & (syn|rst) == syn tcp option maxseg size set rt mtu",
            ]
        return chance.choice(effects)

    def end(self, hook: str, targets: tuple[str, ...]) -> str:
        chance = self.chance
        ends = ["accept", "accept", "drop", "continue", "return", "continue", "accept"]
        for target in targets:
            ends += [f"jump {target}", f"goto {target}"]
        if hook in ("input", "forward"):  # an answer to what the router says itself comes to the router
            kind, family = ("icmp", 4) if self.version == 4 else ("icmpv6", 6)
            words = {
                4: ("port-unreachable", "host-unreachable", "admin-prohibited", "net-prohibited", "prot-unreachable"),
                6: ("port-unreachable", "no-route", "admin-prohibited", "addr-unreachable"),
            }[family]
            ends += [
                "reject",
                "reject with tcp reset",
                f"reject with {kind} type {chance.choice(words)}",
            ]
            if self.family == "inet":
                codes = ("admin-prohibited", "no-route", "host-unreachable", "port-unreachable")
                ends.append(f"reject with icmpx type {chance.choice(codes)}")
        return chance.choice(ends)

    # -- rules --------------------------------------------------------------------------------

    def rule(self, hook: str, targets: tuple[str, ...] = ()) -> str:
        chance = self.chance
        parts = [self.header() for _ in range(chance.choice((0, 1, 1, 2)))]
        if self.version == 4 and chance.random() < 0.05:
            parts = [_one(chance, "ip frag-off & 0x1fff != 0", "ip frag-off & 0x1fff 0")]
        if hook in ("prerouting", "input", ""):
            parts = [part for part in parts if not part.startswith("oifname")]
        if hook in ("output", "postrouting", ""):
            parts = [part for part in parts if not part.startswith("iifname")]
        parts = _agreeing(parts)
        parts += [self.state() for _ in range(chance.choice((0, 0, 1, 1, 2)))]
        if chance.random() < 0.2:
            parts.append(self.draw())
        if chance.random() < 0.4:
            parts.append(self.effect(hook))
        end = self.end(hook, targets)
        if end == "reject with tcp reset":
            parts = [part for part in parts if "udp" not in part and "l4proto" not in part and "icmp" not in part]
            parts.insert(0, "meta l4proto tcp")
        return " ".join((*parts, end if end != "continue" else "counter"))

    def translation(self, hook: str) -> str:
        chance, version = self.chance, self.version
        low, high = POOL[version]
        word = WORD[version]
        parts = _agreeing([self.header() for _ in range(chance.choice((0, 0, 1)))])
        parts = [part for part in parts if "iifname" not in part and "oifname" not in part and "frag" not in part]
        server = chance.choice(SERVERS[version])
        first, last = chance.choice(((5000, 5000), (5000, 5003), (6000, 6999)))
        ports = f"{first}-{last}" if first != last else str(first)
        bracketed = (lambda one: one) if version == 4 else (lambda one: f"[{one}]")
        protocol = _one(chance, "tcp", "udp")
        needs = f"meta l4proto {protocol}"
        if hook == "postrouting":
            choices = [
                ("", "masquerade"),
                ("", f"snat {word} to {low}"),
                ("", f"snat {word} to {low}-{high}"),
                ("", f"snat {word} to {low}-{high} persistent"),
                (needs, f"snat {word} to {bracketed(low)}:{ports}"),
                (needs, f"masquerade to :{ports}"),
                ("", "accept"),
            ]
            if chance.random() < 0.5:
                parts.append(_one(chance, "oifname east0", "oifname west0"))
        elif hook == "prerouting":
            choices = [
                ("", f"dnat {word} to {server}"),
                (needs, f"dnat {word} to {bracketed(server)}:{chance.choice(PORTS)}"),
                (needs, f"dnat {word} to {bracketed(server)}:{ports}"),
                ("", f"dnat {word} to {SERVERS[version][0]}-{SERVERS[version][2]}"),
                (f"tcp dport {chance.choice(PORTS)}", f"redirect to :{chance.choice(PORTS)}"),
                (f"udp dport {chance.choice(PORTS)}", "redirect"),
                ("", f"dnat {word} to numgen inc mod 2 map {{ 0 : {SERVERS[version][0]}, 1 : {server} }}"),
            ]
            if chance.random() < 0.5:
                parts.append("iifname west0")
        elif hook == "input":
            choices = [("", f"snat {word} to {low}"), ("", "accept")]
        else:
            choices = [("", f"dnat {word} to {server}"), ("", "accept")]
        need, verb = chance.choice(choices)
        if need:
            parts = [part for part in parts if "port" not in part and "proto" not in part and "flags" not in part]
            parts = [need, *(part for part in parts if "type" not in part)]
        if chance.random() < 0.2:
            parts.append(_one(chance, "ct mark 0", "meta mark != 1", "numgen inc mod 2 0"))
        return " ".join((*parts, verb))


_PROTOCOL = {"tcp": "tcp", "udp": "udp", "icmp": "icmp", "icmpv6": "icmp", "meta": "meta"}


def _agreeing(parts: list[str]) -> list[str]:
    """Without conditions of two protocols in one rule, which nft refuses."""
    kept: list[str] = []
    seen: set[str] = set()
    for part in parts:
        protocols = {name for word, name in _PROTOCOL.items() if part.split()[0] == word or f" {word} " in part}
        protocols |= {name for name in ("udp", "tcp") if f". {name} " in part}
        if len(protocols | seen) > 1:
            continue
        if part.split()[0] in ("iifname", "oifname") and any(part.split()[0] in other for other in kept):
            continue
        seen |= protocols
        kept.append(part)
    return kept


def random_policy(chance: Random) -> str:
    """One or two tables, a few base chains, maybe translations and a helper."""
    version = chance.choice((4, 4, 4, 6))
    family = WORD[version] if chance.random() < 0.7 else "inet"
    maker = _Maker(chance, version, family)
    lines = [f"table {family} t {{"]
    name = "" if version == 4 else "6"
    lines.append(f" set seen{name} {{\n  type ipv{version}_addr\n  size 65535\n  flags dynamic\n }}")
    helped = chance.random() < 0.3
    if helped:
        lines.append(' ct helper ftp-std {\n  type "ftp" protocol tcp\n }')
    targets = ("first", "second")[: chance.randint(0, 2)]
    for position, target in enumerate(targets):
        rules = [maker.rule("", targets[position + 1 :]) for _ in range(chance.randint(1, 3))]
        rules = [rule for rule in rules if "reject" not in rule]
        lines.append(_chain(target, "", rules))
    hooks = [chance.choice(tuple(_PRIORITIES)) for _ in range(chance.randint(1, 4))]
    for number, hook in enumerate(hooks):
        priority = chance.choice(_PRIORITIES[hook])
        kind = "route" if hook == "output" and chance.random() < 0.5 else "filter"
        rules = [maker.rule(hook, targets) for _ in range(chance.randint(1, 5))]
        if hook in ("prerouting", "output") and priority in ("raw", "-250") and chance.random() < 0.5:
            rules.insert(0, f"{maker.header()} notrack" if chance.random() < 0.7 else "numgen inc mod 5 0 notrack")
            rules[0] = rules[0] if "ifname" not in rules[0] else "notrack"
        if version == 6 and hook in ("output", "postrouting"):  # what a kernel says unasked is not to be counted
            rules.insert(0, "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, mld2-listener-report } accept")
        policy = "drop" if chance.random() < 0.15 else "accept"
        head = f"type {kind} hook {hook} priority {priority}; policy {policy};"
        lines.append(_chain(f"c{number}", head, rules))
    if helped:
        lines.append(
            _chain("h", "type filter hook prerouting priority -160;", ['tcp dport 21 ct helper set "ftp-std"'])
        )
    if chance.random() < 0.75:
        for hook, priority in (
            ("postrouting", "srcnat"),
            ("prerouting", "dstnat"),
            ("input", "100"),
            ("output", "-100"),
        ):
            likely = {"postrouting": 0.8, "prerouting": 0.6}.get(hook, 0.1)
            if chance.random() < likely:
                rules = [maker.translation(hook) for _ in range(chance.randint(1, 3))]
                lines.append(_chain(f"n{hook}", f"type nat hook {hook} priority {priority};", rules))
    lines.append("}")
    return "\n".join(lines) + "\n"


def _chain(name: str, head: str, rules: list[str]) -> str:
    body = "".join(f"  {line}\n" for line in ([head] if head else []) + rules)
    return f" chain {name} {{\n{body} }}"
