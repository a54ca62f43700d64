"""A rule under construction: each clause narrows it; at the end it is one match."""

from __future__ import annotations

from compiler.addresses import AddressSet
from compiler.dialects.nftables.patterns import MOST_PIECES
from compiler.fields import PORT_PROTOCOLS, WIDTH, Family
from compiler.integers import IntegerSet, full
from compiler.policy.access_list import Clause
from compiler.policy.match import ANY, InterfaceSet, Match
from compiler.policy.ruleset import Verdict

__all__ = ["Alternative", "Conflict", "Draft", "TooMuch"]

FieldValue = AddressSet | IntegerSet | InterfaceSet | Family | bool

_FULL = {name: full(width) for name, width in WIDTH.items()}
_POSITION = {name: position for position, name in enumerate(Match._fields)}


class Conflict(Exception):
    """Two clauses of one rule that nft itself refuses together."""


class TooMuch(Exception):
    """A combination that the model has no form for."""


class Alternative:
    """One element of a concatenation or map: more conditions, and perhaps a verdict.

    ``effect`` is what it changes, for the simulator.
    """

    __slots__ = ("clause", "effect", "fields", "target", "verdict")

    def __init__(
        self,
        fields: tuple[tuple[str, FieldValue], ...] = (),
        verdict: Verdict | None = None,
        target: str = "",
        clause: Clause | None = None,
        effect: Clause | None = None,
    ) -> None:
        self.fields = fields
        self.verdict = verdict
        self.target = target
        self.clause = clause
        self.effect = effect


class Draft:
    """The conditions so far. ``family`` is None until a clause asks for one (inet tables)."""

    __slots__ = (
        "answer",
        "choices",
        "comment",
        "destination_set",
        "family",
        "fields",
        "fragment_header",
        "log",
        "nat",
        "source_set",
        "table_family",
        "target",
        "transport",
        "unmodelled",
        "verdict",
    )

    def __init__(self, table_family: Family | None) -> None:
        self.table_family = table_family
        self.family: Family | None = table_family
        self.fields: dict[str, FieldValue] = {}
        self.choices: list[tuple[Alternative, ...]] = []
        self.unmodelled: tuple[Clause, ...] = ()
        self.verdict: Verdict | None = None
        self.target = ""
        self.log: str | None = None
        self.answer = ""
        self.comment = ""
        self.source_set = ""
        self.destination_set = ""
        self.transport = False
        self.fragment_header = ""
        self.nat = False

    def require_family(self, family: Family) -> None:
        """Only packets of ``family``. Raises Conflict when the rule asks for the other one."""
        if self.family is None:
            self.family = family
        elif self.family is not family:
            raise Conflict(f"IPv{family.value} in a rule or table for IPv{self.family.value}")

    def require_protocols(self, protocols: IntegerSet) -> None:
        """Only packets of these protocols. Raises Conflict when the rule already chose another."""
        have = self.fields.get("protocol")
        if have is None:
            self.fields["protocol"] = protocols
            return
        assert isinstance(have, IntegerSet)
        both = have.intersection(protocols)
        if not both.intervals and have.single() is not None:
            raise Conflict(f"protocols {_numbers(have)} and {_numbers(protocols)} in one rule")
        self.fields["protocol"] = both

    def read_transport(self) -> None:
        """The kernel finds no transport header in non-initial fragments: the rule misses them."""
        self.narrow("noninitial", False)

    def narrow(self, field: str, value: FieldValue) -> None:
        """Keep only packets whose ``field`` lies in ``value``."""
        have = self.fields.get(field)
        self.fields[field] = value if have is None or have == value else _both(have, value)

    def match(self, extra: tuple[tuple[str, FieldValue], ...] = ()) -> Match | None:
        """The match, with what one alternative adds; full sets become None. None: the wrong family.

        Raises TooMuch when ports are read whatever the protocol is.
        """
        fields, family = self.fields, self.family
        if extra:
            kept = dict(fields)
            for name, value in extra:
                if isinstance(value, Family):
                    if family not in (None, value):
                        return None
                    family = value
                else:
                    self.narrow(name, value)
            fields, self.fields = self.fields, kept
        if self.transport:
            protocol = fields.get("protocol")
            if not isinstance(protocol, IntegerSet) or not protocol.issubset(PORT_PROTOCOLS):
                raise TooMuch("th sport/dport without meta l4proto of protocols that have ports")
        values: list[object] = list(ANY)
        for name, value in fields.items():
            if not (value == _FULL.get(name) or (isinstance(value, AddressSet) and value.is_any)):
                values[_POSITION[name]] = value
        if self.table_family is None:
            values[0] = family
        return Match._make(values)


def _both(have: FieldValue, value: FieldValue) -> FieldValue:
    if isinstance(have, IntegerSet) and isinstance(value, IntegerSet):
        return have.intersection(value)
    if isinstance(have, AddressSet) and isinstance(value, AddressSet):
        if have.wildcards and value.wildcards and len(have.wildcards) * len(value.wildcards) > MOST_PIECES:
            raise TooMuch(f"conditions on one address that together stand for more than {MOST_PIECES:,} wildcards")
        return have.intersection(value)
    if isinstance(have, InterfaceSet) and isinstance(value, InterfaceSet):
        return _both_interfaces(have, value)
    # Fragments other than the first, and a transport header: no packet is both.
    raise Conflict("a condition on non-initial fragments and one on the transport header, which they lack")


def _both_interfaces(have: InterfaceSet, value: InterfaceSet) -> InterfaceSet:
    if have.negated and value.negated:
        return InterfaceSet(have.names | value.names, True)
    if any(name.endswith("*") for name in have.names | value.names):
        raise TooMuch("two conditions on one interface, one of them with a wildcard")
    if have.negated:
        have, value = value, have
    return InterfaceSet(frozenset(name for name in have.names if value.contains(name)))


def _numbers(numbers: IntegerSet) -> str:
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in numbers.intervals[:5])
