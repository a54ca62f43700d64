"""Who a lab's lines are: the modems, by the public address that servers see and by the cable that leads to them."""

from __future__ import annotations

from typing import NamedTuple

from compiler.fields import Family
from compiler.simulator.applications.outcome import ConnectionRecord
from labs.topology import Lab, NodeKind

__all__ = ["Line", "line_of", "lines_of", "public_address"]


class Line(NamedTuple):
    """A modem. ``upstream`` is the link to it and its direction (``up`` or ``down``) away from the router inside."""

    name: str
    address: int
    upstream: tuple[str, str]


def lines_of(lab: Lab) -> tuple[Line, ...]:
    """The lines in the order of the lab file."""
    found = []
    for node in lab.nodes:
        if node.kind is not NodeKind.MODEM or node.configuration is None:
            continue
        addresses = {one.name: one.addresses for one in node.configuration.network.interfaces}
        public = [one.address for one in addresses.get(node.uplink, ()) if one.family is Family.IPV4]
        cable = next(
            (
                (link.name, "up" if end == link.ends[1] else "down")
                for link in lab.links
                for end in link.ends
                if end.node == node.name and end.interface != node.uplink
            ),
            ("", "up"),
        )
        if public:
            found.append(Line(node.name, public[0], cable))
    return tuple(found)


def public_address(record: ConnectionRecord) -> int | None:
    """The address that the server saw, or None."""
    return record.seen_as.address if record.seen_as is not None else None


def line_of(lines: tuple[Line, ...], record: ConnectionRecord) -> Line | None:
    """The line by which a connection went, by the address that the server saw."""
    address = public_address(record)
    return next((line for line in lines if line.address == address), None)
