"""Random intents: two to five uplinks, all methods, and whatever else an intent may say."""

from __future__ import annotations

from random import Random

from compiler.balancing.plan import Plan, make_plan
from compiler.balancing.reading import read_balance
from compiler.errors import GerbangError
from compiler.policy.balance import CLASSIFIER_FIELDS

__all__ = ["CLIENTS", "LANS", "SERVERS", "random_intent", "random_plan"]

LANS = {"lan": ("LAN", "192.168.3"), "guests": ("GUESTS", "192.168.4"), "dmz": ("DMZ", "192.168.5")}
CLIENTS = (7, 8, 9, 10, 66, 130, 200, 254)
SERVERS = (
    "198.51.100.9",
    "198.51.100.77",
    "203.0.113.5",
    "203.0.113.200",
    "100.64.3.4",
    "8.8.8.8",
    "9.9.9.9",
    "1.0.0.1",
)
_TARGETS = ("198.51.100.0/24", "203.0.113.128/25", "203.0.113.5", "100.64.0.0/10", "198.51.100.77")
_PORTS = ("80", "443", "[80, 443]", "5000-6000", "53", "25")
_METHODS = ("nth", "pcc", "ecmp", "failover", "address_list")


def random_plan(seed: str, methods: tuple[str, ...] = _METHODS, *, ftp_only: bool = False) -> tuple[str, Plan]:
    """An intent that its reader takes, and its plan; those that it refuses are passed over."""
    for attempt in range(1000):
        text = random_intent(Random(f"{seed}/{attempt}"), methods)
        try:
            return text, make_plan(read_balance(text, "random.yaml"))
        except GerbangError:
            continue
    raise AssertionError("no intent was readable")


def random_intent(chance: Random, methods: tuple[str, ...] = _METHODS) -> str:
    """The text of one."""
    lans = list(LANS)[: chance.choice((1, 1, 2, 3))]
    count = chance.randint(2, 5)
    lines = [f"line{number}" for number in range(1, count + 1)]
    equal = chance.random() < 0.4
    made = ["networks:"]
    made += [f"  {name}: {{interface: {LANS[name][0]}, address: {LANS[name][1]}.1/24}}" for name in lans]
    made.append("uplinks:")
    for number, name in enumerate(lines, 1):
        more = "" if equal else f", weight: {chance.randint(1, 4)}"
        if chance.random() < 0.3:
            more += (
                f", probes: [9.9.{number}.9, 149.112.{number}.112]"
                if chance.random() < 0.5
                else ", probes: " + (f"9.9.{number}.9")
            )
        if chance.random() < 0.3:
            more += f", dns: 202.134.{number}.155"
        made.append(
            f"  {name}: {{interface: ISP{number}, address: 10.{number}.0.2/24, gateway: 10.{number}.0.1{more}}}"
        )
    maker = _Maker(chance, lans, lines, methods)
    made.append(maker.method(""))
    classes = [maker.traffic(number) for number in range(chance.choice((0, 1, 2, 3)))]
    made += ["classes:", *classes] if classes else []
    exceptions = [maker.exception() for _ in range(chance.choice((0, 0, 1, 2)))]
    made += ["exceptions:", *exceptions] if exceptions else []
    forwards = [maker.forward(number) for number in range(chance.choice((0, 1, 1, 2)))]
    made += ["forwards:", *forwards] if forwards else []
    if chance.random() < 0.2:
        made.append("inside: [10.200.0.0/16]")
    if chance.random() < 0.4:
        made.append(f"router: {{via: {chance.choice(lines)}}}")
    if chance.random() < 0.3:
        made.append("dns: {servers: 8.8.8.8, serve: yes}")
    made.append(f"failback: {chance.choice(('gentle', 'immediate'))}")
    return "\n".join(made) + "\n"


class _Maker:
    def __init__(self, chance: Random, lans: list[str], lines: list[str], methods: tuple[str, ...]) -> None:
        self.chance, self.lans, self.lines, self.methods = chance, lans, lines, methods

    def _client(self, lan: str) -> str:
        net = LANS[lan][1]
        one = self.chance.choice(CLIENTS)
        return self.chance.choice((f"{net}.{one}", f"{net}.64/26", f"{net}.{one & ~7}/29"))

    def _words(self, method: str, indent: str) -> list[str]:
        """What a method says of itself."""
        chance = self.chance
        words = [f"method: {method}"]
        among = self.lines
        if chance.random() < 0.3 and len(self.lines) > 2:
            among = chance.sample(self.lines, chance.randint(2, len(self.lines)))
            words.append(f"among: [{', '.join(among)}]")
        if method == "pcc":
            words.append(f"fields: {chance.choice(tuple(CLASSIFIER_FIELDS))}")
        if method == "address_list":
            chosen = chance.sample(among, chance.randint(1, len(among)))
            members = {name: self._client(chance.choice(self.lans)) for name in chosen}
            if len(set(members.values())) < len(members):
                members = dict(list(members.items())[:1])
            words.append("members: {" + ", ".join(f"{name}: {value}" for name, value in members.items()) + "}")
            words.append(f"otherwise: {chance.choice(among)}")
        return words

    def method(self, indent: str) -> str:
        """Of the file itself."""
        return "\n".join(self._words(self.chance.choice(self.methods), indent))

    def selection(self) -> list[str]:
        """Some of from, to, protocol and ports; never none."""
        chance = self.chance
        words = []
        if chance.random() < 0.3:
            lan = chance.choice(self.lans)
            words.append(f"from: {chance.choice((lan, self._client(lan)))}")
        if chance.random() < 0.4:
            words.append(f"to: {chance.choice(_TARGETS)}")
        if chance.random() < 0.5 or not words:
            protocol = chance.choice(("tcp", "udp", "icmp"))
            words.append(f"protocol: {protocol}")
            if protocol != "icmp" and chance.random() < 0.6:
                words.append(f"ports: {chance.choice(_PORTS)}")
        return words

    def traffic(self, number: int) -> str:
        """A class."""
        words = [f"name: class{number}", *self._words(self.chance.choice(self.methods), ""), *self.selection()]
        return "  - {" + ", ".join(words) + "}"

    def exception(self) -> str:
        """By one line, maybe strictly, or direct."""
        chance = self.chance
        words = self.selection()
        if chance.random() < 0.3:
            words.append("direct: yes")
        else:
            words.append(f"via: {chance.choice(self.lines)}")
            if chance.random() < 0.4:
                words.append("strict: yes")
        return "  - {" + ", ".join(words) + "}"

    def forward(self, number: int) -> str:
        """A port forward to a client."""
        chance = self.chance
        protocol = chance.choice(("tcp", "udp"))
        host = f"{LANS[chance.choice(self.lans)][1]}.{chance.choice(CLIENTS)}"
        ports, to = chance.choice(
            ((f"{8080 + number}", f"{host}:80"), (f"{6000 + 20 * number}-{6010 + 20 * number}", host))
        )
        via = f"via: [{', '.join(chance.sample(self.lines, chance.randint(1, len(self.lines))))}], "
        return f"  - {{{via if chance.random() < 0.4 else ''}protocol: {protocol}, ports: {ports}, to: {to}}}"
