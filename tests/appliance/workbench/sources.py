"""Configurations that the tests of the workbench use."""

from __future__ import annotations

import csv
from pathlib import Path

import labs

LABS = Path(labs.__file__).parent
FTP_FILTER = LABS / "ftp-filter"

BOUND = """hostname edge
!
interface GigabitEthernet0/2
 ip address 172.16.6.254 255.255.0.0
 ip access-group 101 in
!
access-list 101 deny tcp 172.16.6.0 0.0.0.252 host 10.0.0.2 eq ftp
access-list 101 permit ip any any
!
end
"""
WIDER = BOUND.replace("0.0.0.252", "0.0.0.248")
MAPPED = (("GigabitEthernet0/2", "eth1"),)


def paper_cases() -> list[tuple[str, Path, int]]:
    """The ten cases of the wildcard paper: name, configuration on the table's base, clients denied of 65,536."""
    with (FTP_FILTER / "cases.csv").open() as file:
        return [
            (
                row["case"],
                FTP_FILTER / "configurations" / f"case-{row['case']}-base-{row['table_base']}.cfg",
                int(row[f"denied_in_16_base_{row['table_base']}"]),
            )
            for row in csv.DictReader(file)
        ]


def nothing(_value: object) -> None:
    """Hear no progress."""
