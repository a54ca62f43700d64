
# 2026-09-01 14:00:00 by RouterOS 7.21.5
# system id = aaaaBBBBccc
#
/interface ethernet
set [ find default-name=ether1 ] disable-running-check=no disabled=yes
/routing id
add disabled=no id=192.0.2.2 name=ospf-id
/routing ospf instance
add disabled=no name=o1 redistribute=connected router-id=ospf-id
/routing table
add fib name=viaA
add fib name=viaB
/ip address
add address=10.5.2.2/30 comment="to R5" interface=ether2 network=\
    10.5.2.0
add address=192.168.10.1/24 interface=ether3 network=192.168.10.0
add address=192.0.2.2 comment=" router id" interface=lo network=192.0.2.2
add address=10.2.4.1/30 interface=ether1 network=10.2.4.0
/ip dhcp-client
# Interface not active
add interface=ether1
/ip firewall mangle
add action=mark-routing chain=prerouting comment="terminals" \
    new-routing-mark=viaA passthrough=no src-address=10.10.20.0/24
add action=mark-routing chain=output comment="services" \
    new-routing-mark=viaB passthrough=no
/ip route
add check-gateway=ping distance=1 \
    dst-address=0.0.0.0/0 gateway=10.2.4.2@main routing-table=viaA
add check-gateway=ping distance=2 \
    dst-address=0.0.0.0/0 gateway=10.5.2.1@main routing-table=viaA
add check-gateway=ping distance=1 dst-address=\
    0.0.0.0/0 gateway=10.5.2.1@main routing-table=viaB
/routing ospf interface-template
add area=backbone interfaces=ether3 passive
