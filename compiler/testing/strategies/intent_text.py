"""Balance intents as text: one to five uplinks, all methods, and whatever else an intent may say.

``pick`` chooses one of a sequence whose simplest member stands first:
``Random(seed).choice``, or Hypothesis's ``draw(sampled_from(…))``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from compiler.policy.balance import CLASSIFIER_FIELDS

__all__ = ["CLIENTS", "LANS", "METHODS", "Pick", "intent_text"]

T = TypeVar("T")


class Pick(Protocol):
    """Chooses one of several, of which the first is the simplest."""

    def __call__(self, among: Sequence[T], /) -> T: ...


LANS = {"lan": ("LAN", "192.168.3"), "guests": ("GUESTS", "192.168.4"), "dmz": ("DMZ", "192.168.5")}
CLIENTS = (7, 8, 9, 10, 66, 130, 200, 254)
METHODS = ("failover", "ecmp", "pcc", "nth", "address_list")
_TARGETS = ("198.51.100.0/24", "203.0.113.128/25", "203.0.113.5", "100.64.0.0/10", "198.51.100.77")
_PORTS = ("80", "443", "[80, 443]", "5000-6000", "53", "25")


def intent_text(pick: Pick, methods: tuple[str, ...] = METHODS, *, uplinks: tuple[int, ...] = (2, 3, 4, 5)) -> str:
    """The text of one. Some say what :func:`compiler.balancing.reading.read_balance` refuses, as people do."""
    return _Text(pick, methods, uplinks).whole()


class _Text:
    def __init__(self, pick: Pick, methods: tuple[str, ...], uplinks: tuple[int, ...]) -> None:
        self._pick = pick
        self._methods = methods
        self._lans = list(LANS)[: pick((1, 1, 2, 3))]
        self._most = max(uplinks)
        self._lines = [f"line{number}" for number in range(1, pick(uplinks) + 1)]

    def whole(self) -> str:
        """All lines."""
        made = ["networks:"]
        made += [f"  {name}: {{interface: {LANS[name][0]}, address: {LANS[name][1]}.1/24}}" for name in self._lans]
        made.append("uplinks:")
        weighted = self._maybe(5, 3)
        # All are drawn and some left out, so that with fewer lines the later choices stay what they were: a shrinker
        # that leaves a line out would else change everything behind it.
        made += [self._uplink(number, weighted) for number in range(1, self._most + 1)][: len(self._lines)]
        made += self._words(self._pick(self._methods))
        made += self._listed("classes", (0, 1, 2, 3), self._traffic)
        made += self._listed("exceptions", (0, 0, 1, 2), lambda _: self._exception())
        made += self._listed("forwards", (0, 1, 1, 2), self._forward)
        made += ["inside: [10.200.0.0/16]"] if self._maybe(5) else []
        made += [f"router: {{via: {self._pick(self._lines)}}}"] if self._maybe(5, 2) else []
        made += ["dns: {servers: 8.8.8.8, serve: yes}"] if self._maybe(3) else []
        made.append(f"failback: {self._pick(('gentle', 'immediate'))}")
        return "\n".join(made) + "\n"

    # -- choosing ------------------------------------------------------------------------------

    def _maybe(self, of: int, times: int = 1) -> bool:
        """True ``times`` in so many; False is the simpler."""
        return self._pick((False,) * (of - times) + (True,) * times)

    def _some(self, among: Sequence[str], least: int = 1) -> list[str]:
        """Several, in any order."""
        left, found = list(among), []
        for _ in range(self._pick(range(least, len(left) + 1))):
            found.append(left.pop(self._pick(range(len(left)))))
        return found

    def _listed(self, head: str, counts: tuple[int, ...], one: Callable[[int], str]) -> list[str]:
        made = [one(number) for number in range(self._pick(counts))]
        return [f"{head}:", *made] if made else []

    # -- parts ---------------------------------------------------------------------------------

    def _uplink(self, number: int, weighted: bool) -> str:
        more = f", weight: {self._pick((1, 2, 3, 4))}" if weighted else ""
        if self._maybe(3):
            both = f"[9.9.{number}.9, 149.112.{number}.112]"
            more += f", probes: {self._pick((f'9.9.{number}.9', both))}"
        more += f", dns: 202.134.{number}.155" if self._maybe(3) else ""
        network = f"address: 10.{number}.0.2/24, gateway: 10.{number}.0.1"
        return f"  line{number}: {{interface: ISP{number}, {network}{more}}}"

    def _client(self, lan: str) -> str:
        net, one = LANS[lan][1], self._pick(CLIENTS)
        return self._pick((f"{net}.{one}", f"{net}.64/26", f"{net}.{one & ~7}/29"))

    def _words(self, method: str) -> list[str]:
        """What a method says of itself."""
        words, among = [f"method: {method}"], self._lines
        if self._maybe(3) and len(self._lines) > 2:
            among = self._some(self._lines, 2)
            words.append(f"among: [{', '.join(among)}]")
        if method == "pcc":
            words.append(f"fields: {self._pick(tuple(CLASSIFIER_FIELDS))}")
        if method == "address_list":
            members = {name: self._client(self._pick(self._lans)) for name in self._some(among)}
            if len(set(members.values())) < len(members):
                members = dict(list(members.items())[:1])
            words.append("members: {" + ", ".join(f"{name}: {value}" for name, value in members.items()) + "}")
            words.append(f"otherwise: {self._pick(among)}")
        return words

    def _selection(self) -> list[str]:
        """Some of from, to, protocol and ports; never none."""
        words = []
        if self._maybe(3):
            lan = self._pick(self._lans)
            words.append(f"from: {self._pick((lan, self._client(lan)))}")
        if self._maybe(5, 2):
            words.append(f"to: {self._pick(_TARGETS)}")
        if self._maybe(2) or not words:
            protocol = self._pick(("tcp", "udp", "icmp"))
            words.append(f"protocol: {protocol}")
            if protocol != "icmp" and self._maybe(5, 3):
                words.append(f"ports: {self._pick(_PORTS)}")
        return words

    def _traffic(self, number: int) -> str:
        """A class."""
        words = [f"name: class{number}", *self._words(self._pick(self._methods)), *self._selection()]
        return "  - {" + ", ".join(words) + "}"

    def _exception(self) -> str:
        """By one line, maybe strictly, or direct."""
        words = self._selection()
        if self._maybe(3):
            words.append("direct: yes")
        else:
            words.append(f"via: {self._pick(self._lines)}")
            words += ["strict: yes"] if self._maybe(5, 2) else []
        return "  - {" + ", ".join(words) + "}"

    def _forward(self, number: int) -> str:
        """A port forward to a client."""
        protocol = self._pick(("tcp", "udp"))
        host = f"{LANS[self._pick(self._lans)][1]}.{self._pick(CLIENTS)}"
        one, several = 8080 + number, 6000 + 20 * number
        ports, to = self._pick(((f"{one}", f"{host}:80"), (f"{several}-{several + 10}", host)))
        via = f"via: [{', '.join(self._some(self._lines))}], " if self._maybe(5, 2) else ""
        return f"  - {{{via}protocol: {protocol}, ports: {ports}, to: {to}}}"
