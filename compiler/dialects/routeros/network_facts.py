"""Properties of the menus that say where packets go.

Sources: MikroTik documentation ("Ethernet", "Bridging and Switching", "VLAN",
"PPPoE", "IP Addressing", "IP Routing", "Policy Routing", "DNS", "DHCP", "IP
Settings", "Connection tracking") and the manual of version 6.
"""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["OLD_NAMES", "OTHER_LINKS", "SETTINGS", "TABLES"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ROWS = _words("comment disabled copy-from place-before")
_ROUTE = _ROWS | _words(
    "dst-address gateway distance check-gateway scope target-scope pref-src vrf-interface suppress-hw-offload "
    "routing-table blackhole routing-mark type bgp-as-path bgp-communities bgp-local-pref bgp-med bgp-origin "
    "bgp-prepend bgp-atomic-aggregate bgp-ext-communities route-tag ospf-metric dynamic immediate-gw"
)

TABLES = MappingProxyType(
    {
        ("interface", "ethernet"): _ROWS
        | _words(
            "name default-name mtu l2mtu mac-address orig-mac-address arp arp-timeout auto-negotiation advertise speed "
            "full-duplex bandwidth cable-settings disable-running-check combo-mode fec-mode flow-control-auto "
            "loop-protect loop-protect-disable-time loop-protect-send-interval master-port mdix-enable poe-out "
            "poe-priority poe-voltage power-cycle-interval power-cycle-ping-address power-cycle-ping-enabled "
            "power-cycle-ping-timeout rx-flow-control tx-flow-control sfp-rate-select sfp-shutdown-temperature switch "
            "passthrough-interface sfp-ignore-rx-los ptp tdma-interface"
        ),
        ("interface", "bridge"): _ROWS
        | _words(
            "name mtu l2mtu protocol-mode admin-mac auto-mac arp arp-timeout priority fast-forward vlan-filtering "
            "ageing-time forward-delay igmp-snooping dhcp-snooping add-dhcp-option82 max-message-age max-hops "
            "max-learned-entries transmit-hold-count ether-type frame-types ingress-filtering pvid region-name "
            "region-revision port-cost-mode multicast-router multicast-querier igmp-version mld-version "
            "last-member-interval last-member-query-count membership-interval querier-interval query-interval "
            "query-response-interval startup-query-count startup-query-interval mvrp forward-reserved-addresses"
        ),
        ("interface", "bridge", "port"): _ROWS
        | _words(
            "bridge interface priority path-cost internal-path-cost horizon edge point-to-point auto-isolate hw learn "
            "multicast-router pvid frame-types ingress-filtering restricted-role restricted-tcn trusted fast-leave "
            "broadcast-flood unknown-multicast-flood unknown-unicast-flood bpdu-guard tag-stacking external-fdb "
            "mvrp-applicant-state mvrp-registrar-state"
        ),
        ("interface", "vlan"): _ROWS
        | _words(
            "name interface vlan-id mtu l2mtu arp arp-timeout use-service-tag loop-protect loop-protect-disable-time "
            "loop-protect-send-interval mvrp"
        ),
        ("interface", "pppoe-client"): _ROWS
        | _words(
            "name interface user password service-name ac-name add-default-route default-route-distance dial-on-demand "
            "use-peer-dns allow keepalive-timeout max-mru max-mtu mrru profile host-uniq"
        ),
        ("ip", "address"): _ROWS | _words("address interface network netmask broadcast actual-interface"),
        ("ipv6", "address"): _ROWS
        | _words("address interface advertise eui-64 from-pool no-dad auto-link-local actual-interface"),
        ("ip", "dhcp-client"): _ROWS
        | _words(
            "interface add-default-route default-route-distance default-route-tables use-peer-dns use-peer-ntp "
            "dhcp-options script allow-reconfigure check-gateway use-broadcast name dscp vlan-priority"
        ),
        ("ip", "route"): _ROUTE,
        ("ipv6", "route"): _ROUTE,
        ("ip", "route", "rule"): _ROWS | _words("src-address dst-address interface routing-mark action table"),
        ("routing", "rule"): _ROWS
        | _words("src-address dst-address interface routing-mark action table min-prefix inactive"),
        ("routing", "table"): _ROWS | _words("name fib"),
    }
)
"""Menu -> what its rows may say."""

SETTINGS = MappingProxyType(
    {
        ("system", "identity"): _words("name"),
        ("ip", "dns"): _words(
            "servers allow-remote-requests cache-size cache-max-ttl max-concurrent-queries max-concurrent-tcp-sessions "
            "max-udp-packet-size query-server-timeout query-total-timeout use-doh-server verify-doh-cert "
            "doh-max-concurrent-queries doh-max-server-connections doh-timeout dynamic-servers address-list-extra-time "
            "vrf mdns-repeat-ifaces"
        ),
        ("ip", "settings"): _words(
            "ip-forward send-redirects accept-redirects secure-redirects accept-source-route rp-filter tcp-syncookies "
            "max-neighbor-entries arp-timeout icmp-rate-limit icmp-rate-mask icmp-errors-use-inbound-interface-address "
            "route-cache allow-fast-path ipv4-multipath-hash-policy tcp-timestamps allow-hw-offload"
        ),
        ("interface", "bridge", "settings"): _words(
            "allow-fast-path use-ip-firewall use-ip-firewall-for-pppoe use-ip-firewall-for-vlan"
        ),
        ("ip", "firewall", "connection", "tracking"): _words(
            "enabled generic-timeout icmp-timeout loose-tcp-tracking tcp-close-timeout tcp-close-wait-timeout "
            "tcp-established-timeout tcp-fin-wait-timeout tcp-last-ack-timeout tcp-max-retrans-timeout "
            "tcp-syn-received-timeout tcp-syn-sent-timeout tcp-time-wait-timeout tcp-unacked-timeout "
            "udp-stream-timeout udp-timeout liberal-tcp-tracking active-ipv4 active-ipv6"
        ),
    }
)
"""Menus without rows -> what ``set`` may say there."""

OTHER_LINKS = (
    *("wireless", "wifi", "wifiwave2", "lte", "bonding", "wireguard", "veth", "vrrp", "vxlan", "macvlan"),
    *("eoip", "gre", "ipip", "6to4", "l2tp-client", "pptp-client", "sstp-client", "ovpn-client", "ppp-client"),
)
"""Kinds of interfaces of which only name, MTU and state are read."""

OLD_NAMES = MappingProxyType({"primary-dns": "servers=FIRST,SECOND", "secondary-dns": "servers=FIRST,SECOND"})
"""Properties that scripts of the years before version 5 have, and what says the same now."""
