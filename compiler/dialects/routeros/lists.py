"""Address lists and interface lists: what a name stands for.

Interface lists take in the lists of ``include``, then lose those of
``exclude``, then take in their members (MikroTik documentation, "Interface
Lists"). An address list without a row in the text may be filled by
what the text does not show, so it is as unknown as an undefined interface list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from compiler.addresses import AddressSet
from compiler.dialects.routeros.facts import INTERFACE_GROUPS
from compiler.dialects.routeros.faults import MatcherFault
from compiler.dialects.routeros.fills import Fills
from compiler.dialects.routeros.matchers import bounds
from compiler.dialects.routeros.script import Script
from compiler.dialects.routeros.tables import Item, Table
from compiler.errors import InputError, Unmodelled
from compiler.fields import Family
from compiler.policy.match import InterfaceSet

__all__ = ["AddressLists", "InterfaceLists"]

_HOST_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")


@dataclass
class AddressList:
    """One list: its known addresses, and why there may be others."""

    pairs: list[tuple[int, int]] = field(default_factory=list)
    doubt: str = ""
    item: Item | None = None
    comment: str = ""


class AddressLists:
    """The lists of one family, after the script has run. ``fills`` says which lists something adds to."""

    def __init__(self, script: Script, table: Table, family: Family, fills: Fills) -> None:
        self.family = family
        self.faults: list[InputError] = []
        self._fills = fills
        self.lists: dict[str, AddressList] = {}
        self._sets: dict[str, AddressSet] = {}
        for item in table.items:
            if item.disabled:
                self.lists.setdefault(item.properties["list"], AddressList())
            else:
                self._take(script, item)

    def _take(self, script: Script, item: Item) -> None:
        properties = item.properties
        name, text = properties["list"], properties["address"]
        known = self.lists.get(name)
        if known is None:
            known = self.lists[name] = AddressList()
        if known.item is None:
            known.item, known.comment = item, properties.get("comment", "")
        if len(properties) > 2 and (properties.get("timeout") or properties.get("dynamic") in ("yes", "true")):
            known.doubt = f"{text} is in the address list {name} for a time only"
            return
        try:
            known.pairs.append(bounds(text, self.family))
        except MatcherFault as fault:
            if _HOST_NAME.fullmatch(text):
                known.doubt = f"the address list {name} holds the DNS name {text}"
            else:
                self.faults.append(item.fault(script, str(fault), "address", fault.kind))

    def addresses(self, name: str) -> AddressSet:
        """The addresses of a list. Raises MatcherFault when they cannot be known."""
        known = self.lists.get(name)
        doubt = self.doubt(name)
        if doubt:
            raise MatcherFault(f"{doubt}: not modelled", Unmodelled)
        if known is None:
            menu = "/ip" if self.family is Family.IPV4 else "/ipv6"
            why = f"the address list {name} is not defined in this text: give {menu} firewall address-list too"
            raise MatcherFault(why, Unmodelled)
        return self.known_addresses(name)

    def doubt(self, name: str) -> str:
        """Why a list may hold others than its rows say, or ``""``."""
        known = self.lists.get(name)
        return self._fills.address_list(name) or (known.doubt if known is not None else "")

    def known_addresses(self, name: str) -> AddressSet:
        """The addresses of a list as far as they stand in the text."""
        found = self._sets.get(name)
        if found is None:
            known = self.lists.get(name)
            found = self._sets[name] = AddressSet.of(self.family.width, known.pairs if known else ())
        return found


class InterfaceLists:
    """The interface lists, after the script has run."""

    def __init__(self, lists: Table, members: Table, fills: Fills) -> None:
        self._fills = fills
        self._lists = {item.properties["name"]: item for item in lists.items}
        self._members: dict[str, set[str]] = {}
        for item in members.items:
            if not item.disabled:
                self._members.setdefault(item.properties["list"], set()).add(item.properties["interface"])
        self._found: dict[str, InterfaceSet] = {}

    def interfaces(self, name: str, above: tuple[str, ...] = ()) -> InterfaceSet:
        """The interfaces of a list. Raises MatcherFault when they cannot be known."""
        if name == "all":
            return InterfaceSet(frozenset(), True)
        if name == "none":
            return InterfaceSet(frozenset())
        if name in ("static", "dynamic"):
            raise MatcherFault(f"the interface list {name} depends on the running router: not modelled", Unmodelled)
        if name in above:
            raise MatcherFault(f"the interface list {name} includes itself")
        if name not in self._found:
            self._found[name] = self._resolve(name, (*above, name))
        return self._found[name]

    def _resolve(self, name: str, above: tuple[str, ...]) -> InterfaceSet:
        doubt = self._fills.interface_list(name)
        if doubt:
            raise MatcherFault(f"{doubt}: not modelled", Unmodelled)
        item = self._lists.get(name)
        if item is None:
            raise MatcherFault(
                f"the interface list {name} is not defined in this text: give /interface list and its members too",
                Unmodelled,
            )
        names: frozenset[str] = frozenset()
        negated = False  # the set is ``names``, or all but ``names``
        for included in filter(None, item.properties.get("include", "").split(",")):
            names, negated = _union(names, negated, *self.interfaces(included, above))
        for excluded in filter(None, item.properties.get("exclude", "").split(",")):
            others, all_but = self.interfaces(excluded, above)
            # A \\ B is the complement of (complement of A) + B.
            names, negated = _union(names, not negated, others, all_but)
            negated = not negated
        members = self._members.get(name, set())
        for member in members:
            if member.endswith("*") or member == "all" or member in INTERFACE_GROUPS:
                raise MatcherFault(f"the interface list {name} holds {member}: not modelled", Unmodelled)
        # ``*1F`` stands for an interface that no longer exists: no packet comes from there.
        present = frozenset(member for member in members if not member.startswith("*"))
        return InterfaceSet(*_union(names, negated, present, False))


def _union(
    left: frozenset[str], left_negated: bool, right: frozenset[str], right_negated: bool
) -> tuple[frozenset[str], bool]:
    if left_negated and right_negated:
        return left & right, True
    if left_negated:
        return left - right, True
    if right_negated:
        return right - left, True
    return left | right, False
