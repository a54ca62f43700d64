"""What RouterOS knows: menus, properties, protocol names.

Sources: MikroTik documentation ("Filter", "RAW", "Address-lists", "Common
Firewall Matchers and Actions", the command reference of ``/ip/firewall`` and
``/ipv6/firewall``), and the IANA registry of protocol numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from compiler.fields import Family

__all__ = [
    "ACTIONS",
    "ADDRESS_LISTS",
    "ANSWERS",
    "BASE_CHAINS",
    "INERT",
    "INTERFACE_GROUPS",
    "MATCHERS",
    "MENUS",
    "OTHER_FIREWALL_MENUS",
    "PROPERTIES",
    "PROTOCOLS",
    "REQUIRED",
    "RULE_MENUS",
    "TOP_MENUS",
    "UNMODELLED_MATCHERS",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RULE_MENUS: Mapping[tuple[str, ...], tuple[str, Family]] = MappingProxyType(
    {
        ("ip", "firewall", "filter"): ("ip filter", Family.IPV4),
        ("ip", "firewall", "raw"): ("ip raw", Family.IPV4),
        ("ipv6", "firewall", "filter"): ("ipv6 filter", Family.IPV6),
        ("ipv6", "firewall", "raw"): ("ipv6 raw", Family.IPV6),
    }
)
"""Menu -> the table's name in the tree, and its family."""

ADDRESS_LISTS = MappingProxyType(
    {("ip", "firewall", "address-list"): Family.IPV4, ("ipv6", "firewall", "address-list"): Family.IPV6}
)

MENUS = frozenset({*RULE_MENUS, *ADDRESS_LISTS, ("interface", "list"), ("interface", "list", "member")})
"""The menus whose tables are modelled."""

BASE_CHAINS = MappingProxyType(
    {
        "raw": (("prerouting", -300), ("output", -300)),
        "filter": (("input", 0), ("forward", 0), ("output", 0)),
    }
)
"""Built-in chains and their priorities; what falls through them is accepted."""

OTHER_FIREWALL_MENUS = _words("nat mangle connection layer7-protocol service-port calea tracking timeouts")
"""Under ``/ip firewall`` and ``/ipv6 firewall``, beside the modelled ones."""

TOP_MENUS = _words(
    "app beep caps-man certificate console container disk dot1x driver dude export file import interface iot ip ipv6 "
    "isdn-channels lcd led log lora metarouter mpls openflow partitions password ping port ppp queue quit radius redo "
    "rip routing security serial-terminal setup snmp special-login store system task tool tr069-client "
    "undo user user-manager virtual-network wireless zerotier"
)
"""The first words of paths."""

_COMMON_ACTIONS = _words("accept add-dst-to-address-list add-src-to-address-list drop jump log passthrough return")
ACTIONS = MappingProxyType(
    {
        "raw": _COMMON_ACTIONS | {"notrack"},
        "filter": _COMMON_ACTIONS | {"reject", "tarpit", "fasttrack-connection"},
    }
)

ANSWERS = MappingProxyType(
    {
        Family.IPV4: _words(
            "icmp-network-unreachable icmp-host-unreachable icmp-port-unreachable icmp-protocol-unreachable "
            "icmp-net-prohibited icmp-host-prohibited icmp-admin-prohibited tcp-reset icmp-echo-reply "
            "echo-reply"
        ),
        Family.IPV6: _words(
            "icmp-no-route icmp-admin-prohibited icmp-not-neighbour icmp-address-unreachable icmp-port-unreachable "
            "tcp-reset icmp-err-src-routing-header icmp-headers-too-long"
        ),
    }
)
"""Values of ``reject-with``."""

MATCHERS = _words(
    "src-address dst-address src-address-list dst-address-list protocol src-port dst-port port tcp-flags icmp-options "
    "dscp ttl hop-limit fragment in-interface out-interface in-interface-list out-interface-list time"
)
"""The matchers that are modelled."""

UNMODELLED_MATCHERS = _words(
    "address-type connection-bytes connection-limit connection-mark connection-nat-state connection-rate "
    "connection-state connection-type content dst-address-type dst-limit fp hotspot headers helper in-bridge-port "
    "in-bridge-port-list ingress-priority ipsec-policy ipv4-options layer7-protocol limit nth out-bridge-port "
    "out-bridge-port-list p2p packet-mark packet-size packet-type per-connection-classifier priority psd random realm "
    "routing-mark routing-table src-address-type src-mac-address tcp-mss tls-host"
)
"""Matchers that look at connections, rates, marks or content: outside the model."""

INERT = _words(
    "action chain jump-target reject-with comment disabled log log-prefix address-list address-list-timeout hw-offload"
)
"""Properties of a rule that match nothing."""

INTERFACE_GROUPS = _words("all-ethernet all-ppp all-vlan all-wireless dynamic none static")
"""Words that stand for several interfaces where a name may stand; ``all`` stands for every one."""

PROPERTIES = MappingProxyType(
    {
        ("ip", "firewall", "address-list"): _words("list address comment disabled timeout dynamic creation-time"),
        ("ipv6", "firewall", "address-list"): _words("list address comment disabled timeout dynamic creation-time"),
        ("interface", "list"): _words("name include exclude comment dynamic builtin"),
        ("interface", "list", "member"): _words("list interface comment disabled dynamic"),
    }
)
"""Properties of the rows of tables that hold no rules."""

REQUIRED = MappingProxyType(
    {
        ("ip", "firewall", "address-list"): ("list", "address"),
        ("ipv6", "firewall", "address-list"): ("list", "address"),
        ("interface", "list"): ("name",),
        ("interface", "list", "member"): ("list", "interface"),
    }
)
"""Properties that such rows must have."""

PROTOCOLS = MappingProxyType(
    {
        "icmp": 1,
        "igmp": 2,
        "ggp": 3,
        "ip-encap": 4,
        "ipencap": 4,
        "st": 5,
        "tcp": 6,
        "egp": 8,
        "pup": 12,
        "udp": 17,
        "hmp": 20,
        "xns-idp": 22,
        "rdp": 27,
        "iso-tp4": 29,
        "dccp": 33,
        "xtp": 36,
        "ddp": 37,
        "idpr-cmtp": 38,
        "ipv6": 41,
        "ipv6-encap": 41,
        "ipv6-route": 43,
        "ipv6-frag": 44,
        "rsvp": 46,
        "gre": 47,
        "ipsec-esp": 50,
        "ipsec-ah": 51,
        "icmpv6": 58,
        "ipv6-nonxt": 59,
        "ipv6-opts": 60,
        "rspf": 73,
        "vmtp": 81,
        "ospf": 89,
        "ipip": 94,
        "etherip": 97,
        "encap": 98,
        "pim": 103,
        "vrrp": 112,
        "l2tp": 115,
        "sctp": 132,
        "udp-lite": 136,
    }
)
"""Protocol names of the console."""
