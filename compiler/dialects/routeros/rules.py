"""From a row of a firewall table to rules of the tree."""

from __future__ import annotations

from itertools import product

from compiler.addresses import AddressSet
from compiler.dialects.routeros.facts import ACTIONS, ANSWERS, INERT, MATCHERS
from compiler.dialects.routeros.faults import MatcherFault
from compiler.dialects.routeros.lists import AddressLists, InterfaceLists
from compiler.dialects.routeros.matchers import Effect, FieldValue, effect
from compiler.dialects.routeros.script import Script
from compiler.dialects.routeros.tables import Item
from compiler.errors import InputError, Unmodelled
from compiler.fields import Family
from compiler.integers import EMPTY, IntegerSet
from compiler.policy.access_list import Clause
from compiler.policy.match import LAYER4, InterfaceSet, Match, intersect
from compiler.policy.ruleset import Rule, Verdict
from compiler.source import Span

__all__ = ["RuleReader"]

_VERDICTS = {
    "accept": Verdict.ACCEPT,
    "drop": Verdict.DROP,
    "reject": Verdict.REJECT,
    "jump": Verdict.JUMP,
    "return": Verdict.RETURN,
    "log": Verdict.CONTINUE,
    "passthrough": Verdict.CONTINUE,
    "add-src-to-address-list": Verdict.CONTINUE,
    "add-dst-to-address-list": Verdict.CONTINUE,
    # These do more than decide; the nearest verdict stands beside the clause that says so.
    "tarpit": Verdict.DROP,
    "notrack": Verdict.ACCEPT,
    "fasttrack-connection": Verdict.ACCEPT,
}
_MORE_THAN_A_VERDICT = frozenset({"tarpit", "notrack", "fasttrack-connection"})
_LIST_FIELDS = {
    "src-address-list": "source",
    "dst-address-list": "destination",
    "in-interface-list": "ingress",
    "out-interface-list": "egress",
}
_CARRIERS = {
    "ports": (frozenset(LAYER4["source_port"].members()), "protocol=tcp, udp, udp-lite, sctp or dccp"),
    "tcp": (frozenset(LAYER4["tcp_flags"].members()), "protocol=tcp"),
    "icmp": (frozenset(LAYER4["icmp_type"].members()), "protocol=icmp (icmpv6 in /ipv6)"),
}


class RuleReader:
    """Reads the rows of one table (``kind`` is raw or filter)."""

    def __init__(
        self,
        script: Script,
        kind: str,
        family: Family,
        addresses: AddressLists,
        interfaces: InterfaceLists,
        bound: bool,
    ) -> None:
        self.script = script
        self.kind = kind
        self.family = family
        self.addresses = addresses
        self.interfaces = interfaces
        self.bound = bound
        self.faults: list[InputError] = []
        self._list_effects: dict[tuple[str, str], Effect] = {}

    def rules(self, item: Item) -> list[Rule]:
        """The rules that a row stands for: one, or two where a matcher has two alternatives."""
        properties = item.properties
        action = properties.get("action") or "accept"
        if action not in ACTIONS[self.kind]:
            expected = ", ".join(sorted(ACTIONS[self.kind]))
            self._fault(item, f"{action!r} is no action of this table: expected {expected}", "action")
            return []
        verdict = _VERDICTS[action]
        disabled = "disabled" in properties and self._yes(item, "disabled")
        doubts: list[tuple[str, str]] = []
        matches = self._matches(item, doubts)
        if action in _MORE_THAN_A_VERDICT:
            doubts.append(("action", f"action={action} does more than decide about the packet: not modelled"))
        if doubts and not (self.bound or disabled or verdict is Verdict.CONTINUE):
            for name, why in doubts:
                self._fault(item, why, name, Unmodelled)
            return []
        log = None
        if action == "log" or ("log" in properties and self._yes(item, "log")):
            log = properties.get("log-prefix", "")
        source_set, destination_set = self._names(properties)
        target = self._target(item) if action == "jump" else ""
        answer = self._answer(item) if action == "reject" else ""
        clauses = tuple(
            [Clause(f"{name}={properties.get(name, '')}", item.span(self.script, name)) for name, _ in doubts]
        )
        span = Span(self.script.source, item.statement.line)
        comment = properties.get("comment", "")
        return [
            Rule(match, verdict, target, log, answer, comment, disabled, source_set, destination_set, clauses, span)
            for match in matches
        ]

    def _fault(self, item: Item, message: str, name: str, kind: type[InputError] | None = None) -> None:
        fault = item.fault(self.script, message, name) if kind is None else item.fault(self.script, message, name, kind)
        self.faults.append(fault)

    def _yes(self, item: Item, name: str) -> bool:
        text = item.properties.get(name) or "no"
        if text not in ("yes", "no", "true", "false"):
            self._fault(item, f"{name}={text}: expected yes or no", name)
        return text in ("yes", "true")

    def _names(self, properties: dict[str, str]) -> tuple[str, str]:
        """The address lists that alone say the source and the destination."""
        source, destination = properties.get("src-address-list", ""), properties.get("dst-address-list", "")
        if source.startswith("!") or properties.get("src-address"):
            source = ""
        if destination.startswith("!") or properties.get("dst-address"):
            destination = ""
        return source, destination

    def _target(self, item: Item) -> str:
        target = item.properties.get("jump-target", "")
        if not target:
            self._fault(item, "action=jump without jump-target", "action")
        return target

    def _answer(self, item: Item) -> str:
        default = "icmp-network-unreachable" if self.family is Family.IPV4 else "icmp-no-route"
        answer = item.properties.get("reject-with") or default
        if answer not in ANSWERS[self.family]:
            expected = ", ".join(sorted(ANSWERS[self.family]))
            self._fault(item, f"reject-with={answer}: expected one of {expected}", "reject-with")
        return answer

    def _matches(self, item: Item, doubts: list[tuple[str, str]]) -> list[Match]:
        fields: dict[str, FieldValue] = {}
        choices: list[Effect] = []
        carriers: list[tuple[str, str]] = []
        for name, text in item.properties.items():
            if name in INERT or not text:
                continue
            asked = self._asked(item, name, text, doubts)
            if asked is None:
                continue
            if asked.carrier:
                carriers.append((name, asked.carrier))
            if len(asked.alternatives) > 1:
                choices.append(asked)
                continue
            for field, value in asked.alternatives[0]:
                if value is not None:
                    fields[field] = _both(field, fields[field], value) if field in fields else value
        if carriers:
            self._carried(item, fields, carriers)
        base = Match(**fields)  # type: ignore[arg-type]  # each effect gives its field a value of its type
        return [base] if not choices else _alternatives(base, choices)

    def _asked(self, item: Item, name: str, text: str, doubts: list[tuple[str, str]]) -> Effect | None:
        """The effect of one matcher; None when it is outside the model or wrong, which is noted."""
        if name not in MATCHERS:
            doubts.append((name, f"{name}={text} is not modelled"))
            return None
        try:
            return self._list(name, text) if name in _LIST_FIELDS else effect(self.family, name, text)
        except MatcherFault as fault:
            if fault.kind is Unmodelled:
                doubts.append((name, str(fault)))
            else:
                self._fault(item, str(fault), name)
            return None

    def _carried(self, item: Item, fields: dict[str, FieldValue], carriers: list[tuple[str, str]]) -> None:
        """Layer-4 matchers want a protocol that carries them, and never match later fragments."""
        protocol = fields.get("protocol")
        known = protocol.single() if isinstance(protocol, IntegerSet) else None
        for name, carrier in carriers:
            allowed, expected = _CARRIERS[carrier]
            if known not in allowed or (carrier == "icmp" and known != self._icmp):
                self._fault(item, f"{name} needs {expected}", name)
        if fields.get("noninitial") is True:
            fields["protocol"] = EMPTY  # a later fragment has no layer 4: nothing matches
        fields["noninitial"] = False

    @property
    def _icmp(self) -> int:
        return 1 if self.family is Family.IPV4 else 58

    def _list(self, name: str, text: str) -> Effect:
        known = self._list_effects.get((name, text))
        if known is None:
            known = self._list_effects[name, text] = self._resolve(name, text)
        return known

    def _resolve(self, name: str, text: str) -> Effect:
        negated = text.startswith("!")
        body = text[1:] if negated else text
        value: AddressSet | InterfaceSet | None
        if name.endswith("address-list"):
            addresses = self.addresses.addresses(body)
            addresses = addresses.complement() if negated else addresses
            value = None if addresses.is_any else addresses
        else:
            names, all_but = self.interfaces.interfaces(body)
            value = InterfaceSet(names, all_but != negated)
            if value == InterfaceSet(frozenset(), True):
                value = None
        return Effect((((_LIST_FIELDS[name], value),),))


def _alternatives(base: Match, choices: list[Effect]) -> list[Match]:
    """One match for each way to satisfy all matchers that offer several."""
    found = []
    for combination in product(*(asked.alternatives for asked in choices)):
        match: Match | None = base
        for alternative in combination:
            part = Match(**dict(alternative))  # type: ignore[arg-type]  # each field has a value of its type
            match = match and intersect(match, part)
        found.append(match or base._replace(protocol=EMPTY))
    return found


def _both(field: str, left: FieldValue, right: FieldValue) -> FieldValue:
    """What satisfies two matchers of one field; an empty set where nothing does."""
    both = intersect(Match(**{field: left}), Match(**{field: right}))  # type: ignore[arg-type]  # of that field's type
    if both is not None:
        value: FieldValue = getattr(both, field)
        return value
    if isinstance(left, AddressSet):
        return AddressSet.of(left.width)
    return InterfaceSet(frozenset()) if isinstance(left, InterfaceSet) else EMPTY
