# jan/02/1970 00:10:31 by RouterOS 6.49.10
/interface list
set [ find name=all ] comment="contains all interfaces" exclude="" include="" name=all
set [ find name=none ] comment="contains no interfaces" exclude="" include="" name=none
add comment="" exclude="" include="" name=WAN
/interface list member
add comment="" disabled=no interface=ether1 list=WAN
/ip firewall connection tracking
set enabled=auto generic-timeout=10m icmp-timeout=10s loose-tcp-tracking=yes
/ip firewall filter
add action=accept !address-list !address-list-timeout chain=input comment="a \"quoted\" word, a \$ and a \?" \
    !connection-bytes !connection-limit !connection-mark !connection-state !content disabled=no !dscp \
    dst-address=192.0.2.1 !dst-address-list !dst-limit dst-port=53 !fragment !hotspot !icmp-options !in-interface \
    in-interface-list=WAN !ingress-priority !limit log=no log-prefix="" !nth !out-interface !packet-mark !p2p \
    !port !priority protocol=udp !psd !random !src-address !src-port !tcp-flags !time !ttl
add action=drop chain=input comment="" disabled=no in-interface-list=WAN log=yes log-prefix=drop
