"""Interface addresses: no part of the tree, so the text is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compiler.analysis.findings.finding import Finding
from compiler.analysis.findings.lints.catalogue import finding
from compiler.policy.access_list import Device
from compiler.source import Span

__all__ = ["interface_findings"]

_INTERFACE = re.compile(r"interface\s+(\S+)", re.IGNORECASE)
_ADDRESS = re.compile(r"\s+ip\s+address\s+(?P<address>\d+\.\d+\.\d+\.\d+\s+255\.255\.255\.255)\b", re.IGNORECASE)
_ALONE = re.compile(r"loopback|lo\d|dialer|di\d|virtual-|async|cellular|tunnel|tu\d", re.IGNORECASE)
"""Interfaces on which an address alone is in order."""


def interface_findings(device: Device) -> Iterator[Finding]:
    """Interfaces of a link that have a mask of 255.255.255.255."""
    name = ""
    for number, line in enumerate(device.lines, 1):
        opened = _INTERFACE.match(line)
        if opened:
            name = opened[1]
            continue
        if not line[:1].isspace():
            name = ""
            continue
        found = _ADDRESS.match(line)
        if found and name and not _ALONE.match(name):
            yield finding(
                "host-mask-on-link",
                f"interface {name} has a /32: no neighbour is on a connected network, so the other end of the link "
                "is not reachable; both ends take one common subnet (255.255.255.252, or 255.255.255.254 by RFC 3021)",
                Span(device.source, number, found.start("address") + 1, found.end("address") + 1),
            )
