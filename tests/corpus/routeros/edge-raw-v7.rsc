# 2024-03-02 22:10:41 by RouterOS 7.13.5
/ip firewall address-list
add address=0.0.0.0/8 comment="RFC 6890" list=bad_ipv4
add address=127.0.0.0/8 comment="RFC 6890" list=bad_ipv4
add address=224.0.0.0/4 comment="multicast, as a source" list=bad_src_ipv4
add address=255.255.255.255 list=bad_src_ipv4
/interface list
add name=WAN
/interface list member
add interface=sfp-sfpplus1 list=WAN
/ip firewall raw
add action=accept chain=prerouting comment="switch on to see all" disabled=yes
add action=drop chain=prerouting comment="bad addresses" src-address-list=bad_ipv4
add action=drop chain=prerouting dst-address-list=bad_ipv4
add action=drop chain=prerouting in-interface-list=WAN src-address-list=bad_src_ipv4
add action=drop chain=prerouting comment="bad UDP" port=0 protocol=udp
add action=jump chain=prerouting comment="jump to ICMP chain" jump-target=icmp4 protocol=icmp
add action=jump chain=prerouting comment="jump to TCP chain" jump-target=bad_tcp protocol=tcp
add action=accept chain=prerouting in-interface-list=!WAN
add action=drop chain=prerouting comment="the rest" dst-address=!203.0.113.0/24 in-interface-list=WAN
add action=drop chain=bad_tcp comment="TCP flag filter" protocol=tcp tcp-flags=!fin,!syn,!rst,!ack
add action=drop chain=bad_tcp protocol=tcp tcp-flags=fin,syn
add action=drop chain=bad_tcp protocol=tcp tcp-flags=fin,!ack
add action=drop chain=bad_tcp comment="TCP port 0" port=0 protocol=tcp
add action=accept chain=icmp4 icmp-options=0:0 protocol=icmp
add action=accept chain=icmp4 icmp-options=3:0-4 protocol=icmp
add action=accept chain=icmp4 icmp-options=8:0 protocol=icmp
add action=accept chain=icmp4 icmp-options=11:0-255 protocol=icmp
add action=drop chain=icmp4 comment="drop other ICMP" protocol=icmp
