"""Twenty mistakes that people make in policies, each beside the right text and the property that it breaks."""

from __future__ import annotations

from dataclasses import dataclass, field

from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match
from compiler.testing.headers import Headers, packets

__all__ = ["FAULTS", "Claim", "PolicyFault"]


@dataclass(frozen=True)
class Claim:
    """All (``passes``) or none of these packets pass, in by ``ingress`` and out by ``egress`` where they are given."""

    passes: bool
    headers: Headers
    ingress: str | None = None
    egress: str | None = None


@dataclass(frozen=True)
class PolicyFault:
    """``right`` holds, ``faulty`` does not; ``packet`` and ``rule`` are what Hypothesis must leave of that."""

    name: str
    right: str
    faulty: str
    claims: tuple[Claim, ...]
    packet: str
    rule: str
    family: Family = Family.IPV4
    dialect: str = field(default="ios")


def _all(*words: str, **more: str) -> Claim:
    return Claim(True, packets(*words, **more))


def _none(*words: str, **more: str) -> Claim:
    return Claim(False, packets(*words, **more))


def _rest(headers: Headers, *without: Headers) -> Claim:
    for one in without:
        headers = headers - one
    return Claim(False, headers)


def _list(*lines: str, head: str = "ip access-list extended 101") -> str:
    return "\n".join((head, *(f" {line}" for line in lines), ""))


def _swap(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, (old, text)
    return text.replace(old, new)


_SYN = Headers(
    (
        packets(protocol="tcp")
        .parts[0]
        ._replace(
            match=Match(protocol=IntegerSet.values(6), tcp_flags=IntegerSet.values(2), noninitial=False),
            words="openings",
        ),
    )
)

_CLIENTS = _list("permit tcp 172.16.6.4 0.0.0.3 host 10.0.0.2 eq 21")
_OFFICE = _list("permit tcp 10.0.0.0 0.0.0.255 any eq 80", "deny ip 10.0.0.0 0.0.0.255 any", "permit ip any any")
_FTP = _list("permit tcp any host 10.0.0.2 range 20 21")
_RTP = _list("permit udp any any range 6000 6010")
_GUESTS = _list("deny ip 10.9.0.0 0.0.255.255 10.0.0.0 0.0.0.255", "permit ip any any")
_PRINTER = _list("permit ip host 10.0.0.7 any", "deny ip 10.0.0.0 0.0.0.255 any", "permit ip any any")
_DNS = _list("permit udp any host 10.0.0.53 eq domain", "permit tcp any host 10.0.0.53 eq domain")
_SIX = _list(
    "permit icmp any any nd-ns",
    "permit icmp any any nd-na",
    "permit tcp any any eq 80",
    "deny ipv6 any any",
    head="ipv6 access-list SIX",
)
_BACK = _list("permit tcp any eq 80 any established")
_HIGH = _list("permit udp any any gt 1023")
_LOG = _list("permit udp any host 10.0.0.5 eq 514")
_TELNET = _list("deny tcp any any eq telnet", "permit ip any any")
_SERVER = _list("deny ip any host 10.0.0.9", "permit ip any any")
_PING = _list("permit icmp any any unreachable", "deny icmp any any", "permit ip any any")
_BOUND = (
    "interface GigabitEthernet0/1\n ip access-group 101 in\n"
    "interface GigabitEthernet0/2\n ip address 10.2.0.1 255.255.255.0\n"
    + _list("deny ip any host 10.0.0.9", "permit ip any any")
)
_NFT = """\
table ip filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ip saddr 10.0.0.6 drop
		ip saddr 10.0.0.0/24 tcp dport 22 accept
	}
}
"""
_ROS = """\
/ip firewall filter
add chain=forward action=drop in-interface=ether1 protocol=tcp dst-port=25
"""
_ROS_LIST = """\
/ip firewall address-list
add list=admins address=10.0.0.8/30
/ip firewall filter
add chain=forward action=accept src-address-list=admins
add chain=forward action=drop
"""

FAULTS = (
    PolicyFault(
        "wildcard too wide by a bit",
        _CLIENTS,
        _swap(_CLIENTS, "0.0.0.3", "0.0.0.7"),
        (_all("172.16.6.4/30", "10.0.0.2", "tcp/21"), _rest(packets("172.16.6.0/24"), packets("172.16.6.4/30"))),
        "tcp 172.16.6.0:1025 > 10.0.0.2:21 flags=syn",
        "permit tcp 172.16.6.4 0.0.0.7 host 10.0.0.2 eq 21",
    ),
    PolicyFault(
        "netmask for wildcard",
        _OFFICE,
        _swap(_OFFICE, "permit tcp 10.0.0.0 0.0.0.255", "permit tcp 10.0.0.0 255.255.255.0"),
        (_all("10.0.0.1-10.0.0.254", "", "tcp/80"),),
        "tcp 10.0.0.1:1025 > 198.51.100.1:80 flags=syn",
        "deny ip 10.0.0.0 0.0.0.255 any",
    ),
    PolicyFault(
        "source and destination swapped",
        _FTP,
        _list("permit tcp host 10.0.0.2 any range 20 21"),
        (_all("", "10.0.0.2", "tcp/21"),),
        "tcp 192.0.2.1:1025 > 10.0.0.2:21 flags=syn",
        "the implicit deny at the end of the list",
    ),
    PolicyFault(
        "range ends one late",
        _FTP,
        _swap(_FTP, "20 21", "20 22"),
        (_all("", "10.0.0.2", "tcp/20-21"), _none("", "10.0.0.2", "tcp/22-65535")),
        "tcp 192.0.2.1:1025 > 10.0.0.2:22 flags=syn",
        "permit tcp any host 10.0.0.2 range 20 22",
    ),
    PolicyFault(
        "range begins one late",
        _RTP,
        _swap(_RTP, "6000 6010", "6001 6010"),
        (_all("", "", "udp/6000-6010"),),
        "udp 192.0.2.1:1025 > 198.51.100.1:6000",
        "the implicit deny at the end of the list",
    ),
    PolicyFault(
        "rules in the wrong order",
        _GUESTS,
        _list("permit ip any any", "deny ip 10.9.0.0 0.0.255.255 10.0.0.0 0.0.0.255"),
        (_none("10.9.0.0/16", "10.0.0.0/24"),),
        "tcp 10.9.0.0:1025 > 10.0.0.0:80 flags=syn",
        "permit ip any any",
    ),
    PolicyFault(
        "list bound in the wrong direction",
        _BOUND,
        _swap(_BOUND, "101 in", "101 out"),
        (Claim(False, packets("", "10.0.0.9"), "GigabitEthernet0/1", "GigabitEthernet0/2"),),
        "tcp 192.0.2.1:1025 > 10.0.0.9:80 flags=syn in=GigabitEthernet0/1 out=GigabitEthernet0/2",
        "no list looks at it",
    ),
    PolicyFault(
        "permit shadowed by a deny",
        _PRINTER,
        _list("deny ip 10.0.0.0 0.0.0.255 any", "permit ip host 10.0.0.7 any", "permit ip any any"),
        (_all("10.0.0.7"),),
        "tcp 10.0.0.7:1025 > 198.51.100.1:80 flags=syn",
        "deny ip 10.0.0.0 0.0.0.255 any",
    ),
    PolicyFault(
        "DNS over TCP forgotten",
        _DNS,
        _list("permit udp any host 10.0.0.53 eq domain"),
        (_all("", "10.0.0.53", "udp/53"), _all("", "10.0.0.53", "tcp/53")),
        "tcp 192.0.2.1:1025 > 10.0.0.53:53 flags=syn",
        "the implicit deny at the end of the list",
    ),
    PolicyFault(
        "neighbour discovery denied",
        _SIX,
        _list("permit tcp any any eq 80", "deny ipv6 any any", head="ipv6 access-list SIX"),
        (_all("2000::/3", "", icmp="135"),),
        "icmpv6 2000:: > 2001:db8::2 type=135 code=0",
        "deny ipv6 any any",
        Family.IPV6,
    ),
    PolicyFault(
        "answers without established",
        _BACK,
        _list("permit tcp any eq 80 any"),
        (Claim(False, _SYN),),
        "tcp 192.0.2.1:80 > 198.51.100.1:80 flags=syn",
        "permit tcp any eq 80 any",
    ),
    PolicyFault(
        "eq for gt",
        _HIGH,
        _swap(_HIGH, "gt 1023", "eq 1023"),
        (_all("", "", "udp/1024-65535"),),
        "udp 192.0.2.1:1025 > 198.51.100.1:1024",
        "the implicit deny at the end of the list",
    ),
    PolicyFault(
        "TCP for UDP",
        _LOG,
        _swap(_LOG, "udp", "tcp"),
        (_all("", "10.0.0.5", "udp/514"),),
        "udp 192.0.2.1:1025 > 10.0.0.5:514",
        "the implicit deny at the end of the list",
    ),
    PolicyFault(
        "implicit deny not thought of",
        _TELNET,
        _list("deny tcp any any eq telnet"),
        (_all("", "", "tcp/80"),),
        "tcp 192.0.2.1:1025 > 198.51.100.1:80 flags=syn",
        "the implicit deny at the end of the list",
    ),
    PolicyFault(
        "only TCP and UDP denied",
        _SERVER,
        _list("deny tcp any host 10.0.0.9", "deny udp any host 10.0.0.9", "permit ip any any"),
        (_none("", "10.0.0.9"),),
        "icmp 192.0.2.1 > 10.0.0.9 type=8 code=0",
        "permit ip any any",
    ),
    PolicyFault(
        "path MTU discovery denied",
        _PING,
        _list("deny icmp any any", "permit ip any any"),
        (_all(icmp="3"),),
        "icmp 192.0.2.1 > 198.51.100.1 type=3 code=0",
        "deny icmp any any",
    ),
    PolicyFault(
        "policy accept",
        _NFT,
        _swap(_NFT, "policy drop", "policy accept"),
        (_all("10.0.0.7", "", "tcp/22"), _none("10.1.0.0/16", "", "tcp/22")),
        "tcp 10.1.0.0:1025 > 198.51.100.1:22 flags=syn",
        "the policy of chain forward",
        dialect="nftables",
    ),
    PolicyFault(
        "condition lost",
        _NFT,
        _swap(_NFT, "ip saddr 10.0.0.0/24 ", ""),
        (_all("10.0.0.7", "", "tcp/22"), _none("10.1.0.0/16", "", "tcp/22")),
        "tcp 10.1.0.0:1025 > 198.51.100.1:22 flags=syn",
        "tcp dport 22 accept",
        dialect="nftables",
    ),
    PolicyFault(
        "rule in the chain of the router itself",
        _ROS,
        _swap(_ROS, "chain=forward", "chain=input"),
        (Claim(False, packets("0.0.0.0/0", "", "tcp/25"), "ether1"),),
        "tcp 192.0.2.1:1025 > 198.51.100.1:25 flags=syn in=ether1",
        "no list looks at it",
        dialect="routeros",
    ),
    PolicyFault(
        "network of a list too large",
        _ROS_LIST,
        _swap(_ROS_LIST, "10.0.0.8/30", "10.0.0.8/29"),
        (_all("10.0.0.8/30"), _none("10.0.0.12/30")),
        "tcp 10.0.0.12:1025 > 198.51.100.1:80 flags=syn",
        "add chain=forward action=accept src-address-list=admins",
        dialect="routeros",
    ),
)
