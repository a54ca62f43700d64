# 2025-01-12 08:00:00 by RouterOS 7.17
/ipv6 firewall address-list
add address=::/128 comment="unspecified address" list=bad_ipv6
add address=::1/128 comment=lo list=bad_ipv6
add address=2001:db8::/32 comment=documentation list=bad_ipv6
/ipv6 firewall filter
add action=accept chain=input comment="accept ICMPv6" protocol=icmpv6
add action=accept chain=input comment="accept UDP traceroute" dst-port=33434-33534 protocol=udp
add action=accept chain=input comment="DHCPv6 prefix delegation" dst-port=546 protocol=udp src-address=fe80::/10
add action=drop chain=forward comment="RFC 4890: hop limit 1" hop-limit=equal:1 protocol=icmpv6
add action=drop chain=forward src-address-list=bad_ipv6
add action=accept chain=forward comment=HIP protocol=139
add action=reject chain=forward reject-with=icmp-no-route
/ipv6 firewall raw
add action=accept chain=prerouting comment="RFC 4291, section 2.7.1" \
    dst-address=ff02::1:ff00:0/104 icmp-options=135:0-255 protocol=icmpv6 src-address=::/128
add action=drop chain=prerouting dst-address-list=bad_ipv6
