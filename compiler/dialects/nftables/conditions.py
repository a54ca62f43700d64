"""Conditions: ``key [& mask] [operator] value | { set } | @set | vmap …``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from compiler.addresses import AddressSet
from compiler.dialects.nftables.datatypes import DataType
from compiler.dialects.nftables.draft import Alternative, Draft, FieldValue
from compiler.dialects.nftables.elements import (
    Atom,
    Element,
    SetState,
    UnknownMembers,
    integer_members,
    plain_value,
    read_atom,
    read_elements,
    value_of,
)
from compiler.dialects.nftables.flags import COMPARISONS, compared, read_flags
from compiler.dialects.nftables.keys import Key
from compiler.dialects.nftables.patterns import TooManyPieces, other_values, pattern
from compiler.dialects.nftables.tokens import Cursor
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import InterfaceSet
from compiler.policy.ruleset import Verdict

__all__ = [
    "MOST_ALTERNATIVES",
    "alternatives",
    "check_disjoint",
    "concatenation",
    "condition",
    "families_of",
    "find_set",
    "presuppose",
    "read_value",
]

MOST_ALTERNATIVES = 65536
"""Rules that one rule may be read as: each element of a concatenation makes one."""

MOST_OVERLAPPING = 1024

Sets = Mapping[str, SetState]


def presuppose(draft: Draft, key: Key) -> None:
    """What reading the key asks of the packet: family, protocol, a transport header."""
    if key.family is not None:
        # nft adds the family of icmp and icmpv6 only where the protocol is not yet chosen.
        chosen = key.protocols is not None and draft.fields.get("protocol") == key.protocols
        if key.protocols is None or (draft.table_family is None and not chosen):
            draft.require_family(key.family)
    if key.protocols is not None:
        draft.require_protocols(key.protocols)
        draft.read_transport()
    elif key.ports:
        draft.transport = True
        draft.read_transport()


def condition(cursor: Cursor, draft: Draft, key: Key, sets: Sets) -> None:
    """Read what follows the key and narrow the draft."""
    presuppose(draft, key)
    words = cursor.words
    word = words[cursor.position]
    if word == "vmap":
        _verdict_map(cursor, draft, (key,), sets)
        return
    if key.field == "tcp_flags":
        if word[:1] == "@":
            raise cursor.unmodelled("a named set of TCP flags", cursor.position)
        draft.narrow("tcp_flags", read_flags(cursor))
        return
    if word in ("&", "and"):
        value: FieldValue = _masked(cursor, key, sets)
    else:
        operator = COMPARISONS.get(word)
        if operator is not None:
            cursor.position += 1
            word = words[cursor.position]
        if word == "{" or word[:1] == "@":
            value = _members(cursor, draft, key, sets, negated=operator == "!=")
            if operator not in (None, "==", "!="):
                raise cursor.fault(f"'{operator}' with a set: expected == or !=")
        else:
            value = read_value(cursor, key.kind, operator)
    if key.field == "family":
        for family in families_of(cursor, key, value):
            draft.require_family(family)
        return
    draft.narrow(key.field, _placed(key, value))


def read_value(cursor: Cursor, kind: DataType, operator: str | None) -> FieldValue:
    """One value or range, compared."""
    first = cursor.position
    if kind.width and operator is None and cursor.words[first + 1] != "-":
        plain = plain_value(kind, cursor.words[first])
        if plain is not None:
            cursor.position += 1
            return plain
    if kind.name == "iface_index" and cursor.words[first].isdecimal():
        return _no_interface(cursor, operator)
    atom = read_atom(cursor, kind)
    if isinstance(atom, str):
        if operator not in (None, "==", "!="):
            raise cursor.fault(f"'{operator}' with an interface: expected == or !=", first)
        return InterfaceSet(frozenset((atom,)), operator == "!=")
    if operator in (None, "=="):
        return value_of(kind, (atom,))
    if operator == "!=":
        return _negated(kind, value_of(kind, (atom,)))
    if atom[0] != atom[1]:
        raise cursor.fault(f"'{operator}' with a range or prefix: expected one value", first)
    if kind.address:
        low, high = {"<": (0, atom[0] - 1), "<=": (0, atom[0])}.get(operator, (atom[0], (1 << kind.width) - 1))
        return AddressSet.of(kind.width, ((low + (operator == ">"), high),))
    return compared(operator, atom[0], kind.width)


def _no_interface(cursor: Cursor, operator: str | None) -> InterfaceSet:
    """``0``, the number of no interface: a packet of the router itself has no way in."""
    first = cursor.position
    if cursor.words[first] != "0":
        raise cursor.unmodelled("an interface by its number: the number changes from boot to boot", first)
    if operator not in (None, "==", "!="):
        raise cursor.fault(f"'{operator}' with an interface: expected == or !=", first)
    cursor.position += 1
    return InterfaceSet(frozenset({""}), operator == "!=")


@lru_cache(maxsize=65536)
def _negated(kind: DataType, value: IntegerSet | AddressSet | InterfaceSet) -> FieldValue:
    if isinstance(value, InterfaceSet):
        return InterfaceSet(value.names, not value.negated)
    return value.complement() if isinstance(value, AddressSet) else value.complement(kind.width)


def _placed(key: Key, value: FieldValue) -> FieldValue:
    """The value where the field of the model has it: DSCP and ECN are parts of one octet."""
    shift, width = key.octet
    if width == 8 or not isinstance(value, IntegerSet):
        return value
    return _in_octet(value, shift, width)


@lru_cache(maxsize=4096)
def _in_octet(value: IntegerSet, shift: int, width: int) -> IntegerSet:
    if shift + width == 8:
        return IntegerSet.of((low << shift, (high << shift) | ((1 << shift) - 1)) for low, high in value.intervals)
    return IntegerSet.of((octet, octet) for octet in range(256) if value.contains(octet >> shift & (1 << width) - 1))


def _members(cursor: Cursor, draft: Draft, key: Key, sets: Sets, *, negated: bool) -> FieldValue:
    """``{ … }`` or ``@name`` as a value."""
    words, first = cursor.words, cursor.position
    if words[first] == "{":
        try:
            last = words.index("}", first)
        except ValueError:
            raise cursor.fault("'{' is never closed", first) from None
        value = integer_members(key.kind, tuple(words[first + 1 : last])) if key.kind.width else None
        if value is not None:
            cursor.position = last + 1
            return _negated(key.kind, value) if negated else value
        elements = read_elements(cursor, (key.kind,), is_map=False)
        if not elements:
            raise cursor.fault("an empty set matches nothing: nft refuses it", first)
    else:
        state = find_set(cursor, sets, (key,), is_map=False)
        elements = state.elements
        cursor.position += 1
        if not negated and key.field in ("source", "destination") and key.field not in draft.fields:
            setattr(draft, f"{key.field}_set", state.name)
    if any(element.key is None for element in elements):
        atoms: list[Atom] = [(0, (1 << key.kind.width) - 1)] if key.kind.width else []
        if not atoms:
            raise cursor.unmodelled("'*' in a set of interfaces", first)
    else:
        atoms = [element.key[0] for element in elements if element.key]
    found = value_of(key.kind, atoms)
    return _negated(key.kind, found) if negated else found


def find_set(cursor: Cursor, sets: Sets, keys: tuple[Key, ...], *, is_map: bool) -> SetState:
    """The named set or map at the cursor, when its type fits.

    Raises UnknownMembers when it does, but holds what the text does not tell.
    """
    name = cursor.words[cursor.position][1:]
    state = sets.get(name)
    if state is None or state.is_map != is_map:
        raise cursor.fault(f"the table has no {'map' if is_map else 'set'} {name!r}")
    wanted = tuple(key.kind for key in keys)
    fits = tuple(_base(kind) for kind in state.kinds) == tuple(_base(kind) for kind in wanted)
    # Kinds outside the model are not in the list of kinds.
    if state.unmodelled and (fits or len(state.kinds) < len(wanted)):
        raise UnknownMembers(f"the set {name!r}: {state.unmodelled}")
    if not fits:
        have = " . ".join(kind.name for kind in state.kinds)
        raise cursor.fault(f"{name!r} holds {have}, not {' . '.join(kind.name for kind in wanted)}")
    return state


def _base(kind: DataType) -> tuple[int, bool]:
    return kind.width, kind.address


def _masked(cursor: Cursor, key: Key, sets: Sets) -> FieldValue:
    """``& mask [operator] value``: the bits of the mask are compared."""
    words, kind = cursor.words, key.kind
    first = cursor.position
    if not kind.width or key.text == "ip6 dscp":
        raise cursor.unmodelled(f"a mask on {key.text}: nft lists it as text with another meaning", first - 1)
    cursor.position += 1
    mask_atom = read_atom(cursor, kind)
    if isinstance(mask_atom, str) or mask_atom[0] != mask_atom[1]:
        raise cursor.fault("a range where a mask is expected", first + 1)
    mask = mask_atom[0]
    operator = COMPARISONS.get(words[cursor.position])
    if operator is not None:
        cursor.position += 1
    if operator not in (None, "==", "!="):
        raise cursor.unmodelled(f"'{operator}' after a mask", first, cursor.position)
    if words[cursor.position] == "{":
        elements = read_elements(cursor, (kind,), is_map=False)
        atoms = [element.key[0] if element.key else (0, (1 << kind.width) - 1) for element in elements]
    elif words[cursor.position][:1] == "@":
        state = find_set(cursor, sets, (key,), is_map=False)
        cursor.position += 1
        atoms = [element.key[0] if element.key else (0, (1 << kind.width) - 1) for element in state.elements]
    else:
        atoms = [read_atom(cursor, kind)]
    values = []
    for atom in atoms:
        if isinstance(atom, str) or atom[0] != atom[1]:
            raise cursor.unmodelled("a mask compared with a range", first, cursor.position - 1)
        values.append(atom[0])
    find = other_values if operator == "!=" else pattern
    try:
        return find(kind, mask, tuple(values))
    except TooManyPieces as too_many:
        raise cursor.unmodelled(str(too_many), first, cursor.position - 1) from None


def families_of(cursor: Cursor, key: Key, value: FieldValue) -> list[Family]:
    """The one family that ``meta nfproto`` or ``meta protocol`` leaves; none when it leaves both."""
    left = _families(key, value)
    if not left:
        raise cursor.fault(f"{key.text} leaves neither IPv4 nor IPv6", cursor.position - 1)
    return left if len(left) == 1 else []


def _families(key: Key, value: FieldValue) -> list[Family]:
    assert isinstance(value, IntegerSet)
    numbers = (2, 10) if key.kind.name == "nf_proto" else (0x0800, 0x86DD)
    return [family for family, number in zip(Family, numbers, strict=True) if value.contains(number)]


def concatenation(cursor: Cursor, draft: Draft, keys: tuple[Key, ...], sets: Sets) -> None:
    """``a . b { x . y, … }``, ``a . b @set``, ``a . b vmap …``: one alternative for each element."""
    for key in keys:
        if key.field == "family":
            raise cursor.unmodelled(f"{key.text} in a concatenation", cursor.position)
        presuppose(draft, key)
    words, first = cursor.words, cursor.position
    if words[first] == "vmap":
        _verdict_map(cursor, draft, keys, sets)
        return
    operator = COMPARISONS.get(words[first])
    if operator is not None:
        cursor.position += 1
    if operator not in (None, "=="):
        raise cursor.unmodelled(f"a concatenation with '{operator}'", first)
    if words[cursor.position][:1] == "@":
        elements = find_set(cursor, sets, keys, is_map=False).elements
        cursor.position += 1
    else:
        elements = read_elements(cursor, tuple(key.kind for key in keys), is_map=False)
    draft.choices.append(tuple(alternatives(cursor, first, keys, elements)))


def _verdict_map(cursor: Cursor, draft: Draft, keys: tuple[Key, ...], sets: Sets) -> None:
    first = cursor.position
    cursor.position += 1
    if cursor.words[cursor.position][:1] == "@":
        elements = find_set(cursor, sets, keys, is_map=True).elements
        cursor.position += 1
    else:
        elements = read_elements(cursor, tuple(key.kind for key in keys), is_map=True)
    if any(key.field == "tcp_flags" or (key.field == "family" and len(keys) > 1) for key in keys):
        raise cursor.unmodelled(f"a verdict map over {keys[0].text}", first)
    check_disjoint(cursor, first, elements)
    draft.choices.append(tuple(alternatives(cursor, first, keys, elements)))
    draft.verdict = Verdict.CONTINUE


def check_disjoint(cursor: Cursor, first: int, elements: list[Element]) -> None:
    """Refuse a map where two elements may hold one packet: which of them wins is up to the kernel."""
    keyed = [element for element in elements if element.key is not None]
    if len({element.key for element in keyed}) == len(keyed) and all(
        isinstance(atom, str) or atom[0] == atom[1] for element in keyed for atom in element.key or ()
    ):
        return
    # Sorted by the first part, only neighbours that overlap there can overlap at all.
    active: list[Element] = []
    for element in sorted(keyed, key=_sort_key):
        active = [other for other in active if _overlap(other, element, 1)]
        if any(
            _overlap(other, element, None) and (other.verdict, other.target) != (element.verdict, element.target)
            for other in active
        ):
            raise cursor.unmodelled("a verdict map whose elements overlap", first)
        active.append(element)
        if len(active) > MOST_OVERLAPPING:
            raise cursor.unmodelled("a verdict map with too many elements over one value", first)


def _sort_key(element: Element) -> tuple[tuple[object, ...], ...]:
    return tuple((atom,) if isinstance(atom, str) else atom for atom in element.key or ())


def _overlap(one: Element, other: Element, parts: int | None) -> bool:
    """Whether some value lies in both elements, in the first ``parts`` of their keys or in all."""
    return all(
        mine == theirs
        if isinstance(mine, str) or isinstance(theirs, str)
        else mine[0] <= theirs[1] and theirs[0] <= mine[1]
        for mine, theirs in zip((one.key or ())[:parts], (other.key or ())[:parts], strict=True)
    )


def alternatives(cursor: Cursor, first: int, keys: tuple[Key, ...], elements: list[Element]) -> list[Alternative]:
    """One for each element of a set or map over these keys."""
    if len(elements) > MOST_ALTERNATIVES:
        raise cursor.unmodelled(f"a map or concatenation of more than {MOST_ALTERNATIVES} elements", first)
    found = []
    for element in elements:
        fields: tuple[tuple[str, FieldValue], ...]
        if keys[0].field == "family":
            found += _family_alternatives(cursor, first, keys[0], element)
            continue
        if element.key is None:
            if len(keys) > 1:
                raise cursor.unmodelled("'*' in a concatenation", first)
            fields = (_others(cursor, first, keys[0], elements),)
        else:
            fields = tuple(
                (key.field, _placed(key, value_of(key.kind, (atom,))))
                for key, atom in zip(keys, element.key, strict=True)
            )
        found.append(Alternative(fields, element.verdict, element.target))
    return found


def _family_alternatives(cursor: Cursor, first: int, key: Key, element: Element) -> list[Alternative]:
    """``meta protocol vmap { ip : …, ip6 : … }``; what is neither never comes to an IP hook."""
    if element.key is None:
        raise cursor.unmodelled(f"'*' in a verdict map over {key.text}", first)
    families = _families(key, value_of(key.kind, element.key))
    return [Alternative((("family", family),), element.verdict, element.target) for family in families]


def _others(cursor: Cursor, first: int, key: Key, elements: list[Element]) -> tuple[str, FieldValue]:
    """What the catch-all element gets: all that no other element has."""
    named = value_of(key.kind, [element.key[0] for element in elements if element.key])
    if isinstance(named, InterfaceSet) and any(name.endswith("*") for name in named.names):
        raise cursor.unmodelled("'*' beside wildcards of interfaces", first)
    return key.field, _placed(key, _negated(key.kind, named))
