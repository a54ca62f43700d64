"""Names and limits of nftables: what ``nft describe`` prints (1.0.6), and its keywords.

Protocol names come from ``/etc/protocols`` and a few keywords of nft's own
grammar. Port names stand in :mod:`compiler.dialects.nftables.services`.
"""

from __future__ import annotations

from compiler.fields import Family
from compiler.policy.ruleset import Hook

__all__ = [
    "COMMENT_BYTES",
    "DSCP",
    "ECN",
    "ETHERTYPES",
    "FAMILIES",
    "FOREIGN_FAMILIES",
    "HOOKS",
    "ICMPV6_CODES",
    "ICMPV6_TYPES",
    "ICMPX_CODES",
    "ICMP_CODES",
    "ICMP_TYPES",
    "KEYWORDS",
    "LOG_LEVELS",
    "LOG_PREFIX_BYTES",
    "NFPROTO",
    "PRIORITIES",
    "PROTOCOLS",
    "TCP_FLAG_NAMES",
    "word_set",
]


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


FAMILIES: dict[str, frozenset[Family]] = {
    "ip": frozenset({Family.IPV4}),
    "ip6": frozenset({Family.IPV6}),
    "inet": frozenset(Family),
}
FOREIGN_FAMILIES = frozenset({"arp", "bridge", "netdev"})

HOOKS: dict[str, Hook] = {hook.value: hook for hook in Hook}

PRIORITIES: dict[str, int] = {
    "raw": -300,
    "mangle": -150,
    "dstnat": -100,
    "filter": 0,
    "security": 50,
    "srcnat": 100,
}

COMMENT_BYTES = 128
"""The longest comment that nft takes, in bytes."""
LOG_PREFIX_BYTES = 127
"""NF_LOG_PREFIXLEN less the terminating zero."""

LOG_LEVELS = frozenset({"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"})

_PROTOCOL_TABLE = """
ip=0 hopopt=0 icmp=1 igmp=2 ggp=3 ipencap=4 st=5 tcp=6 egp=8 igp=9 pup=12 udp=17 hmp=20 xns-idp=22 rdp=27 iso-tp4=29
dccp=33 xtp=36 ddp=37 idpr-cmtp=38 ipv6=41 ipv6-route=43 ipv6-frag=44 idrp=45 rsvp=46 gre=47 esp=50 ah=51 skip=57
ipv6-icmp=58 ipv6-nonxt=59 ipv6-opts=60 rspf=73 vmtp=81 eigrp=88 ospf=89 ax.25=93 ipip=94 etherip=97 encap=98 pim=103
ipcomp=108 vrrp=112 l2tp=115 isis=124 sctp=132 fc=133 mobility-header=135 udplite=136 mpls-in-ip=137 manet=138 hip=139
shim6=140 wesp=141 rohc=142 ethernet=143 IP=0 HOPOPT=0 ICMP=1 IGMP=2 GGP=3 IP-ENCAP=4 ST=5 TCP=6 EGP=8 IGP=9 PUP=12
UDP=17 HMP=20 XNS-IDP=22 RDP=27 ISO-TP4=29 DCCP=33 XTP=36 DDP=37 IDPR-CMTP=38 IPv6=41 IPv6-Route=43 IPv6-Frag=44
IDRP=45 RSVP=46 GRE=47 IPSEC-ESP=50 IPSEC-AH=51 SKIP=57 IPv6-ICMP=58 IPv6-NoNxt=59 IPv6-Opts=60 RSPF=73 CPHB=73
VMTP=81 EIGRP=88 OSPFIGP=89 AX.25=93 IPIP=94 ETHERIP=97 ENCAP=98 PIM=103 IPCOMP=108 VRRP=112 L2TP=115 ISIS=124
SCTP=132 FC=133 Mobility-Header=135 UDPLite=136 MPLS-in-IP=137 HIP=139 Shim6=140 WESP=141 ROHC=142 Ethernet=143
icmpv6=58 comp=108
"""


def _table(text: str) -> dict[str, int]:
    return {name: int(number, 0) for name, _, number in (pair.rpartition("=") for pair in text.split())}


PROTOCOLS = _table(_PROTOCOL_TABLE)
"""IP protocols; ``icmpv6`` and ``comp`` are keywords of nft itself."""

ICMP_TYPES = _table(
    """echo-reply=0 destination-unreachable=3 source-quench=4 redirect=5 echo-request=8 router-advertisement=9
    router-solicitation=10 time-exceeded=11 parameter-problem=12 timestamp-request=13 timestamp-reply=14
    info-request=15 info-reply=16 address-mask-request=17 address-mask-reply=18"""
)
ICMPV6_TYPES = _table(
    """destination-unreachable=1 packet-too-big=2 time-exceeded=3 parameter-problem=4 echo-request=128 echo-reply=129
    mld-listener-query=130 mld-listener-report=131 mld-listener-done=132 mld-listener-reduction=132
    nd-router-solicit=133 nd-router-advert=134 nd-neighbor-solicit=135 nd-neighbor-advert=136 nd-redirect=137
    router-renumbering=138 ind-neighbor-solicit=141 ind-neighbor-advert=142 mld2-listener-report=143"""
)
ICMP_CODES = _table(
    """net-unreachable=0 host-unreachable=1 prot-unreachable=2 port-unreachable=3 frag-needed=4 net-prohibited=9
    host-prohibited=10 admin-prohibited=13"""
)
ICMPV6_CODES = _table(
    "no-route=0 admin-prohibited=1 addr-unreachable=3 port-unreachable=4 policy-fail=5 reject-route=6"
)
ICMPX_CODES = _table("no-route=0 port-unreachable=1 host-unreachable=2 admin-prohibited=3")
DSCP = _table(
    """cs0=0x00 cs1=0x08 cs2=0x10 cs3=0x18 cs4=0x20 cs5=0x28 cs6=0x30 cs7=0x38 df=0x00 be=0x00 lephb=0x01 af11=0x0a
    af12=0x0c af13=0x0e af21=0x12 af22=0x14 af23=0x16 af31=0x1a af32=0x1c af33=0x1e af41=0x22 af42=0x24 af43=0x26
    va=0x2c ef=0x2e"""
)
ECN = _table("not-ect=0 ect1=1 ect0=2 ce=3")
TCP_FLAG_NAMES = _table("fin=0x01 syn=0x02 rst=0x04 psh=0x08 ack=0x10 urg=0x20 ecn=0x40 cwr=0x80")
"""nft calls the ECE bit ``ecn``."""
NFPROTO = _table("ipv4=2 ipv6=10")
ETHERTYPES = _table("ip=0x0800 ip6=0x86dd arp=0x0806 vlan=0x8100 8021q=0x8100 8021ad=0x88a8")

KEYWORDS = word_set(
    """accept add ah all and arp auto-merge bridge cgroup chain comment comp constant continue counter cpu create ct
    day dccp define delete describe destroy device devices dnat drop dst dup dynamic ecn element elements esp ether
    exists expires export fib flags flow flowtable flush frag fwd get goto hbh hook hour icmp icmpv6 iif iifgroup
    iifname iiftype import include inet insert interval ip ip6 ipsec jhash jump last limit list log map mark
    masquerade meta meter mh monitor netdev nftrace not notrack numgen oif oifgroup oifname oiftype or osf pkttype
    policy position priority queue quota random redefine redirect reject rename replace reset return rt rtclassid
    rule ruleset sctp secmark set size skgid skuid snat socket synproxy table tcp th time timeout tproxy tunnel type
    typeof udp udplite undefine update vlan vmap xor xt"""
)
"""Words of the grammar: a chain or set so called could not be written."""
