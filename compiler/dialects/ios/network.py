"""Cisco IOS text -> the network: interfaces, static routes, policy routing, address translation.

What is read: ``hostname``, the lines of interfaces about addresses, MTU, NAT
and policy, ``ip route``, ``ipv6 route``, route maps in use, ``ip nat``,
``ip name-server``. There every word is known or an error with its place; other
lines are skipped and counted (:mod:`compiler.dialects.ios.reader` reads the lists).

Sources: Cisco IOS IP Addressing Services, IP Routing: Protocol-Independent, and
IPv6 Command References.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from compiler.addresses import parse_address
from compiler.dialects.ios.foreign import ForeignSystem, comment_system, foreign_system, refuse_system
from compiler.dialects.ios.globals import skip_text
from compiler.dialects.ios.interfaces import PHYSICAL, read_interface
from compiler.dialects.ios.network_commands import GLOBAL_HEADS, command
from compiler.dialects.ios.network_finish import finish_network
from compiler.dialects.ios.network_interfaces import INTERFACE_LINES
from compiler.dialects.ios.network_maps import read_route_map
from compiler.dialects.ios.network_ports import check_slip, interface_block, other_block
from compiler.dialects.ios.network_routes import OTHER_ROUTE_WORDS, read_route
from compiler.dialects.ios.network_state import InterfaceDraft, NetworkState
from compiler.dialects.ios.network_translations import read_translation
from compiler.dialects.ios.network_words import host, outside
from compiler.dialects.ios.stray import refuse_prompt
from compiler.dialects.ios.words import Fault, Words, expected
from compiler.errors import InputErrors
from compiler.fields import Family
from compiler.policy.network import Network

__all__ = ["read_network"]


def read_network(text: str, source: str) -> Network:
    """The network that a running configuration, or pasted commands, describe.

    ``source`` names the text in messages. Two interfaces that are up and share
    a network, an unknown interface, pool or route map are errors; a next hop
    that nothing reaches is not. Raises InputErrors with all that is wrong.
    """
    state = NetworkState(text, source)
    try:
        _read_lines(state)
    except ForeignSystem as fault:  # another system: nothing else is worth saying
        raise InputErrors((fault.as_error(source, state.number, state.text),)) from None
    network = finish_network(state)
    if state.errors:
        raise InputErrors(tuple(sorted(state.errors, key=lambda error: (error.span.line, error.span.column))))
    return network


def _read_lines(state: NetworkState) -> None:
    lines = state.lines
    while state.number < len(lines):
        state.text = text = lines[state.number]
        state.number += 1
        words = text.split()
        if not words:
            continue
        try:
            if words[0][0] == "!":
                system = comment_system(text)
                if system:
                    raise refuse_system(system, "its header says so", 0, len(words))
            elif state.block is None or not state.block(words):
                state.leave()
                _read_global(state, words)
        except ForeignSystem:
            raise
        except Fault as fault:
            state.fault(fault)


def _read_global(state: NetworkState, words: list[str]) -> None:
    """One line that no block took."""
    first = words[0].lower()
    if state.depth() == state.base:
        foreign = foreign_system(words)
        if foreign is not None:
            raise foreign
    if skip_text(state, words):
        return
    if first == "hostname":
        _hostname(state, words)
        return
    at = 1 if first in ("no", "default") and len(words) > 1 else 0
    head = command(words, at, _READERS)
    if head is not None and first != "default":
        _READERS[head](state, Words(words, at + len(head)), at == 1)
    elif head == ("interface",):
        _reset_interface(state, words)
    elif head is not None:
        raise Fault("'default' is not modelled here: say 'no'", 0, unmodelled=True)
    else:
        _skip(state, words, at)


def _skip(state: NetworkState, words: list[str], at: int) -> None:
    refuse_prompt(words[0])
    own = command(words, at, INTERFACE_LINES)
    if own in _ONLY_IN_INTERFACES:
        what = " ".join(words[at : at + 2])
        raise Fault(f"'{what}' outside of any interface: expected 'interface' with its name above it", at, 2)
    state.skipped += 1
    state.enter(other_block(state))
    check_slip(words, at, GLOBAL_HEADS)


_ONLY_IN_INTERFACES = {("ip", word) for word in ("address", "mtu", "policy", "unreachables", "unnumbered")} | {
    ("ipv6", "address")
}


def _hostname(state: NetworkState, words: list[str]) -> None:
    if len(words) == 2 and state.depth() == state.base:
        state.hostname = words[1].strip('"')
        return
    state.skipped += 1


# -- interfaces -------------------------------------------------------------------------


def _interface(state: NetworkState, line: Words, no: bool) -> None:
    words, at = line.words, line.at
    if no:
        _remove_interface(state, words)
        return
    state.enter(other_block(state))  # for the lines under a header that cannot be read
    if line.peek().lower() == "range":
        state.skipped += 1
        state.enter(interface_block(state, None))
        return
    name = read_interface(words, at)
    draft = state.ports.setdefault(name, InterfaceDraft(name, state.span(at, len(words) - at)))
    state.enter(interface_block(state, draft))


def _remove_interface(state: NetworkState, words: list[str]) -> None:
    """``no interface NAME``: it goes, with its subinterfaces."""
    name = _named(words)
    if "." not in name and name.rstrip("0123456789/:") in PHYSICAL and name in state.ports:
        why = "a router does not remove a physical interface; 'default interface' resets one"
        raise outside(words, 0, len(words), why)
    for known in [one for one in state.ports if one == name or one.startswith(f"{name}.")]:
        del state.ports[known]


def _reset_interface(state: NetworkState, words: list[str]) -> None:
    """``default interface NAME``: it stays, with nothing configured."""
    name = _named(words)
    if any(one.startswith(f"{name}.") for one in state.ports):
        raise outside(words, 0, len(words), "what becomes of its subinterfaces is not documented")
    if name in state.ports:
        state.ports[name] = InterfaceDraft(name, state.ports[name].span)


def _named(words: list[str]) -> str:
    if len(words) > 2 and words[2].lower() == "range":
        raise outside(words, 0, len(words), "the interfaces of a range are not known one by one")
    return read_interface(words, 2)


# -- global commands --------------------------------------------------------------------


def _route_map(state: NetworkState, line: Words, no: bool) -> None:
    state.enter(other_block(state))
    read_route_map(state, line.words, no)


def _ip_route(state: NetworkState, line: Words, no: bool) -> None:
    if line.peek().lower() in OTHER_ROUTE_WORDS:
        state.skipped += 1
        return
    read_route(state, line, Family.IPV4, no)


def _ipv6_route(state: NetworkState, line: Words, no: bool) -> None:
    read_route(state, line, Family.IPV6, no)


def _ip_nat(state: NetworkState, line: Words, no: bool) -> None:
    if line.peek().lower() in ("inside", "outside") and line.at + 1 == len(line.words):
        side = f"ip nat {line.peek().lower()}"
        raise Fault(f"'{side}' outside of any interface: expected 'interface' with its name above it", line.at - 2, 3)
    read_translation(state, line, no)


def _name_server(state: NetworkState, line: Words, no: bool) -> None:
    """``ip name-server A B C``, of either family."""
    if line.peek().lower() == "vrf":
        raise outside(line.words, line.at, 2, "VRFs are not in the model")
    if no and not line.peek():
        state.name_servers.clear()
        return
    while True:
        at = line.at
        word = line.peek()
        server = host(line, Family.IPV6) if ":" in word else host(line, what="the address of a name server")
        if server < 1 << 32 and parse_address(word)[1] == 128:
            raise Fault(f"'{word}' is not the address of a name server", at)
        if no and server not in state.name_servers:
            raise Fault(f"there is no name server {word}", at)
        if no:
            state.name_servers.remove(server)
        elif server not in state.name_servers:
            state.name_servers.append(server)
        if not line.peek():
            return


def _routing(_state: NetworkState, line: Words, no: bool) -> None:
    if no:
        raise outside(line.words, 0, len(line.words), "a device that routes nothing is a host; make it one in the lab")


def _default_gateway(state: NetworkState, line: Words, no: bool) -> None:
    """Only a device without routing looks at it."""
    if not no:
        host(line, what="the address of the gateway")
        line.end()
    state.skipped += 1


def _default_network(_state: NetworkState, line: Words, no: bool) -> None:
    if not no:
        raise outside(line.words, 0, len(line.words), "say 'ip route 0.0.0.0 0.0.0.0 A.B.C.D'")


def _local_policy(state: NetworkState, line: Words, no: bool) -> None:
    if line.peek().lower() == "policy" and not no:
        raise outside(line.words, 0, len(line.words), "policy routing of the router's own packets")
    state.skipped += 1


def _load_sharing(state: NetworkState, line: Words, no: bool) -> None:
    """``ip cef load-sharing algorithm …``: over what several routes to one prefix are shared."""
    words = [word.lower() for word in line.words[line.at :]]
    if words[:2] != ["load-sharing", "algorithm"]:
        state.skipped += 1
    elif no or words[2:3] in (["universal"], ["original"], ["tunnel"]):
        state.multipath_policy = "l3"
    elif words[2:5] == ["include-ports", "source", "destination"]:
        state.multipath_policy = "l4"
    elif words[2:3] == ["include-ports"]:
        raise outside(line.words, line.at, len(words), "only one of the ports; 'source destination' is in the model")
    else:
        what = "original, universal, tunnel or include-ports"
        raise expected(line.words[line.at + 2] if len(words) > 2 else "", line.at + 2, what)


_READERS: Mapping[tuple[str, ...], Callable[[NetworkState, Words, bool], None]] = MappingProxyType(
    {
        ("interface",): _interface,
        ("route-map",): _route_map,
        ("ip", "route"): _ip_route,
        ("ipv6", "route"): _ipv6_route,
        ("ip", "nat"): _ip_nat,
        ("ip", "name-server"): _name_server,
        ("ip", "routing"): _routing,
        ("ip", "default-gateway"): _default_gateway,
        ("ip", "default-network"): _default_network,
        ("ip", "local"): _local_policy,
        ("ip", "cef"): _load_sharing,
    }
)
"""First words of a command -> what reads the rest."""
