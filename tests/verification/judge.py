"""The judge: do two texts let the same packets pass? Decided by z3 over every packet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from tests.verification import ios_meaning, nftables_meaning, routeros_meaning
from tests.verification.ios_meaning import NotUnderstood
from tests.verification.packets import FORWARD, INPUT, OUTPUT, Packet, conj, disj, every_packet, neg

__all__ = ["Judge", "NotUnderstood", "meaning"]

_READERS = {"ios": ios_meaning.read, "nftables": nftables_meaning.read, "routeros": routeros_meaning.read}
OTHER = "an-interface-nobody-names"


def meaning(text: str, dialect: str) -> Any:
    """The judge's own reading of a text; NotUnderstood when it is outside its subset."""
    try:
        return _READERS[dialect](text)
    except (ValueError, KeyError, IndexError) as error:
        raise NotUnderstood(str(error)) from error


class Judge:
    """Compares a source (its interfaces renamed by ``names``) with other texts.

    ``whole_only``: the claim is about whole packets and first fragments.
    """

    def __init__(self, source: Any, names: Mapping[str, str] | None = None, families: tuple[int, ...] = (4,)) -> None:
        self.source = source
        self.names = dict(names or {})
        self.families = families
        self._back = {there: here for here, there in self.names.items()}

    def contexts(self, target: Any) -> Iterator[tuple[int, str, str, str]]:
        """Family, path, ingress, egress, in the target's names."""
        named = {self.names.get(name, name) for name in self.source.interfaces} | target.interfaces
        interfaces = [*sorted(name.removesuffix("*") + "x" if name.endswith("*") else name for name in named), OTHER]
        for family in self.families:
            for name in interfaces:
                yield family, INPUT, name, ""
                yield family, OUTPUT, "", name
            for ingress, egress in product(interfaces, interfaces):
                yield family, FORWARD, ingress, egress

    def difference(self, target: Any) -> Packet | None:
        """A packet that the two decide differently, or None when there is none at all."""
        asked: dict[int, Any] = {}
        for family, path, ingress, egress in self.contexts(target):
            every, well_formed = every_packet(family)
            packet = replace(every, path=path, ingress=ingress, egress=egress)
            unequal = _unequal(self.source.passes(self.renamed(packet)), target.passes(packet))
            if unequal.get_id() not in asked:
                asked[unequal.get_id()] = unequal  # kept: an id is good only while its term lives
                found = _solved(unequal, well_formed, packet)
                if found is not None:
                    return found
        return None

    def list_difference(self, target: Any, left: str, right: str) -> Packet | None:
        """The same for two lists alone."""
        for family in self.families:
            packet, well_formed = every_packet(family)
            here = _list_of(self.source, left, packet)
            there = _list_of(target, right, packet)
            if here is not None and there is not None:
                found = _solved(_unequal(here, there), well_formed, packet)
                if found is not None:
                    return found
        return None

    def list_verdicts(self, target: Any, left: str, right: str, packet: Packet) -> tuple[bool, bool]:
        """What the two lists do with one packet."""
        return _list_of(self.source, left, packet), _list_of(target, right, packet)

    def renamed(self, packet: Packet) -> Packet:
        """The packet in the source's interface names."""
        return replace(packet, ingress=self._name(packet.ingress), egress=self._name(packet.egress))

    def _name(self, name: str) -> str:
        if name in self._back:
            return self._back[name]
        return OTHER if name in self.names else name

    def verdicts(self, target: Any, packet: Packet) -> tuple[bool, bool]:
        """What the source and the target do with one packet."""
        return self.source.passes(self.renamed(packet)), target.passes(packet)


def _list_of(device: Any, name: str, packet: Packet) -> Any:
    """What a list of that name decides; None when the device has none of the packet's family."""
    if isinstance(device, ios_meaning.Router):
        return device.list_passes(name, packet) if (name, packet.family) in device.lists else None
    keys = [
        key
        for key, chain in device.chains.items()
        if key[1] == name and chain.family == packet.family and not chain.hook
    ]
    return device.list_passes(keys[0], packet) if keys else None


def _unequal(left: Any, right: Any) -> Any:
    """The condition, as a term, under which two conditions differ."""
    import z3

    unequal = disj(conj(left, neg(right)), conj(neg(left), right))
    return z3.BoolVal(unequal) if isinstance(unequal, bool) else unequal


def _solved(condition: Any, well_formed: Any, packet: Packet) -> Packet | None:
    """A well-formed packet under the condition; None when there is none."""
    import z3

    solver = z3.SolverFor("QF_BV")
    solver.add(well_formed, condition)
    answer = solver.check()
    assert answer != z3.unknown, "z3 gave up"
    return _concrete(packet, solver.model()) if answer == z3.sat else None


def _concrete(packet: Packet, model: Any) -> Packet:
    import z3

    values = {}
    for name in packet.__dataclass_fields__:
        value = getattr(packet, name)
        if isinstance(value, z3.ExprRef):
            found = model.eval(value, model_completion=True)
            values[name] = z3.is_true(found) if name == "noninitial" else found.as_long()
    return replace(packet, **values)
