"""Routes of one table and family, found by the longest prefix."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.policy.network import Route

__all__ = ["RouteTable"]


class RouteTable:
    """Routes by prefix, longest first, nearest first."""

    def __init__(self) -> None:
        self.lengths: tuple[int, ...] = ()
        self._routes: dict[tuple[int, int], list[Route]] = {}

    def add(self, route: Route) -> None:
        """Put a route in, behind those to its prefix that are as near."""
        prefix = route.prefix
        key = prefix.length, prefix.value >> prefix.family.width - prefix.length
        if key not in self._routes:
            self.lengths = tuple(sorted({*self.lengths, prefix.length}, reverse=True))
        routes = self._routes.setdefault(key, [])
        routes.append(route)
        routes.sort(key=lambda one: one.distance)

    def covering(self, address: int, width: int) -> Iterator[list[Route]]:
        """The routes to each prefix around the address, longest first."""
        for length in self.lengths:
            routes = self._routes.get((length, address >> width - length))
            if routes:
                yield routes
