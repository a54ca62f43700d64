"""The running kernel, of this thread's namespace: dumps as values, and single changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

from compiler.deploy.deployment import DeployError
from compiler.deploy.linux import settings
from compiler.deploy.linux.libnftables import Nftables, NftablesError, is_installed
from compiler.deploy.linux.state import (
    MAIN,
    PROTOCOL,
    TABLE,
    Address,
    Hop,
    KernelRoute,
    KernelRule,
    State,
    is_our_table,
)

__all__ = ["Held", "Kernel", "Refusal", "open_kernel"]

_IPV4 = 2
_KINDS = {1: "unicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}  # rtnetlink(7)
_LINK_SCOPE = 253
_BY_KERNEL = 2  # RTPROT_KERNEL
_NO_SUPPRESSION = 0xFFFFFFFF
_LOCAL = 255
_TO_TABLE, _FINAL = 1, (6, 7, 8)  # FR_ACT_TO_TBL; FR_ACT_BLACKHOLE, UNREACHABLE, PROHIBIT (linux/fib_rules.h)
_CONDITIONS = (
    *("FRA_SRC", "FRA_DST", "FRA_OIFNAME", "FRA_L3MDEV", "FRA_IP_PROTO", "FRA_TUN_ID"),
    *("FRA_SPORT_RANGE", "FRA_DPORT_RANGE", "FRA_UID_RANGE"),
)
_SELECTORS = (*_CONDITIONS, "FRA_IIFNAME", "FRA_FWMASK")
_UP, _LOWER_UP = 0x1, 0x10000  # IFF_UP, IFF_LOWER_UP


class Refusal(Exception):
    """What the kernel said against one change."""


class Held(NamedTuple):
    """What stands: ours, and what has the looks of ours and is somebody else's."""

    ours: State
    foreign_addresses: frozenset[Address]
    foreign_routes: tuple[KernelRoute, ...]
    """Of the main table."""
    foreign_rules: frozenset[KernelRule]


class Kernel:
    """Sockets to one namespace's kernel, for the thread that made it."""

    def __init__(self) -> None:
        from pyroute2 import IPRoute  # type: ignore[import-untyped]

        self._routing = IPRoute()
        self._nft: Nftables | None = None
        self._links: dict[str, tuple[int, int]] = {}
        self.refresh()

    def close(self) -> None:
        """Close the sockets."""
        self._routing.close()
        if self._nft is not None:
            self._nft.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def nft(self) -> Nftables:
        """libnftables, loaded when first asked for."""
        if self._nft is None:
            self._nft = Nftables()
        return self._nft

    # -- reading --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look at the interfaces anew."""
        self._links = {link.get("ifname"): (link["index"], link["flags"]) for link in self._routing.get_links()}

    def index(self, interface: str) -> int:
        """The number of an interface. Refusal when there is none."""
        if interface not in self._links:
            raise Refusal(f"there is no interface {interface}")
        return self._links[interface][0]

    def name(self, index: int) -> str:
        """The interface of a number; empty when there is none."""
        return next((name for name, (number, _) in self._links.items() if number == index), "")

    def is_there(self, interface: str) -> bool:
        """Whether there is such an interface."""
        return interface in self._links

    def is_up(self, interface: str) -> bool:
        """Whether an interface is there and set up."""
        return bool(self._links.get(interface, (0, 0))[1] & _UP)

    def has_carrier(self, interface: str) -> bool:
        """Whether an interface is there, up, and has its carrier."""
        flags = self._links.get(interface, (0, 0))[1]
        return bool(flags & _UP and flags & _LOWER_UP)

    def held(self, names: Iterable[str]) -> Held:
        """All that stands; settings of those names."""
        self.refresh()
        addresses, other_addresses = self._addresses()
        routes, other_routes = self._routes()
        rules, other_rules = self._rules()
        table = self.nft.table("ip", TABLE)
        ours = State(
            tuple(addresses), tuple(sorted(routes)), tuple(sorted(rules)), table, tuple(settings.read(names).items())
        )
        return Held(ours, frozenset(other_addresses), tuple(other_routes), frozenset(other_rules))

    def held_routes(self) -> Held:
        """Routes alone."""
        routes, others = self._routes()
        return Held(State(routes=tuple(sorted(routes))), frozenset(), tuple(others), frozenset())

    def _addresses(self) -> tuple[list[Address], list[Address]]:
        ours: list[Address] = []
        others: list[Address] = []
        for found in self._routing.get_addr(family=_IPV4):
            text = f"{found.get('IFA_LOCAL') or found.get('IFA_ADDRESS')}/{found['prefixlen']}"
            one = Address(self.name(found["index"]), text)
            (ours if found.get("IFA_PROTO") == PROTOCOL else others).append(one)
        return ours, others

    def addresses(self) -> dict[str, list[str]]:
        """Every address of each interface: ``192.0.2.2/30``."""
        found: dict[str, list[str]] = {}
        for one in (address for part in self._addresses() for address in part):
            found.setdefault(one.interface, []).append(one.text)
        return found

    def routes(self) -> Iterator[tuple[KernelRoute, int]]:
        """Every route of IPv4 but the local table's, and the protocol that set it (rtnetlink(7))."""
        for found in self._routing.get_routes(family=_IPV4):
            table = found.get("RTA_TABLE") or found["table"]
            if found["type"] not in _KINDS:
                continue
            target = f"{found.get('RTA_DST') or '0.0.0.0'}/{found['dst_len']}"
            parts = found.get("RTA_MULTIPATH")
            if parts:
                hops = tuple(self._hop(part.get("RTA_GATEWAY"), part["oif"], part["hops"] + 1) for part in parts)
            elif found.get("RTA_OIF"):
                hops = (self._hop(found.get("RTA_GATEWAY"), found.get("RTA_OIF"), 1),)
            else:
                hops = ()
            metric = found.get("RTA_PRIORITY") or 0
            yield KernelRoute(table, target, metric, _KINDS[found["type"]], hops), found["proto"]

    def _hop(self, gateway: str | None, index: int, weight: int) -> Hop:
        return Hop(gateway or "", self.name(index), weight)

    def _routes(self) -> tuple[list[KernelRoute], list[KernelRoute]]:
        ours: list[KernelRoute] = []
        others: list[KernelRoute] = []
        for route, protocol in self.routes():
            if is_our_table(route.table) or (route.table == MAIN and protocol == PROTOCOL):
                ours.append(route)
            elif route.table == MAIN:
                others.append(route)
        return ours, others

    def _rules(self) -> tuple[list[KernelRule], list[KernelRule]]:
        ours: list[KernelRule] = []
        others: list[KernelRule] = []
        for found in self._routing.get_rules(family=_IPV4):
            shortest = found.get("FRA_SUPPRESS_PREFIXLEN")
            suppress = -1 if shortest in (None, _NO_SUPPRESSION) else shortest
            table = found.get("FRA_TABLE") or found["table"]
            mask = found.get("FRA_FWMASK") or 0
            priority, mark = found.get("FRA_PRIORITY") or 0, found.get("FRA_FWMARK") or 0
            rule = KernelRule(priority, table, mark, mask, suppress, found.get("FRA_IIFNAME") or "")
            mine = found.get("FRA_PROTOCOL") == PROTOCOL or is_our_table(table)
            # With more conditions than ours have it is somebody else's, however alike the rest.
            plain = not any(found.get(name) for name in _CONDITIONS)
            if mine:
                ours.append(rule)
            elif plain:
                others.append(rule)
        return ours, others

    def catch_all_rules(self) -> Iterator[tuple[KernelRule, bool]]:
        """Rules that ask for nothing, but the kernel's own; and whether they end the search (prohibit and the like)."""
        for found in self._routing.get_rules(family=_IPV4):
            if any(found.get(name) for name in _SELECTORS) or found["src_len"] or found["dst_len"] or found["tos"]:
                continue
            table, shortest = found.get("FRA_TABLE") or found["table"], found.get("FRA_SUPPRESS_PREFIXLEN")
            priority = found.get("FRA_PRIORITY") or 0
            is_final = found["action"] in _FINAL
            if found["action"] == _TO_TABLE and priority == 0 and table == _LOCAL:
                continue
            if is_final or found["action"] == _TO_TABLE:
                suppress = -1 if shortest in (None, _NO_SUPPRESSION) else shortest
                yield KernelRule(priority, table, 0, 0, suppress), is_final

    # -- changing -------------------------------------------------------------------------------

    def add_address(self, one: Address) -> None:
        """Give an interface an address of ours."""
        text, _, length = one.text.partition("/")
        self._ask("addr", "add", index=self.index(one.interface), address=text, prefixlen=int(length), proto=PROTOCOL)

    def remove_address(self, one: Address) -> None:
        """Take an address away.

        With an interface's last address the kernel takes all of its routes
        (fib_disable_ip): those that are not its own, nor ours, are set again.
        """
        text, _, length = one.text.partition("/")
        before = self._others_by(one.interface)
        self._ask("addr", "del", index=self.index(one.interface), address=text, prefixlen=int(length))
        left = self._others_by(one.interface)
        for found in before:
            if found not in left:
                with suppress(Refusal):  # it stood on the address that is gone
                    self._set(*found)

    def _others_by(self, interface: str) -> list[tuple[KernelRoute, int]]:
        return [
            (route, protocol)
            for route, protocol in self.routes()
            if protocol not in (_BY_KERNEL, PROTOCOL) and any(hop.interface == interface for hop in route.hops)
        ]

    def set_route(self, route: KernelRoute) -> None:
        """Add a route, or put it in the place of ours of the same key, at once (NLM_F_REPLACE)."""
        self._set(route, PROTOCOL)

    def _set(self, route: KernelRoute, protocol: int) -> None:
        asked = self._asked(route) | {"proto": protocol}
        if len(route.hops) == 1:
            asked |= self._way(route.hops[0])
            if not route.hops[0].gateway:
                asked["scope"] = _LINK_SCOPE
        elif route.hops:
            asked["multipath"] = [{**self._way(hop), "hops": hop.weight - 1} for hop in route.hops]
        self._ask("route", "replace", **asked)

    def remove_route(self, route: KernelRoute) -> None:
        """Take a route away; that it is gone already is as good."""
        asked = self._asked(route)
        if len(route.hops) == 1:
            with suppress(Refusal):  # its interface may be gone, and then so is the route
                asked |= self._way(route.hops[0])
        self._ask("route", "del", gone=True, **asked)

    def _asked(self, route: KernelRoute) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "family": _IPV4,
            "dst": "default" if route.destination == "0.0.0.0/0" else route.destination,
            "table": route.table,
        }
        if route.metric:
            asked["priority"] = route.metric
        if route.kind != "unicast":
            asked["type"] = route.kind
        return asked

    def _way(self, hop: Hop) -> dict[str, Any]:
        way: dict[str, Any] = {"oif": self.index(hop.interface)}
        if hop.gateway:
            way["gateway"] = hop.gateway
        return way

    def add_rule(self, rule: KernelRule) -> None:
        """Add a routing rule of ours."""
        self._ask("rule", "add", **_asked_rule(rule))

    def remove_rule(self, rule: KernelRule) -> None:
        """Take a rule away."""
        self._ask("rule", "del", gone=True, **_asked_rule(rule, protocol=False))

    def load(self, table: str) -> None:
        """Put our table of nft in the place of the old one, or (empty) take it away: one transaction."""
        text = f"table ip {TABLE}\ndelete table ip {TABLE}\n{table}"
        try:
            self.nft.run(text)
        except NftablesError as error:
            raise Refusal(str(error)) from error

    def _ask(self, what: str, command: str, gone: bool = False, **asked: Any) -> None:  # noqa: ANN401
        from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

        try:
            getattr(self._routing, what)(command, **asked)
        except NetlinkError as error:
            if gone and error.code in (2, 3):  # ENOENT, ESRCH
                return
            raise Refusal(str(error.args[-1])) from error


def _asked_rule(rule: KernelRule, *, protocol: bool = True) -> dict[str, Any]:
    asked: dict[str, Any] = {"family": _IPV4, "priority": rule.priority, "table": rule.table}
    if protocol:
        asked["protocol"] = PROTOCOL
    if rule.mask:
        asked |= {"fwmark": rule.mark, "fwmask": rule.mask}
    if rule.ingress:
        asked["iifname"] = rule.ingress
    if rule.suppress >= 0:
        asked["suppress_prefixlen"] = rule.suppress
    return asked


def open_kernel() -> Kernel:
    """A new connection. DeployError where this machine or this user cannot deploy."""
    try:
        kernel = Kernel()
    except ImportError as error:
        raise DeployError("a deploy to Linux needs pyroute2: install gerbang[deploy]") from error
    except OSError as error:
        raise DeployError(f"the kernel gives no netlink socket: {error}") from error
    if not is_installed():
        kernel.close()
        raise DeployError("a deploy to Linux needs libnftables.so.1 (Debian: libnftables1)")
    return kernel
