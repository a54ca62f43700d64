"""The pipeline of chains: Linux's hooks, and RouterOS's, which differ in when fragments are put together.

Linux: raw (-300) runs after defragmentation (-400) and before tracking (-200).
RouterOS: raw sees fragments; tracking puts them together. An output packet is
routed anew when its chains have changed its mark: in Linux behind the chain of
type route, in RouterOS behind the whole hook.
"""

from __future__ import annotations

from collections.abc import Callable

from compiler.fields import TCP, Family
from compiler.policy.network import Network
from compiler.policy.ruleset import Chain, ChainKind, Hook, Rule, Ruleset, Verdict
from compiler.policy.stateful import (
    AssignHelper,
    DirectionIs,
    HelperIs,
    MarkIn,
    MarkNamed,
    Register,
    SetMark,
    SkipFirewall,
    State,
    StateIn,
    StatusIs,
    Translate,
)
from compiler.simulator.frame import Datagram
from compiler.simulator.router.chains import Chains, Decision
from compiler.simulator.router.connections import Connection
from compiler.simulator.router.ftp_helper import FtpHelper
from compiler.simulator.router.journal import Ends
from compiler.simulator.router.memory import Memory
from compiler.simulator.router.nat import AddressTranslation
from compiler.simulator.router.sequence_shift import adjust
from compiler.simulator.router.surroundings import Surroundings
from compiler.simulator.router.transit import Transit

__all__ = ["Netfilter", "Station"]

_DEFRAGMENT, _TRACK, _NAT_FIRST, _NAT_LAST, _CONFIRM = -400, -200, -100, 100, 1 << 31
_NAT_PRIORITY = {
    Hook.PREROUTING: _NAT_FIRST,
    Hook.OUTPUT: _NAT_FIRST,
    Hook.INPUT: _NAT_LAST,
    Hook.POSTROUTING: _NAT_LAST,
}

_FTP = 21
_UNSHIFTED = [None, None]

Station = Callable[[Transit], bool]


class Netfilter:
    """The base chains of a ruleset between tracking and translation, hook by hook."""

    def __init__(self, ruleset: Ruleset, network: Network, memory: Memory, around: Surroundings) -> None:
        self._memory = memory
        self._around = around
        self._is_routeros = ruleset.dialect == "routeros"
        for one in ruleset.sets:
            memory.address_set(one.table, one.name).fixed = one.addresses
        self.chains = Chains(ruleset, memory, around.mtu)
        self._tracked = _tracked(ruleset, network)
        base = tuple(sorted(_newest_first(ruleset), key=lambda one: one.priority))
        self._filters = tuple(chain for chain in base if chain.kind is not ChainKind.NAT)
        translating = tuple(chain for chain in base if chain.kind is ChainKind.NAT)
        self.nat = AddressTranslation(
            self.chains, translating, memory, memory.routes, keeps_interface=not self._is_routeros
        )
        self._ftp = FtpHelper(memory.connections, memory.random)
        self._hooks = {hook: self._stations(hook) for hook in Hook}

    @property
    def is_tracking(self) -> bool:
        """Whether connections are tracked at all."""
        return bool(self._tracked)

    def stations(self, hook: Hook) -> tuple[Station, ...]:
        """What a packet goes through at a hook, in order; a station answers False when the packet is gone."""
        return self._hooks[hook]

    def passes(self, hook: Hook, transit: Transit) -> bool:
        """Send the packet through a hook; False when it is gone (or waits for the rest of its fragments)."""
        for station in self._hooks[hook]:  # noqa: SIM110  # all() with a generator costs twice as much
            if not station(transit):
                return False
        return True

    # -- the stations of a hook ---------------------------------------------------------------

    def _stations(self, hook: Hook) -> tuple[Station, ...]:
        stations: list[tuple[int, Station]] = [
            (chain.priority, self._chain(chain)) for chain in self._filters if chain.hook is hook
        ]
        if self._tracked:
            if hook in (Hook.PREROUTING, Hook.OUTPUT):
                defragment = _TRACK - 1 if self._is_routeros else _DEFRAGMENT
                stations += [(defragment, self._defragment), (_TRACK, self._track)]
            if hook in _NAT_PRIORITY and self.nat.families:
                stations.append((_NAT_PRIORITY[hook], self._translation(hook)))
            if hook in (Hook.INPUT, Hook.POSTROUTING):
                stations.append((_CONFIRM, self._confirm))
        stations.sort(key=lambda one: one[0])
        if hook is Hook.OUTPUT and self._is_routeros:
            stations.append((_CONFIRM, self._reroute))
        return tuple(station for _, station in stations)

    def _chain(self, chain: Chain) -> Station:
        chains, around, families = self.chains, self._around, chain.families
        routes = chain.kind is ChainKind.ROUTE
        decide, compiled = chains.decide, chains.compiled(chain)
        everything, accepts = len(families) == len(Family), chain.policy is Verdict.ACCEPT

        def station(transit: Transit) -> bool:
            if transit.skips or not (everything or transit.datagram.family in families):
                return True
            rule = decide(compiled, transit)
            if rule is None:
                return accepts or self._goes_on(transit, chain.name, Decision(chain.policy, None))
            return rule.verdict is Verdict.ACCEPT or self._goes_on(
                transit, chain.name, Decision(rule.verdict, rule.rule)
            )

        def rerouting(transit: Transit) -> bool:
            before = transit.mark, transit.datagram.destination, transit.datagram.source
            if not station(transit):
                return False
            if before != (transit.mark, transit.datagram.destination, transit.datagram.source):
                return around.rerouted(transit)
            return True

        return rerouting if routes else station

    def _goes_on(self, transit: Transit, chain: str, decision: Decision) -> bool:
        verdict, rule = decision
        if verdict is Verdict.REJECT and rule is not None:
            self._around.journal.dropped(transit, "rejected", rule)
            self._around.complaints.rejected(transit, rule)
            return False
        if verdict in (Verdict.DROP, Verdict.REJECT):
            reason = f"rule of chain {chain}" if rule is not None else f"policy of chain {chain}"
            self._around.journal.dropped(transit, reason, rule)
            return False
        return True

    def _defragment(self, transit: Transit) -> bool:
        datagram = transit.datagram
        if not datagram.more_fragments and not datagram.fragment_offset:
            return True
        if datagram.family not in self._tracked:
            return True
        whole = self._around.reassembled(datagram)
        if whole is None:
            return False
        transit.datagram = whole
        transit.largest_fragment = self._around.largest_fragment()
        return True

    def _track(self, transit: Transit) -> bool:
        if transit.datagram.family not in self._tracked or transit.state is not None:
            return True
        self._memory.connections.track(transit)
        connection = transit.connection
        if connection is not None:
            transit.skips = connection.skips
            if self._is_routeros and transit.state is State.NEW and _is_ftp(connection):
                connection.helper = "ftp"  # /ip firewall service-port has it on by default
        if self.chains.notice is not None and transit.state is not None:
            self._around.journal.noted(transit, "conntrack", transit.state.value)
        return True

    def _translation(self, hook: Hook) -> Station:
        """The station of translation: what is settled is done here, the rest by :meth:`_translate`."""
        translate, chains = self._translate, self.chains
        source = hook in (Hook.POSTROUTING, Hook.INPUT)
        slowly = hook is Hook.OUTPUT

        def station(transit: Transit) -> bool:
            connection = transit.connection
            if connection is None:
                return True
            if not transit.is_related:
                if connection.is_plain:
                    return True
                if connection.is_settled and not slowly and chains.notice is None:
                    if not source:
                        change = connection.destinations[transit.is_reply]
                        if change is not None:
                            transit.datagram.destination, transit.datagram.destination_port = change
                        return True
                    if not connection.interface or transit.is_reply or connection.interface == transit.egress:
                        change = connection.sources[transit.is_reply]
                        if change is not None:
                            transit.datagram.source, transit.datagram.source_port = change
                        return True
            return translate(transit, hook)

        return station

    def _translate(self, transit: Transit, hook: Hook) -> bool:
        is_output = hook is Hook.OUTPUT
        if not is_output and self.chains.notice is None:
            dropped = self.nat.station(transit, hook)
            return dropped is None or self._goes_on(transit, "nat", dropped)
        before = _ends(transit.datagram)
        dropped = self.nat.station(transit, hook)
        if dropped is not None:
            return self._goes_on(transit, "nat", dropped)
        after = _ends(transit.datagram)
        if before == after:
            return True
        self._around.journal.translated(transit, before, after)
        # Where an output packet goes may have changed with its destination.
        return self._around.rerouted(transit) if is_output and before[1][0] != after[1][0] else True

    def _confirm(self, transit: Transit) -> bool:
        """Let the helper read the segment, make up for what it has changed, and enter a new connection (nf_confirm)."""
        connection = transit.connection
        if connection is None or connection.is_plain or transit.is_related:
            return True
        if connection.helper and not self._ftp.watch(transit):
            self._around.journal.dropped(transit, "the FTP helper cannot follow it")
            return False
        if connection.shifts != _UNSHIFTED and transit.datagram.protocol == TCP:
            shifts = connection.shifts
            adjust(transit.datagram, shifts[transit.is_reply], shifts[not transit.is_reply])
        if transit.is_reply or "confirmed" in connection.status:
            return True
        if not self._memory.connections.confirm(connection):
            self._around.journal.dropped(transit, "another connection has the same tuple")
            return False
        return True

    def _reroute(self, transit: Transit) -> bool:
        return self._around.rerouted(transit) if transit.routing_mark else True


def _newest_first(ruleset: Ruleset) -> list[Chain]:
    """Base chains in the order in which those of one priority run: nft's newest first (nf_hook_entries_grow)."""
    chains = [chain for chain in ruleset.chains if chain.hook]
    return chains[::-1] if ruleset.dialect == "nftables" else chains


def _is_ftp(connection: Connection) -> bool:
    return connection.original.protocol == TCP and connection.original.destination_port == _FTP


def _ends(datagram: Datagram) -> Ends:
    return (datagram.source, datagram.source_port), (datagram.destination, datagram.destination_port)


_TRACKING = (StateIn, StatusIs, DirectionIs, HelperIs, Translate, SkipFirewall, AssignHelper)


def _tracked(ruleset: Ruleset, network: Network) -> frozenset[Family]:
    """The families whose connections are tracked: for what some rule asks, or because the device says so."""
    if network.tracking is not None:
        return frozenset(Family) if network.tracking else frozenset()
    families: set[Family] = set()
    for chain in ruleset.chains:
        routeros = ruleset.dialect == "routeros" and bool(chain.rules)
        if routeros or any(_needs_tracking(rule) for rule in chain.rules):
            families |= chain.families
    return frozenset(families)


def _needs_tracking(rule: Rule) -> bool:
    for clause in rule.unmodelled:
        meaning = clause.meaning
        if isinstance(meaning, _TRACKING):
            return True
        if isinstance(meaning, (MarkIn, MarkNamed, SetMark)) and meaning.register is Register.CONNECTION:
            return True
        if isinstance(meaning, SetMark) and getattr(meaning.value, "register", None) is Register.CONNECTION:
            return True
    return False
