"""The lines of an interface: addresses, MTU, NAT side, policy routing.

Source: Cisco IOS IP Addressing Services Command Reference, "ip address",
"ip mtu", "ip nat", "ip unreachables"; Cisco IOS IP Routing:
Protocol-Independent Command Reference, "ip policy route-map"; Cisco IOS IPv6
Command Reference, "ipv6 address".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from compiler.addresses import format_address
from compiler.dialects.ios.network_state import Given, InterfaceDraft, NetworkState
from compiler.dialects.ios.network_words import counted, host, ipv6_prefix, netmask, outside
from compiler.dialects.ios.words import Fault, Words, expected
from compiler.fields import Family
from compiler.policy.network import InterfaceAddress, NatSide

__all__ = ["INTERFACE_LINES", "InterfaceLine"]

InterfaceLine = Callable[[NetworkState, InterfaceDraft, Words, bool], None]
"""Reads what stands behind the command's words; the last argument says whether ``no`` takes it back."""


def _ip_address(state: NetworkState, draft: InterfaceDraft, line: Words, no: bool) -> None:
    at = line.at
    word = line.peek().lower()
    if word in ("dhcp", "negotiated", "pool"):
        # The address comes from elsewhere: the text has none.
        draft.primary = None
        draft.secondaries.clear()
        return
    if no and not word:
        draft.primary = None
        draft.secondaries.clear()
        return
    value = host(line, what="an IPv4 address A.B.C.D, dhcp or negotiated")
    length = netmask(line)
    secondary = line.peek().lower() == "secondary"
    line.at += secondary
    line.end()
    given = Given(InterfaceAddress(Family.IPV4, value, length), state.span(at, 2))
    if no:
        _remove_ipv4(draft, given.address, at, secondary=secondary)
        return
    _check_host_bits(line, at, value, length)
    if not secondary:
        draft.primary = given
        draft.secondaries = [other for other in draft.secondaries if other.address.address != value]
    elif draft.primary is not None and draft.primary.address.address == value:
        raise Fault(f"'{line.words[at]}' is the primary address of {draft.name} already", at)
    else:
        draft.secondaries = [other for other in draft.secondaries if other.address.address != value]
        draft.secondaries.append(given)


def _check_host_bits(line: Words, at: int, value: int, length: int) -> None:
    """A fault for the address of the network itself and of its broadcast; /31 has neither (RFC 3021)."""
    if length == 0:
        raise Fault(f"'{line.words[at + 1]}' is no mask of an interface: expected 128.0.0.0 or longer", at + 1)
    if length > 30:
        return
    rest = (1 << 32 - length) - 1
    if value & rest in (0, rest):
        kind = "network" if value & rest == 0 else "broadcast address"
        raise Fault(f"'{line.words[at]}' is the {kind} of its own /{length}: expected the address of a host", at, 2)


def _remove_ipv4(draft: InterfaceDraft, address: InterfaceAddress, at: int, *, secondary: bool) -> None:
    if secondary:
        kept = [other for other in draft.secondaries if other.address != address]
        if len(kept) == len(draft.secondaries):
            raise Fault(f"{draft.name} has no such secondary address", at, 2)
        draft.secondaries = kept
        return
    if draft.primary is None or draft.primary.address != address:
        raise Fault(f"{draft.name} has no such address", at, 2)
    if draft.secondaries:
        raise Fault("the secondary addresses must go before the primary one", at, 2)
    draft.primary = None


def _ipv6_address(state: NetworkState, draft: InterfaceDraft, line: Words, no: bool) -> None:
    at = line.at
    word = line.peek().lower()
    if word in ("autoconfig", "dhcp") or (no and not word):
        if no and not word:
            draft.six.clear()
        return
    following = line.words[at + 1].lower() if at + 1 < len(line.words) else ""
    if following == "link-local":
        raise outside(line.words, at, 2, "link-local addresses are not in the model")
    if following in ("eui-64", "anycast"):
        raise outside(line.words, at, 2, "write the whole address of the interface")
    if word[:1].isalpha() and ":" not in word and following[:1] == ":":
        raise outside(line.words, at, 2, "a general prefix is not in the text")
    value, length = ipv6_prefix(line, "an IPv6 address X:X::X/LENGTH")
    line.end()
    given = Given(InterfaceAddress(Family.IPV6, value, length), state.span(at, 1))
    if value < 2 or value >> 120 == 0xFF or value >> 118 == 0x3FA:
        raise Fault(f"'{line.words[at]}' is not a global address of a host", at)
    known = [other for other in draft.six if other.address == given.address]
    if no:
        if not known:
            raise Fault(f"{draft.name} has no such address", at)
        draft.six = [other for other in draft.six if other.address != given.address]
        return
    if length < 127 and not value & (1 << 128 - length) - 1:
        raise Fault(f"'{line.words[at]}' is the network, which all its routers share (RFC 4291, 2.6.1)", at)
    if known:
        state.skipped += 1
        return
    if any(other.address.address == value for other in draft.six):
        raise Fault(f"{draft.name} has {format_address(value, 128)} already, with another length", at)
    draft.six.append(given)


def _shutdown(_state: NetworkState, draft: InterfaceDraft, line: Words, no: bool) -> None:
    line.end()
    draft.enabled = no


def _mtu(_state: NetworkState, draft: InterfaceDraft, line: Words, no: bool) -> None:
    if no:
        draft.mtu = None
        return
    draft.mtu = counted(line, 64, 18_000, "an MTU")
    line.end()


def _ip_mtu(state: NetworkState, draft: InterfaceDraft, line: Words, no: bool) -> None:
    if no:
        draft.ip_mtu = None
        return
    at = line.at
    draft.ip_mtu = counted(line, 68, 1_000_000, "an MTU")
    draft.ip_mtu_span = state.span(at)
    line.end()


def _ip_nat(_state: NetworkState, draft: InterfaceDraft, line: Words, no: bool) -> None:
    word = line.take("inside or outside").lower()
    if word == "enable":
        raise outside(line.words, line.at - 1, 1, "NAT without inside and outside (NVI) is not in the model")
    if word not in ("inside", "outside"):
        raise expected(line.words[line.at - 1], line.at - 1, "inside or outside", ("inside", "outside"))
    line.end()
    side = NatSide(word)
    if not no:
        draft.nat = side
    elif draft.nat is side:
        draft.nat = None


def _ip_policy(state: NetworkState, draft: InterfaceDraft, line: Words, no: bool) -> None:
    word = line.take("route-map")
    if word.lower() != "route-map":
        raise expected(word, line.at - 1, "route-map", ("route-map",))
    if no:
        draft.policy = ""
        return
    draft.policy = line.take("the name of a route map")
    draft.policy_span = state.line_span()
    line.end()


def _unreachables(_state: NetworkState, draft: InterfaceDraft, line: Words, no: bool) -> None:
    line.end()
    draft.unreachables = not no


def _description(state: NetworkState, draft: InterfaceDraft, line: Words, no: bool) -> None:
    draft.comment = "" if no else state.text.strip().partition(line.words[line.at - 1])[2].strip()


def _ip_unnumbered(_state: NetworkState, _draft: InterfaceDraft, line: Words, no: bool) -> None:
    if not no:
        raise outside(line.words, line.at - 1, 2, "an interface that borrows its address; give it one of its own")


def _forwarding(_state: NetworkState, _draft: InterfaceDraft, line: Words, no: bool) -> None:
    if not no:
        raise outside(line.words, 0, len(line.words), "VRFs are not in the model")


def _ipv6_policy(_state: NetworkState, _draft: InterfaceDraft, line: Words, no: bool) -> None:
    if not no:
        raise outside(line.words, line.at - 1, 3, "policy routing of IPv6 is not in the model")


def _ipv6_mtu(_state: NetworkState, _draft: InterfaceDraft, line: Words, no: bool) -> None:
    if not no:
        raise outside(line.words, line.at - 1, 2, "an MTU for IPv6 alone; 'mtu' is for all")


def _load_sharing(_state: NetworkState, _draft: InterfaceDraft, line: Words, no: bool) -> None:
    if not no and line.peek().lower() == "per-packet":
        raise outside(line.words, line.at - 1, 2, "packets of one flow would take several ways")


INTERFACE_LINES: Mapping[tuple[str, ...], InterfaceLine] = MappingProxyType(
    {
        ("ip", "address"): _ip_address,
        ("ip", "mtu"): _ip_mtu,
        ("ip", "nat"): _ip_nat,
        ("ip", "policy"): _ip_policy,
        ("ip", "unreachables"): _unreachables,
        ("ip", "unnumbered"): _ip_unnumbered,
        ("ip", "vrf"): _forwarding,
        ("ip", "load-sharing"): _load_sharing,
        ("ipv6", "address"): _ipv6_address,
        ("ipv6", "mtu"): _ipv6_mtu,
        ("ipv6", "policy"): _ipv6_policy,
        ("vrf", "forwarding"): _forwarding,
        ("shutdown",): _shutdown,
        ("mtu",): _mtu,
        ("description",): _description,
    }
)
"""First words of a line -> what reads the rest."""
