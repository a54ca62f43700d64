"""What nftables does with a packet, read again from nft(8) and the kernel's code.

Understands the rulesets that our writer emits; anything else is an error.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from tests.verification.chains import ChainRule, Firewall, RuleChain, interface_is
from tests.verification.ios_meaning import NotUnderstood, address
from tests.verification.packets import PORTED, Packet, between, conj, disj, masked, neg, one_of

_WORD = re.compile(r'"[^"]*"|\{|\}|,|;|==|!=|&|[^\s{},;"&=!]+|=|!')
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_TRANSPORT = {"tcp": (6,), "udp": (17,), "dccp": (33,), "sctp": (132,), "udplite": (136,), "th": PORTED}
_VERDICTS = ("accept", "drop", "return", "continue")


def read(text: str) -> Firewall:
    """The firewall of a ruleset; NotUnderstood for anything outside the subset."""
    words = []
    for line in text.splitlines():
        code = _without_comment(line)
        if _WORD.sub("", code).strip():
            raise NotUnderstood(line)
        words += [*_WORD.findall(code), "\n"]
    return _Reader(words).firewall()


def _without_comment(line: str) -> str:
    inside = False
    for position, character in enumerate(line):
        if character == '"':
            inside = not inside
        elif character == "#" and not inside:
            return line[:position]
    return line


class _Reader:
    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.at = 0
        self.result = Firewall()
        self.table = ""
        self.family = 4
        self.sets: dict[tuple[str, str], list[Any]] = {}

    # -- words ----------------------------------------------------------------

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self, expected: str = "") -> str:
        word = self.peek()
        if not word or (expected and word != expected):
            raise NotUnderstood(f"{word!r} instead of {expected!r}")
        self.at += 1
        return word

    def blank(self) -> None:
        while self.peek() in ("\n", ";"):
            self.at += 1

    # -- structure ------------------------------------------------------------

    def firewall(self) -> Firewall:
        self.blank()
        while self.peek():
            word = self.take()
            if word == "delete":
                self.take("table")
                self._table_name()
                self._forget()
            elif word == "table":
                self._table_name()
                if self.peek() == "{":
                    self.take("{")
                    self._table_body()
            else:
                raise NotUnderstood(word)
            self.blank()
        for (table, _), chain in self.result.chains.items():
            for rule in chain.rules:
                if rule.target and (table, rule.target) not in self.result.chains:
                    raise NotUnderstood(f"no chain {rule.target}")
        return self.result

    def _table_name(self) -> None:
        family = self.take()
        if family not in ("ip", "ip6"):
            raise NotUnderstood(family)
        self.family = 4 if family == "ip" else 6
        self.table = f"{family} {self.take()}"

    def _forget(self) -> None:
        self.result.chains = {key: chain for key, chain in self.result.chains.items() if key[0] != self.table}
        self.sets = {key: members for key, members in self.sets.items() if key[0] != self.table}

    def _table_body(self) -> None:
        self.blank()
        while self.peek() != "}":
            kind, name = self.take(), self.take()
            self.take("{")
            if kind == "set":
                self._set(name)
            elif kind == "chain":
                self._chain(name)
            else:
                raise NotUnderstood(kind)
            self.blank()
        self.take("}")

    def _set(self, name: str) -> None:
        members: list[Any] = []
        self.blank()
        while self.peek() != "}":
            word = self.take()
            if word == "type":
                if self.take() != ("ipv4_addr" if self.family == 4 else "ipv6_addr"):
                    raise NotUnderstood("the type of a set")
            elif word == "flags":
                self.take("interval")
            elif word == "comment":
                self.take()
            elif word == "elements":
                self.take("=")
                members = self._braced(self._address)
            elif word != "auto-merge":
                raise NotUnderstood(word)
            self.blank()
        self.take("}")
        self.sets[(self.table, name)] = members

    def _chain(self, name: str) -> None:
        key = (self.table, name)
        if key in self.result.chains:
            raise NotUnderstood(f"the chain {name} stands twice")
        chain = self.result.chains[key] = RuleChain(self.family)
        self.blank()
        while self.peek() != "}":
            if self.peek() == "type":
                self._hook(chain)
            elif self.peek() == "policy":
                self.take()
                policy = self.take()
                if policy not in ("accept", "drop"):
                    raise NotUnderstood(policy)
                chain.accepts = policy == "accept"
            else:
                chain.rules.append(self._rule())
            self.blank()
        self.take("}")

    def _hook(self, chain: RuleChain) -> None:
        for word in ("type", "filter", "hook"):
            self.take(word)
        chain.hook = self.take()
        if chain.hook not in ("prerouting", "input", "forward", "output", "postrouting"):
            raise NotUnderstood(chain.hook)
        self.take("priority")
        word = self.take()
        chain.priority = _PRIORITIES[word] if word in _PRIORITIES else int(word)

    # -- rules ----------------------------------------------------------------

    def _rule(self) -> ChainRule:
        conditions: list[Any] = []
        verdict, target = "", ""
        while self.peek() not in ("\n", ";", "}"):
            word = self.take()
            if verdict and word != "comment":
                raise NotUnderstood(f"{word} after {verdict}")
            if word in _VERDICTS:
                verdict = word
            elif word in ("jump", "goto"):
                verdict, target = word, self.take()
            elif word == "reject":
                verdict = "drop"
                while self.peek() not in ("\n", ";", "}", "comment"):
                    self.take()
            elif word in ("log", "counter", "comment"):
                self._statement(word)
            else:
                conditions.append(self._condition(word))
        return ChainRule(lambda packet: conj(*(test(packet) for test in conditions)), verdict or "continue", target)

    def _statement(self, word: str) -> None:
        if word == "comment":
            self.take()
        elif word == "log":
            if self.peek() == "prefix":
                self.take()
                self.take()
        elif self.peek() == "packets":
            for _ in range(4):
                self.take()

    def _condition(self, word: str) -> Any:
        if word in ("iifname", "oifname"):
            return self._interface("ingress" if word == "iifname" else "egress")
        if word == "@nh":
            for expected in (",", "8" if self.family == 4 else "4", ",", "8"):
                self.take(expected)
            return self._test("traffic_class", 8, int)
        if word == "meta":
            self.take("l4proto")
            return self._test("protocol", 8, int)
        if word == "exthdr":
            self.take("frag")
            self.take("missing")
            # A whole packet has no fragment header; only its first fragment may, and that is no later one.
            return lambda packet: neg(packet.noninitial)
        if word == "frag":
            self.take("frag-off")
            if self.peek() == "!=":
                self.take()
                self.take("0")
                return lambda packet: packet.noninitial
            self.take("0")
            return lambda packet: False  # whole packets here have no fragment header
        if word in ("ip", "ip6"):
            if (word == "ip") != (self.family == 4):
                raise NotUnderstood(word)
            return self._network(self.take())
        if word in ("icmp", "icmpv6"):
            return self._carried((1 if word == "icmp" else 58,), f"icmp_{self._one_of('type', 'code')}", 8)
        if word == "tcp" and self.peek() == "flags":
            self.take()
            return self._carried((6,), "flags", 8)
        if word in _TRANSPORT:
            name = {"sport": "source_port", "dport": "destination_port"}[self._one_of("sport", "dport")]
            return self._carried(_TRANSPORT[word], name, 16)
        raise NotUnderstood(word)

    def _one_of(self, *words: str) -> str:
        word = self.take()
        if word not in words:
            raise NotUnderstood(word)
        return word

    def _carried(self, protocols: tuple[int, ...], name: str, width: int) -> Any:
        # The kernel's fast path reads the first bytes of a later fragment as if they
        # were a header (Linux 6.18): what they say is as good as arbitrary.
        test = self._test(name, width, _number)
        return lambda packet: conj(one_of(packet.protocol, protocols), test(packet))

    def _network(self, word: str) -> Any:
        if word in ("saddr", "daddr"):
            name = "source" if word == "saddr" else "destination"
            if self.peek().startswith("@"):
                members = self.sets[(self.table, self.take()[1:])]
                return lambda packet: disj(*(member(getattr(packet, name)) for member in members))
            return self._addresses(name)
        if word == "dscp":
            return self._view(2, 6)
        if word == "ecn":
            return self._view(0, 2)
        if word == "ttl" or word == "hoplimit":
            return self._test("ttl", 8, int)
        if word == "frag-off":
            self.take("&")
            self.take("0x1fff")
            negated = self.take() == "!="
            self.take("0")
            return lambda packet: packet.noninitial if negated else neg(packet.noninitial)
        raise NotUnderstood(word)

    def _view(self, shift: int, width: int) -> Any:
        """A test of some bits of the traffic class, value by value."""
        negated = self._negated()
        members = self._members(int)
        whole = ((1 << width) - 1) << shift

        def holds(packet: Packet) -> Any:
            found = disj(
                *(
                    masked(packet.traffic_class, value << shift, whole)
                    for low, high in members
                    for value in range(low, high + 1)
                )
            )
            return neg(found) if negated else found

        return holds

    def _negated(self) -> bool:
        if self.peek() in ("!=", "=="):
            return self.take() == "!="
        return False

    def _members(self, number: Any) -> list[tuple[int, int]]:
        def one() -> tuple[int, int]:
            low, _, high = self.take().partition("-")
            return number(low), number(high or low)

        return self._braced(one) if self.peek() == "{" else [one()]

    def _braced(self, one: Any) -> list[Any]:
        self.take("{")
        members = []
        while self.peek() != "}":
            if self.peek() in (",", "\n"):
                self.take()
            else:
                members.append(one())
        self.take("}")
        return members

    def _test(self, name: str, width: int, number: Any) -> Any:
        if self.peek() == "&":
            self.take()
            compared = number(self.take())
            negated = self._one_of("==", "!=") == "!="
            value = number(self.take())
            self._fits(width, compared, value)

            def holds(packet: Packet) -> Any:
                found = masked(getattr(packet, name), value, compared)
                return neg(found) if negated else found

            return holds
        negated = self._negated()
        members = self._members(number)
        for low, high in members:
            self._fits(width, low, high)

        def within(packet: Packet) -> Any:
            found = disj(*(between(getattr(packet, name), low, high) for low, high in members))
            return neg(found) if negated else found

        return within

    @staticmethod
    def _fits(width: int, *numbers: int) -> None:
        if any(number >> width for number in numbers):
            raise NotUnderstood(f"{numbers} in {width} bits")

    def _addresses(self, name: str) -> Any:
        if self.peek() == "&":
            self.take()
            compared = self._number(self.take())
            negated = self._one_of("==", "!=") == "!="
            value = self._number(self.take())

            def holds(packet: Packet) -> Any:
                # A value with bits outside the mask equals nothing.
                found = False if value & ~compared else masked(getattr(packet, name), value, compared)
                return neg(found) if negated else found

            return holds
        negated = self._negated()
        members = self._braced(self._address) if self.peek() == "{" else [self._address()]

        def within(packet: Packet) -> Any:
            found = disj(*(member(getattr(packet, name)) for member in members))
            return neg(found) if negated else found

        return within

    def _number(self, text: str) -> int:
        return address(text) if self.family == 4 else int(ipaddress.IPv6Address(text))

    def _address(self) -> Any:
        word = self.take()
        low, dash, high = word.partition("-")
        if dash:
            first, last = self._number(low), self._number(high)
            if first > last:
                raise NotUnderstood(word)
            return lambda value: between(value, first, last)
        base, slash, length = word.partition("/")
        width = 32 if self.family == 4 else 128
        bits = int(length) if slash else width
        if bits > width:
            raise NotUnderstood(word)
        compared = ((1 << bits) - 1) << (width - bits)
        number = self._number(base) & compared
        return lambda value: masked(value, number, compared)

    def _interface(self, side: str) -> Any:
        negated = self._negated()

        def one() -> str:
            return self.take().strip('"')

        names = self._braced(one) if self.peek() == "{" else [one()]
        self.result.interfaces.update(names)
        return lambda packet: any(interface_is(getattr(packet, side), name) for name in names) != negated


def _number(text: str) -> int:
    return int(text, 16) if text.startswith("0x") else int(text)
