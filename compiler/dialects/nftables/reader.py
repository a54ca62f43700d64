"""Reads nftables rulesets: what ``nft list ruleset`` prints, what people write, what our writer emits.

From nft(8) and the netlink code that nft 1.0.6 makes of ambiguous forms. Every
word is known or an error; commands change the tables in order, and what stands
at the end is the ruleset. The names of tables are ``family name``.
"""

from __future__ import annotations

from typing import Literal

from compiler.addresses import AddressSet
from compiler.dialects.nftables.bodies import Body
from compiler.dialects.nftables.changing import mark_changing_sets
from compiler.dialects.nftables.commands import read_commands
from compiler.dialects.nftables.elements import SetState, value_of
from compiler.dialects.nftables.simulation import SimulatedBody
from compiler.dialects.nftables.state import TableState
from compiler.dialects.nftables.tokens import tokenise
from compiler.errors import InputErrors
from compiler.fields import Family
from compiler.policy.ruleset import NamedSet, Ruleset

__all__ = ["read"]


def read(text: str, source: str, *, unmodelled: Literal["refuse", "bound", "simulate"] = "refuse") -> Ruleset:
    """The ruleset that a text leaves behind.

    Raises InputErrors with every fault: SyntaxFault for words that nft would
    not take there, Unmodelled for what it would. With ``unmodelled="bound"``
    clauses outside the model stay as ``Rule.unmodelled`` where they can only
    narrow a rule. With ``unmodelled="simulate"`` the tree is one for the
    simulator: chains of every type, and each clause with its meaning.
    """
    simulate = unmodelled == "simulate"
    cursor, header = tokenise(text, source)
    state, errors = read_commands(cursor, simulate=simulate)
    mark_changing_sets(cursor, state)
    body = (SimulatedBody if simulate else Body)(cursor, state, errors, keep=unmodelled == "bound")
    chains = body.chains()
    body.check_discarded()
    if body.errors:
        raise InputErrors(tuple(sorted(body.errors, key=lambda error: (error.span.line, error.span.column))))
    sets = tuple(
        _named_set(table, one)
        for table in state.tables.values()
        if not table.is_foreign
        for one in table.sets.values()
        if _holds_addresses(one)
    )
    return Ruleset(source, "nftables", chains, sets, tuple(body.features), header, 0, cursor.lines, simulate)


def _holds_addresses(one: SetState) -> bool:
    known = len(one.kinds) == 1 and one.kinds[0].address and not one.is_map and (not one.unmodelled or one.filled)
    return known and all(element.key for element in one.elements)


def _named_set(table: TableState, one: SetState) -> NamedSet:
    addresses = value_of(one.kinds[0], [element.key[0] for element in one.elements if element.key])
    assert isinstance(addresses, AddressSet)
    family = Family.IPV4 if addresses.width == 32 else Family.IPV6
    return NamedSet(f"{table.family} {table.name}", one.name, family, addresses, one.comment, one.span)
