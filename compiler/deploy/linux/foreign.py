"""What of others in this kernel breaks a balance: routes and rules before ours, addresses, and chains of nft.

Each is told with the command that mends it. Only what the kernel shows by
netlink and ``nft -j list ruleset`` is seen: rules of iptables-legacy are not,
and of iptables-nft the targets' own words are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.balancing.linux_marks import MASK, OWN_PRIORITY
from compiler.deploy.linux.kernel import Kernel
from compiler.deploy.linux.state import MAIN, PROTOCOL, TABLE, State, is_our_table

__all__ = ["keeps_our_bits", "obstacles_of"]

_DEFAULT = "0.0.0.0/0"


def obstacles_of(kernel: Kernel, target: State) -> tuple[str, ...]:
    """One line each, in no case of ours. ``target`` is what shall stand."""
    return (*_routes(kernel, target), *_rules(kernel, target), *_addresses(kernel, target), *_chains(kernel))


def _routes(kernel: Kernel, target: State) -> Iterator[str]:
    wanted = {route.key: route for route in target.routes}
    metrics = [route.metric for route in target.routes if route.table == MAIN and route.destination == _DEFAULT]
    for route, protocol in kernel.routes():
        if protocol == PROTOCOL or wanted.get(route.key) == route:
            continue
        if is_our_table(route.table):
            text = f"{route} table {route.table}"
            yield f"route {text} is not of the balance and stands in its table: ip route del {text}"
        elif route.table == MAIN and route.destination == _DEFAULT and route.metric < min(metrics, default=0):
            tail = "" if route.metric else " metric 0"
            yield (
                f"main table: {route}{tail} comes before the defaults of the balance (metrics from {min(metrics)}): "
                f"ip route del {route}{tail}"
            )


def _rules(kernel: Kernel, target: State) -> Iterator[str]:
    """Rules that ask for nothing, stand before the last of ours, and lead somewhere."""
    last = max((rule.priority for rule in target.rules), default=OWN_PRIORITY)
    lead = {route.table for route, _ in kernel.routes() if route.destination == _DEFAULT}
    for rule, is_final in kernel.catch_all_rules():
        if rule.priority >= last or rule in target.rules or is_our_table(rule.table):
            continue
        if is_final or (rule.table in lead and rule.suppress < 0):
            text = f"priority {rule.priority}" + ("" if is_final else f" lookup {rule.table}")
            yield f"rule {text} takes everything before the rules of the balance do: ip rule del {text}"


def _addresses(kernel: Kernel, target: State) -> Iterator[str]:
    own = {one.text.partition("/")[0]: one.interface for one in target.addresses}
    for interface, texts in kernel.addresses().items():
        for text in texts:
            wanted = own.get(text.partition("/")[0], interface)
            if wanted != interface:
                yield f"address {text} is on {interface}, and shall be on {wanted}: ip addr del {text} dev {interface}"


# -- nft ----------------------------------------------------------------------------------------------


def _chains(kernel: Kernel) -> Iterator[str]:
    listing = kernel.nft.listing()
    bases: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    rules: list[Mapping[str, Any]] = []
    for one in listing:
        chain, rule = one.get("chain"), one.get("rule")
        if chain is not None and "hook" in chain:
            bases[chain["family"], chain["table"], chain["name"]] = chain
        elif rule is not None:
            rules.append(rule)
    for key, chain in bases.items():
        family, table, name = key
        if table == TABLE or family not in ("ip", "inet") or chain["hook"] != "forward":
            continue
        mine = [rule for rule in rules if (rule["family"], rule["table"], rule["chain"]) == key]
        where = f"chain {family} {table} {name}"
        if chain.get("policy") == "drop" and not any(
            _has(rule, "accept", "jump", "goto", "xt", "vmap") for rule in mine
        ):
            yield (
                f"{where} drops all that is forwarded: nft add rule {family} {table} {name} accept, "
                "or rules that accept what may pass"
            )
        for rule in mine:
            if _always(rule) & {"drop", "reject"} and not any(
                _has(other, "accept", "jump", "goto", "vmap") for other in mine[: mine.index(rule)]
            ):
                yield (
                    f"{where} drops all that is forwarded: "
                    f"nft delete rule {family} {table} {name} handle {rule['handle']}"
                )
    for rule in rules:
        if rule["table"] == TABLE or rule["family"] not in ("ip", "inet"):
            continue
        for statement in rule["expr"]:
            found = statement.get("mangle") if isinstance(statement, dict) else None
            key_of_mark = _mark(found["key"]) if found else ""
            if found and key_of_mark and not keeps_our_bits(found["value"], key_of_mark):
                where = f"{rule['family']} {rule['table']} {rule['chain']}"
                yield (
                    f"chain {where} sets bits of {key_of_mark} mark that are the balance's (0x{MASK:x}): "
                    f"nft delete rule {where} handle {rule['handle']}"
                )


def _always(rule: Mapping[str, Any]) -> set[str]:
    """The verdict of a rule that asks for nothing."""
    words = [next(iter(one)) for one in rule["expr"] if isinstance(one, dict)]
    words = [word for word in words if word not in ("counter", "log")]
    return set(words) if len(words) == 1 else set()


def _has(rule: Mapping[str, Any], *words: str) -> bool:
    return any(word in one for one in rule["expr"] if isinstance(one, dict) for word in words)


def _mark(key: object) -> str:
    """``ct`` or ``meta`` where that is the mark (libnftables-json(5), ``ct``, ``meta``)."""
    if isinstance(key, dict):
        for kind in ("ct", "meta"):
            if isinstance(key.get(kind), dict) and key[kind].get("key") == "mark":
                return kind
    return ""


def keeps_our_bits(value: object, kind: str) -> bool:
    """Whether a mark that is set so has the bits of the balance as they were.

    The packet's mark from the connection's is what the balance does too.
    """
    if _mark(value):
        return _mark(value) == kind or kind == "meta"
    if not isinstance(value, dict) or len(value) != 1:
        return False
    ((operation, sides),) = value.items()
    if operation not in ("&", "|", "^") or not isinstance(sides, list):
        return False
    numbers = [one for one in sides if isinstance(one, int)]
    others = [one for one in sides if not isinstance(one, int)]
    if len(others) != 1:
        return False
    harmless = (one & MASK == (MASK if operation == "&" else 0) for one in numbers)
    return all(harmless) and keeps_our_bits(others[0], kind)
