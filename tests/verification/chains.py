"""Chains of rules, as netfilter runs them: what nftables and RouterOS share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.verification.packets import FORWARD, INPUT, Packet, conj, disj, neg

HOOKS = {
    FORWARD: ("prerouting", "forward", "postrouting"),
    INPUT: ("prerouting", "input"),
    "output": ("output", "postrouting"),
}


@dataclass
class ChainRule:
    """A rule: a condition as a function of the packet, and what it does."""

    condition: Any
    verdict: str
    """accept, drop, jump, goto, return, or continue."""
    target: str = ""


@dataclass
class RuleChain:
    """A chain; with a hook it is a base chain."""

    family: int
    rules: list[ChainRule] = field(default_factory=list)
    hook: str = ""
    priority: int = 0
    accepts: bool = True


@dataclass
class Firewall:
    """All chains, keyed by (table, name)."""

    chains: dict[tuple[str, str], RuleChain] = field(default_factory=dict)
    interfaces: set[str] = field(default_factory=set)

    def passes(self, packet: Packet) -> Any:
        """Whether the firewall lets the packet pass: a boolean, or a formula."""
        result: Any = True
        for hook in HOOKS[packet.path]:
            here = [
                (chain.priority, key)
                for key, chain in self.chains.items()
                if chain.hook == hook and chain.family == packet.family
            ]
            seen = packet.routed() if packet.path == FORWARD and hook != "prerouting" else packet
            for _, key in sorted(here, key=lambda one: one[0]):
                accepted, dropped, _ = self._run(key, _visible(seen, hook), 0)
                fallen = neg(disj(accepted, dropped))
                passes = disj(accepted, fallen) if self.chains[key].accepts else accepted
                result = conj(result, passes)
        return result

    def list_passes(self, key: tuple[str, str], packet: Packet) -> Any:
        """One chain alone: all but what it drops."""
        _, dropped, _ = self._run(key, packet, 0)
        return neg(dropped)

    def _run(self, key: tuple[str, str], packet: Packet, depth: int) -> tuple[Any, Any, Any]:
        """The conditions under which the chain accepts, drops, or comes back."""
        if depth > 16:
            raise RecursionError("jumps deeper than the kernel allows")
        reach: Any = True
        accepted: Any = False
        dropped: Any = False
        for rule in self.chains[key].rules:
            hit = conj(reach, rule.condition(packet))
            if hit is False:
                continue
            if rule.verdict == "accept":
                accepted, ended = disj(accepted, hit), hit
            elif rule.verdict == "drop":
                dropped, ended = disj(dropped, hit), hit
            elif rule.verdict == "return":
                ended = hit
            elif rule.verdict in ("jump", "goto"):
                inner_accepted, inner_dropped, _ = self._run((key[0], rule.target), packet, depth + 1)
                accepted = disj(accepted, conj(hit, inner_accepted))
                dropped = disj(dropped, conj(hit, inner_dropped))
                ended = hit if rule.verdict == "goto" else conj(hit, disj(inner_accepted, inner_dropped))
            else:
                continue
            reach = conj(reach, neg(ended))
            if reach is False:
                break
        return accepted, dropped, reach


def _visible(packet: Packet, hook: str) -> Packet:
    """A hook knows no interface that is not decided yet, or that there never was."""
    from dataclasses import replace

    if hook in ("prerouting", "input"):
        packet = replace(packet, egress="")
    if hook == "input" and packet.family == 4:
        # ip_local_deliver reassembles before the hook; ip6_input does not (both tried with packets).
        return replace(packet, noninitial=False)
    if hook == "output":
        return replace(packet, ingress="")
    return packet


def interface_is(name: str, pattern: str) -> bool:
    """Whether an interface has that name, or begins as the pattern ``ppp*`` does."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
