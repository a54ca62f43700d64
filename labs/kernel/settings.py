"""Kernel settings of a node, all said: namespaces inherit some from the host and not others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from compiler.policy.network import Network

__all__ = ["apply", "host_settings", "router_settings", "silent_settings"]

Settings = dict[str, str]

_IPV6_OFF = {"net/ipv6/conf/all/disable_ipv6": "1", "net/ipv6/conf/default/disable_ipv6": "1"}

_NODE = {
    "net/ipv4/ip_forward": "0",
    "net/ipv4/ip_default_ttl": "64",
    "net/ipv4/ip_local_port_range": "32768\t60999",
    # Not icmp_ratelimit 0: that spends what the errors of routing are limited by (inet_peer_xrlim_allow, ip_error).
    "net/ipv4/icmp_ratemask": "0",
    "net/ipv4/icmp_msgs_per_sec": "1000000",
    "net/ipv4/icmp_msgs_burst": "1000000",
    "net/ipv4/icmp_errors_use_inbound_ifaddr": "0",
    "net/ipv4/icmp_echo_ignore_all": "0",
    "net/ipv4/ping_group_range": "1\t0",
    "net/ipv4/tcp_sack": "1",
    "net/ipv4/tcp_timestamps": "1",
    "net/ipv4/tcp_window_scaling": "1",
    "net/ipv4/tcp_ecn": "2",
    "net/ipv4/tcp_syn_retries": "6",
    "net/ipv4/tcp_synack_retries": "5",
    "net/ipv4/tcp_no_metrics_save": "1",
    "net/ipv4/tcp_invalid_ratelimit": "0",
    "net/ipv4/tcp_rmem": "4096\t131072\t6291456",
    "net/ipv4/tcp_wmem": "4096\t16384\t4194304",
    "net/core/somaxconn": "65535",
    "net/ipv4/tcp_max_syn_backlog": "65535",
}

_IPV4_INTERFACE = {
    "rp_filter": "0",
    "accept_redirects": "0",
    "send_redirects": "0",
    "accept_source_route": "0",
    "arp_ignore": "0",
    "arp_announce": "0",
    "log_martians": "0",
}
_IPV6_INTERFACE = {
    "accept_dad": "0",
    "dad_transmits": "0",
    "accept_ra": "0",
    "router_solicitations": "0",
    "accept_redirects": "0",
    "use_tempaddr": "0",
}
_CONNECTIONS = {
    "nf_conntrack_tcp_loose": "1",
    "nf_conntrack_tcp_be_liberal": "0",
    "nf_conntrack_checksum": "1",
    "nf_conntrack_tcp_timeout_established": "432000",
    "nf_conntrack_udp_timeout": "30",
    "nf_conntrack_udp_timeout_stream": "120",
    "nf_conntrack_icmp_timeout": "30",
    "nf_conntrack_generic_timeout": "600",
}
_MULTIPATH = {"l3": "0", "l4": "1", "l3-inner": "2"}


def host_settings(*, has_ipv6: bool) -> Settings:
    """Of hosts and servers. Without IPv6 addresses the node is silent in IPv6."""
    settings = dict(_NODE)
    for place in ("all", "default"):
        settings |= {f"net/ipv4/conf/{place}/{name}": value for name, value in _IPV4_INTERFACE.items()}
    if not has_ipv6:
        return settings | _IPV6_OFF
    settings["net/ipv6/icmp/ratelimit"] = "0"
    for place in ("all", "default"):
        settings |= {f"net/ipv6/conf/{place}/{name}": value for name, value in _IPV6_INTERFACE.items()}
    return settings


def router_settings(network: Network, *, has_ipv6: bool, boot_seed: int = 0) -> Settings:
    """Of routers: a host's, and forwarding, which must be set first as it resets others.

    ``boot_seed`` is what multipath routes hash by where the network names no seed: the simulator's (Linux 6.11).
    """
    settings = {"net/ipv4/ip_forward": "1"}
    if has_ipv6:
        settings["net/ipv6/conf/all/forwarding"] = "1"
    settings |= {name: value for name, value in host_settings(has_ipv6=has_ipv6).items() if name not in settings}
    # Linux's own default is 0, and hosts have it; a router that sends into dead links would be of no use.
    for version in ("ipv4", "ipv6") if has_ipv6 else ("ipv4",):
        for place in ("all", "default"):
            settings[f"net/{version}/conf/{place}/ignore_routes_with_linkdown"] = "1"
    policy = _MULTIPATH.get(network.multipath_policy, "0")
    settings["net/ipv4/fib_multipath_hash_policy"] = policy
    settings["net/ipv4/fib_multipath_hash_seed"] = str(network.multipath_seed or boot_seed)
    if has_ipv6:
        settings["net/ipv6/fib_multipath_hash_policy"] = policy
    return settings | {f"net/netfilter/{name}": value for name, value in _CONNECTIONS.items()}


def silent_settings() -> Settings:
    """Of what only passes frames on: switches and the room of the cables."""
    return _IPV6_OFF | {
        "net/ipv4/ip_forward": "0",
        "net/ipv4/conf/all/arp_ignore": "8",
        "net/ipv4/conf/default/arp_ignore": "8",
    }


def apply(settings: Iterable[tuple[str, str]]) -> None:
    """Write them in this thread's namespace; those that this kernel does not have are left out."""
    for name, value in settings:
        path = Path("/proc/sys", name)
        try:
            path.write_text(value)
        except FileNotFoundError:
            continue
