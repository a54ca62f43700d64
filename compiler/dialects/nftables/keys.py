"""What a clause may look at (``ip saddr``, ``tcp dport``, ``meta l4proto``), and where that lies in a Match."""

from __future__ import annotations

from typing import NamedTuple

from compiler.dialects.nftables.datatypes import DATATYPES, DataType, integer_type
from compiler.dialects.nftables.facts import word_set
from compiler.fields import Family
from compiler.integers import IntegerSet

__all__ = ["KEYS", "RAW_KEYS", "UNMODELLED_WORDS", "Key", "unmodelled_reason"]


class Key(NamedTuple):
    """One expression of nft: the field it reads, and what reading it presupposes."""

    text: str
    field: str
    kind: DataType
    family: Family | None = None
    protocols: IntegerSet | None = None
    ports: bool = False
    """Reads ports whatever the protocol is (``th dport``)."""
    octet: tuple[int, int] = (0, 8)
    """For parts of the traffic class: how far left, and how wide."""


def _type(name: str) -> DataType:
    return DATATYPES[name]


_PORTS = {"tcp": 6, "udp": 17, "dccp": 33, "sctp": 132, "udplite": 136}
_V4, _V6 = Family.IPV4, Family.IPV6
_ICMP, _ICMPV6 = IntegerSet.values(1), IntegerSet.values(58)


def _keys() -> dict[tuple[str, str], Key]:
    found: dict[tuple[str, str], Key] = {}

    def add(first: str, second: str, key: Key) -> None:
        found[(first, second)] = key

    for word, family, width in (("ip", _V4, "ipv4_addr"), ("ip6", _V6, "ipv6_addr")):
        add(word, "saddr", Key(f"{word} saddr", "source", _type(width), family))
        add(word, "daddr", Key(f"{word} daddr", "destination", _type(width), family))
        add(word, "dscp", Key(f"{word} dscp", "traffic_class", _type("dscp"), family, octet=(2, 6)))
        add(word, "ecn", Key(f"{word} ecn", "traffic_class", _type("ecn"), family, octet=(0, 2)))
    add("ip", "ttl", Key("ip ttl", "ttl", integer_type(8), _V4))
    add("ip6", "hoplimit", Key("ip6 hoplimit", "ttl", integer_type(8), _V6))
    add("ip", "protocol", Key("ip protocol", "protocol", _type("inet_proto"), _V4))
    for word, number in _PORTS.items():
        protocol = IntegerSet.values(number)
        add(word, "sport", Key(f"{word} sport", "source_port", _type("inet_service"), None, protocol))
        add(word, "dport", Key(f"{word} dport", "destination_port", _type("inet_service"), None, protocol))
    add("th", "sport", Key("th sport", "source_port", _type("inet_service"), ports=True))
    add("th", "dport", Key("th dport", "destination_port", _type("inet_service"), ports=True))
    add("tcp", "flags", Key("tcp flags", "tcp_flags", _type("tcp_flag"), None, IntegerSet.values(6)))
    add("icmp", "type", Key("icmp type", "icmp_type", _type("icmp_type"), _V4, _ICMP))
    add("icmp", "code", Key("icmp code", "icmp_code", _type("icmp_code"), _V4, _ICMP))
    add("icmpv6", "type", Key("icmpv6 type", "icmp_type", _type("icmpv6_type"), _V6, _ICMPV6))
    add("icmpv6", "code", Key("icmpv6 code", "icmp_code", _type("icmpv6_code"), _V6, _ICMPV6))
    add("meta", "l4proto", Key("meta l4proto", "protocol", _type("inet_proto")))
    add("meta", "nfproto", Key("meta nfproto", "family", _type("nf_proto")))
    add("meta", "protocol", Key("meta protocol", "family", _type("ether_type")))
    for word, kind in (("iifname", "ifname"), ("iif", "iface_index")):
        add("meta", word, Key(word, "ingress", _type(kind)))
    for word, kind in (("oifname", "ifname"), ("oif", "iface_index")):
        add("meta", word, Key(word, "egress", _type(kind)))
    return found


KEYS: dict[str, dict[str, Key]] = {}
"""First word, second word; the second is empty for ``iifname`` and its like."""
for (_first, _second), _key in _keys().items():
    KEYS.setdefault(_first, {})[_second] = _key
for _word in ("iif", "iifname", "oif", "oifname"):
    KEYS[_word] = {"": KEYS["meta"][_word]}

_TH = KEYS["th"]
RAW_KEYS: dict[tuple[str, str, str], Key] = {
    ("@nh", "8", "8"): Key("@nh,8,8", "traffic_class", integer_type(8), _V4),
    ("@nh", "4", "8"): Key("@nh,4,8", "traffic_class", integer_type(8), _V6),
    ("@th", "0", "16"): _TH["sport"],
    ("@th", "16", "16"): _TH["dport"],
}
"""Raw payload expressions that are fields of the model; the family must already be certain."""

UNMODELLED_WORDS: dict[str, frozenset[str]] = {
    "ip": frozenset({"version", "hdrlength", "length", "id", "frag-off", "checksum", "option"}),
    "ip6": frozenset({"version", "flowlabel", "length", "nexthdr"}),
    "tcp": frozenset({"sequence", "ackseq", "doff", "reserved", "window", "checksum", "urgptr", "option"}),
    "udp": frozenset({"length", "checksum"}),
    "udplite": frozenset({"csumcov", "checksum"}),
    "sctp": frozenset({"vtag", "checksum", "chunk"}),
    "dccp": frozenset({"type", "option"}),
    "icmp": frozenset({"checksum", "id", "sequence", "mtu", "gateway"}),
    "icmpv6": frozenset(
        {"checksum", "parameter-problem", "packet-too-big", "id", "sequence", "max-delay", "taddr", "daddr"}
    ),
    "igmp": frozenset({"type", "mrt", "checksum", "group"}),
    "meta": word_set(
        """length priority random secmark mark skuid skgid nftrace rtclassid pkttype cpu iifgroup oifgroup cgroup
        ipsec secpath iifkind oifkind iiftype oiftype time hour day broute ibrname obrname ibriport obriport ibrvproto
        ibrpvid sdif sdifname"""
    ),
    "frag": frozenset({"nexthdr", "reserved", "frag-off", "reserved2", "more-fragments", "id"}),
    "hbh": frozenset({"nexthdr", "hdrlength"}),
    "rt": frozenset({"nexthdr", "hdrlength", "type", "seg-left", "classid", "nexthop", "mtu", "ipsec", "ip", "ip6"}),
    "rt0": frozenset({"addr"}),
    "rt2": frozenset({"addr"}),
    "srh": frozenset({"last-entry", "flags", "tag", "sid"}),
    "rt4": frozenset({"last-entry", "flags", "tag", "sid"}),
    "dst": frozenset({"nexthdr", "hdrlength"}),
    "mh": frozenset({"nexthdr", "hdrlength", "type", "reserved", "checksum"}),
    "ah": frozenset({"nexthdr", "hdrlength", "reserved", "spi", "sequence"}),
    "esp": frozenset({"spi", "sequence"}),
    "comp": frozenset({"nexthdr", "flags", "cpi"}),
    "ether": frozenset({"saddr", "daddr", "type"}),
    "vlan": frozenset({"id", "dei", "cfi", "pcp", "type"}),
    "arp": frozenset({"htype", "ptype", "hlen", "plen", "operation", "saddr", "daddr"}),
    "gre": frozenset({"flags", "version", "protocol", "ip", "ip6", "ether", "tcp", "udp", "icmp", "icmpv6"}),
    "vxlan": frozenset({"flags", "vni", "ip", "ip6", "ether", "tcp", "udp", "icmp", "icmpv6"}),
    "geneve": frozenset({"vni", "type", "ip", "ip6", "ether", "tcp", "udp", "icmp", "icmpv6"}),
}
"""Second words that nft knows and the model does not."""


def unmodelled_reason(first: str, second: str) -> str:
    """Why a known expression is outside the model, or what to write instead."""
    if (first, second) == ("ip6", "nexthdr"):
        return "it misses packets with extension headers: write meta l4proto"
    if (first, second) in (("ip", "frag-off"), ("frag", "frag-off")):
        return "only whether the fragment offset is zero is modelled: & 0x1fff == 0 or != 0"
    return ""
