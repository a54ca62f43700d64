"""The wildcard paper's lab: ten wildcards, two base addresses, one FTP server.

``labs/ftp-filter`` holds the twenty configurations and the published counts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from compiler.addresses import AddressSet, Wildcard, parse_address
from compiler.analysis.explanation.address_table import AddressTable, address_table
from compiler.dialects.ios.reader import read
from compiler.fields import TCP, Family
from compiler.policy.access_list import Device
from compiler.policy.packet import Packet

__all__ = ["BASES", "CLIENTS", "FOLDER", "Case", "cases", "client_table", "device"]

FOLDER = Path(__file__).parent / "ftp-filter"
BASES = ("172.16.6.0", "172.16.0.0")
CLIENTS = AddressSet.wildcard(Wildcard.prefix(parse_address("172.16.0.0")[0], 16))
SERVER = parse_address("10.0.0.2")[0]
FTP_CONTROL = 21


class Case(NamedTuple):
    """One wildcard under one base address, with the number of clients that it should keep out."""

    name: str
    base: str
    wildcard: str
    denied: int
    base_of_table: str
    """The base for which the paper's table was computed; the paper's command may name the other."""

    @property
    def configuration(self) -> Path:
        """The running configuration of the router."""
        return FOLDER / "configurations" / f"case-{self.name}-base-{self.base}.cfg"


def cases() -> Iterator[Case]:
    """The ten cases under both bases."""
    with (FOLDER / "cases.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            for base in BASES:
                denied = int(row[f"denied_in_16_base_{base}"])
                yield Case(row["case"], base, row["wildcard"], denied, row["table_base"])


def device(case: Case) -> Device:
    """The router's configuration, read."""
    name = case.configuration.relative_to(FOLDER.parent.parent)
    return read(case.configuration.read_text(), str(name))


def client_table(router: Device) -> AddressTable:
    """Which clients of 172.16.0.0/16 reach TCP port 21 of the server, as ranges."""
    access_list = router.find("101", Family.IPV4)
    assert access_list is not None
    first = Packet(Family.IPV4, CLIENTS.ranges[0][0], SERVER, TCP, 1025, FTP_CONTROL, 0x02)
    return address_table(access_list, first, CLIENTS)
