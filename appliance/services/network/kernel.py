"""The running kernel of this thread's namespace: interfaces, addresses and routes of both families, our tables of nft.

The balance's part is read and written by :mod:`compiler.deploy.linux.kernel`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from appliance.services.network.state import TABLES, Address, Held, Link, Route
from compiler.deploy.linux.kernel import Kernel as BalanceKernel
from compiler.deploy.linux.kernel import Refusal, open_kernel
from compiler.deploy.linux.libnftables import NftablesError

__all__ = ["NetworkKernel", "read_setting", "write_setting"]

_FAMILIES = {4: 2, 6: 10}
_MAIN = 254
_UP, _PERMANENT, _CLONED = 0x1, 0x80, 0x200  # IFF_UP; IFA_F_PERMANENT; RTM_F_CLONED
_KINDS = {1: "unicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}  # rtnetlink(7)
_NUMBERS = {name: number for number, name in _KINDS.items()}
_LINK_SCOPE, _LINK_LOCAL = 253, 253
_MORE = ("RTA_MULTIPATH", "RTA_METRICS", "RTA_VIA", "RTA_ENCAP", "RTA_NH_ID", "RTA_FLOW")
_GONE = (2, 3, 99)
"""ENOENT, ESRCH, EADDRNOTAVAIL."""
_PROC = Path("/proc/sys/net")


def read_setting(name: str) -> str | None:
    """A value below /proc/sys/net; None where this kernel does not have it."""
    try:
        return (_PROC / name).read_text().strip()
    except OSError:
        return None


def write_setting(name: str, value: str) -> None:
    """Set one. OSError when the kernel refuses."""
    (_PROC / name).write_text(value)


class NetworkKernel:
    """Sockets to one namespace's kernel, for the thread that made it. DeployError where nothing can be deployed."""

    def __init__(self) -> None:
        self.balance: BalanceKernel = open_kernel()
        from pyroute2 import IPRoute  # type: ignore[import-untyped]

        self._routing = IPRoute()
        self._indexes: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._routing.close()
        self.balance.close()

    # -- reading --------------------------------------------------------------------------------

    def held(self) -> Held:
        """All that stands."""
        links = tuple(self._links())
        addresses = tuple(address for version in _FAMILIES for address in self._addresses(version))
        routes = tuple(route for version in _FAMILIES for route in self._routes(version))
        tables = tuple(self.balance.nft.table(family, name) for family, name in TABLES)
        counted = tuple(
            self.balance.nft.run(f"list table {family} {name}") if table else ""
            for (family, name), table in zip(TABLES, tables, strict=True)
        )
        return Held(links, addresses, routes, tables, counted)

    def _links(self) -> Iterator[Link]:
        self._indexes.clear()
        for found in self._routing.get_links():
            name = found.get("ifname")
            self._indexes[name] = found["index"]
            yield Link(name, bool(found["flags"] & _UP), found.get("mtu") or 0)
        self._names = {index: name for name, index in self._indexes.items()}

    def _addresses(self, version: int) -> Iterator[Address]:
        for found in self._routing.get_addr(family=_FAMILIES[version]):
            if found["scope"] == _LINK_LOCAL and version == 6:
                continue  # the kernel's own, which come and go with the link
            text = f"{found.get('IFA_LOCAL') or found.get('IFA_ADDRESS')}/{found['prefixlen']}"
            flags = found.get("IFA_FLAGS") or found["flags"]
            yield Address(
                self._names.get(found["index"], ""), text, found.get("IFA_PROTO") or 0, bool(flags & _PERMANENT)
            )

    def _routes(self, version: int) -> Iterator[Route]:
        for found in self._routing.get_routes(family=_FAMILIES[version]):
            table = found.get("RTA_TABLE") or found["table"]
            if table != _MAIN or found["type"] not in _KINDS or found["flags"] & _CLONED:
                continue
            kind = _KINDS[found["type"]]
            nowhere = "0.0.0.0" if version == 4 else "::"
            yield Route(
                f"{found.get('RTA_DST') or nowhere}/{found['dst_len']}",
                found.get("RTA_PRIORITY") or 0,
                kind,
                found.get("RTA_GATEWAY") or "",
                # IPv6 says that what leads nowhere leaves by the loopback.
                self._names.get(found.get("RTA_OIF") or 0, "") if kind == "unicast" else "",
                found["proto"],
                found.get("RTA_PREFSRC") or "",
                not any(found.get(name) for name in _MORE) and not found["tos"],
            )

    # -- changing -------------------------------------------------------------------------------

    def set_link(self, link: Link) -> None:
        """Up or down, and its MTU unless that is 0."""
        asked: dict[str, Any] = {"mtu": link.mtu} if link.mtu else {}
        self._ask("link", "set", index=self._index(link.name), state="up" if link.up else "down", **asked)

    def add_address(self, one: Address) -> None:
        """Give an interface an address."""
        asked = self._asked_address(one)
        self._ask("addr", "add", **(asked | {"proto": one.protocol} if one.protocol else asked))

    def remove_address(self, one: Address) -> None:
        """Take an address away; that it is gone already is as good."""
        self._ask("addr", "del", gone=True, **self._asked_address(one))

    def _asked_address(self, one: Address) -> dict[str, Any]:
        text, _, length = one.text.partition("/")
        family = _FAMILIES[one.version]
        return {"index": self._index(one.interface), "address": text, "prefixlen": int(length), "family": family}

    def set_route(self, route: Route, *, replace: bool) -> None:
        """Add a route, or put it in the place of ours of the same key, at once (NLM_F_REPLACE)."""
        asked = self._asked_route(route) | {"proto": route.protocol}
        if route.kind == "unicast" and not route.gateway and route.version == 4:
            asked["scope"] = _LINK_SCOPE
        if route.source:
            asked["prefsrc"] = route.source
        self._ask("route", "replace" if replace else "add", **asked)

    def remove_route(self, route: Route) -> None:
        """Take a route away; that it is gone already is as good."""
        self._ask("route", "del", gone=True, **self._asked_route(route), proto=route.protocol)

    def _asked_route(self, route: Route) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "family": _FAMILIES[route.version],
            "dst": route.destination,
            "table": _MAIN,
            "type": _NUMBERS[route.kind],
        }
        if route.metric:
            asked["priority"] = route.metric
        if route.gateway:
            asked["gateway"] = route.gateway
        if route.interface:
            asked["oif"] = self._index(route.interface)
        return asked

    def load(self, text: str) -> None:
        """Commands of nft, in one transaction."""
        try:
            self.balance.nft.run(text)
        except NftablesError as error:
            raise Refusal(str(error)) from error

    def _index(self, name: str) -> int:
        if name not in self._indexes:
            raise Refusal(f"there is no interface {name}")
        return self._indexes[name]

    def _ask(self, what: str, command: str, gone: bool = False, **asked: Any) -> None:
        from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

        try:
            getattr(self._routing, what)(command, **asked)
        except NetlinkError as error:
            if gone and error.code in _GONE:
                return
            raise Refusal(str(error.args[-1])) from error
