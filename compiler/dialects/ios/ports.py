"""Port names of Cisco IOS; TCP and UDP apart, since 512 to 514 differ.

Source: Cisco IOS Security Command Reference, "access-list (IP extended)",
"permit (IP)". IOS prints no ``https`` and no ``ssh``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from compiler.fields import SCTP, TCP, UDP

__all__ = ["ELSEWHERE", "PORTS", "TCP_PORTS", "UDP_PORTS"]

TCP_PORTS: Mapping[str, int] = MappingProxyType(
    {
        "echo": 7,
        "discard": 9,
        "daytime": 13,
        "chargen": 19,
        "ftp-data": 20,
        "ftp": 21,
        "telnet": 23,
        "smtp": 25,
        "time": 37,
        "whois": 43,
        "tacacs": 49,
        "domain": 53,
        "gopher": 70,
        "finger": 79,
        "www": 80,
        "hostname": 101,
        "pop2": 109,
        "pop3": 110,
        "sunrpc": 111,
        "ident": 113,
        "nntp": 119,
        "msrpc": 135,
        "bgp": 179,
        "irc": 194,
        "pim-auto-rp": 496,
        "exec": 512,
        "login": 513,
        "cmd": 514,
        "syslog": 514,
        "lpd": 515,
        "talk": 517,
        "uucp": 540,
        "klogin": 543,
        "kshell": 544,
        "drip": 3949,
        "onep-plain": 15001,
        "onep-tls": 15002,
    }
)
"""TCP; ``syslog`` is read as an alias of ``cmd``."""

UDP_PORTS: Mapping[str, int] = MappingProxyType(
    {
        "echo": 7,
        "discard": 9,
        "time": 37,
        "nameserver": 42,
        "tacacs": 49,
        "domain": 53,
        "bootps": 67,
        "bootpc": 68,
        "tftp": 69,
        "sunrpc": 111,
        "ntp": 123,
        "netbios-ns": 137,
        "netbios-dgm": 138,
        "netbios-ss": 139,
        "snmp": 161,
        "snmptrap": 162,
        "xdmcp": 177,
        "dnsix": 195,
        "mobile-ip": 434,
        "pim-auto-rp": 496,
        "isakmp": 500,
        "biff": 512,
        "who": 513,
        "syslog": 514,
        "talk": 517,
        "rip": 520,
        "ripv6": 521,
        "non500-isakmp": 4500,
    }
)
"""UDP."""

PORTS: Mapping[int, Mapping[str, int]] = MappingProxyType({TCP: TCP_PORTS, UDP: UDP_PORTS, SCTP: MappingProxyType({})})
"""Protocol number -> names; IOS takes ports for these protocols only."""

ELSEWHERE: Mapping[str, int] = MappingProxyType(
    {"https": 443, "ssh": 22, "http": 80, "imap": 143, "ldap": 389, "rdp": 3389, "dns": 53, "radius": 1812}
)
"""Names that people expect and IOS does not have: for the message."""
