"""The files of a generation as the root helper takes them: read once, whole, and believed in nothing.

``plan.json`` is read by its strict shape; ``filter.nft`` by our own reader of
nft, which knows every word or refuses (no ``include``), and then by nft itself
where no packet goes: what reaches the kernel is nft's own listing of our two
tables there, and nothing else. ``balance.yaml`` is compiled anew.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from appliance.services.network.plan import Plan, read_plan
from appliance.services.network.state import PROTOCOL, TABLES, Address, Link, Route, Target
from compiler.balancing.nftables import write_nftables
from compiler.balancing.plan import Plan as BalancePlan
from compiler.balancing.plan import make_plan, port_of
from compiler.balancing.reading import read_balance
from compiler.deploy.linux import settings
from compiler.deploy.linux.kernel import Kernel
from compiler.deploy.linux.leases import known_leases
from compiler.deploy.linux.scratch import spelled, spelled_tables
from compiler.deploy.linux.state import State as BalanceState
from compiler.deploy.linux.state import wanted
from compiler.deploy.linux.status import dead_by_watch
from compiler.dialects.nftables.reader import read as read_nftables
from compiler.errors import InputError, UsageError

__all__ = [
    "BALANCE",
    "FILTER",
    "PLAN",
    "Files",
    "Wish",
    "digest_of",
    "read_files",
    "settings_of",
    "target_of",
    "wish_of",
]

PLAN, FILTER, BALANCE = "plan.json", "filter.nft", "balance.yaml"
_LARGEST = 8 << 20
"""Octets of one file."""

Files = Mapping[str, str]
"""Texts by name."""


class Wish(NamedTuple):
    """What the files say, understood. ``tables`` are in nft's own spelling."""

    plan: Plan | None
    tables: tuple[str, ...]
    balance: BalancePlan | None


def read_files(folder: Path | None) -> dict[str, str]:
    """The texts of a folder; none of no folder. UsageError for what is no plain file, too large, or not UTF-8."""
    if folder is None:
        return {}
    found = {}
    for name in (PLAN, FILTER, BALANCE):
        path = folder / name
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from error
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise UsageError(f"{path} is no plain file")
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise UsageError(f"{path} is larger than {_LARGEST} octets")
        try:
            found[name] = data.decode()
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not UTF-8: octet {error.start}") from error
    if PLAN not in found:
        raise UsageError(f"{folder} has no {PLAN}")
    return found


def digest_of(files: Files) -> str:
    """Names the files by what they say; empty for none."""
    if not files:
        return ""
    text = "\0".join(f"{name}\0{files[name]}" for name in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest()


def wish_of(files: Files) -> Wish:
    """Understand them. InputError, InputErrors, UsageError or DeployError for what is not ours to load."""
    if not files:
        return Wish(None, ("",) * len(TABLES), None)
    plan = read_plan(files[PLAN].encode(), PLAN)
    balance = make_plan(read_balance(files[BALANCE], BALANCE)) if BALANCE in files else None
    return Wish(plan, _tables(files.get(FILTER, "")), balance)


def _tables(text: str) -> tuple[str, ...]:
    if not text:
        return ("",) * len(TABLES)
    ruleset = read_nftables(text, FILTER)
    for table, span in [(one.table, one.span) for one in ruleset.chains] + [
        (one.table, one.span) for one in ruleset.sets
    ]:
        if tuple(table.split()) not in TABLES:
            raise InputError(f"the table {table} is not the filter's: expected ip gerbang or ip6 gerbang", span)
    found = spelled_tables(text)
    foreign = [" ".join(one) for one in found if one not in TABLES]
    if foreign:
        raise InputError(f"{FILTER}: the table {foreign[0]} is not the filter's: expected ip gerbang or ip6 gerbang")
    return tuple(found.get(one, "") for one in TABLES)


def target_of(wish: Wish, kernel: Kernel, folder: Path) -> Target:
    """What shall stand of ours. ``folder`` has what leases and the watch told of the uplinks."""
    links: list[Link] = []
    addresses: list[Address] = []
    routes: list[Route] = []
    for one in wish.plan.interfaces if wish.plan is not None else ():
        links.append(Link(one.name, one.up, one.mtu))
        addresses += [Address(one.name, text) for text in one.addresses]
    for route in wish.plan.routes if wish.plan is not None else ():
        routes.append(Route(route.destination, route.metric, route.kind, route.gateway, route.interface, PROTOCOL))
    balance = BalanceState() if wish.balance is None else _balance(wish.balance, kernel, folder)
    nothing = ("",) * len(TABLES)
    settings_wanted = tuple(settings_of(wish).items())
    return Target(tuple(links), tuple(addresses), tuple(routes), wish.tables, nothing, settings_wanted, balance)


def settings_of(wish: Wish) -> dict[str, str]:
    """Kernel settings that it needs, below /proc/sys/net."""
    found = {}
    if wish.plan is not None and wish.plan.forward:
        found = {"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"}
    if wish.balance is not None:
        found |= {f"ipv4/{name}": value for name, value in settings.needed(wish.balance)}
    return found


def _balance(plan: BalancePlan, kernel: Kernel, folder: Path) -> BalanceState:
    """By the lines that can be used: there, and not known to be dead by a running watch."""
    dead = dead_by_watch(folder)
    names = tuple(one.name for one in plan.balance.uplinks if kernel.is_there(port_of(one)))
    alive = tuple(name for name in names if name not in dead) or names
    found = wanted(plan, alive, known_leases(plan, kernel, folder), ())
    there = {port_of(one) for one in plan.balance.uplinks if one.name in names}
    there |= {one.interface for one in plan.balance.networks}
    routes = tuple(route for route in found.routes if all(hop.interface in there for hop in route.hops))
    return found._replace(routes=routes, table=spelled(write_nftables(plan)))
