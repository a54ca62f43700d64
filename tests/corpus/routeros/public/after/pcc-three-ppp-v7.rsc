# feb/10/2023 07:00:00 by RouterOS 7.7
# model = RB3011UiAS
/interface bridge
add comment="for the last route" name=empty
add name=house
/interface pppoe-client
add disabled=no interface=ether1 name=ppp1 user=x
add disabled=no interface=ether2 name=ppp2 user=x
add disabled=no interface=ether3 name=ppp3 user=x
/interface list
add comment="to the world" name=WAN
add name=LAN
/port
set 0 name=serial0
/routing table
add disabled=no fib name=to1
add disabled=no fib name=to2
add disabled=no fib name=to3
/zerotier
set zt1 comment="central" \
    identity="0a0b0c0d0e:0:00112233445566778899aabbccddeeff00112233445566778899aabb\
    ccddeeff" name=zt1 port=9993
/interface bridge port
add bridge=house interface=ether6
/interface list member
add interface=ppp1 list=WAN
add interface=ppp2 list=WAN
add interface=ppp3 list=WAN
add interface=house list=LAN
/ip address
add address=192.168.100.1/24 interface=house network=192.168.100.0
/ip firewall address-list
add address=10.0.0.0/8 list=inner
add address=172.16.0.0/12 list=inner
add address=192.168.0.0/16 list=inner
/ip firewall mangle
add action=accept chain=prerouting dst-address-list=inner src-address-list=\
    inner
# ppp1 not ready
add action=mark-connection chain=prerouting connection-mark=no-mark \
    in-interface=ppp1 new-connection-mark=c1 passthrough=yes
# ppp2 not ready
add action=mark-connection chain=prerouting connection-mark=no-mark \
    in-interface=ppp2 new-connection-mark=c2 passthrough=yes
add action=mark-connection chain=prerouting connection-mark=no-mark \
    in-interface=ppp3 new-connection-mark=c3 passthrough=yes
add action=mark-connection chain=prerouting connection-mark=no-mark \
    dst-address-type=!local in-interface-list=LAN new-connection-mark=\
    c1 passthrough=yes per-connection-classifier=both-addresses:3/0
add action=mark-routing chain=prerouting connection-mark=c1 \
    in-interface-list=LAN new-routing-mark=to1 passthrough=no
add action=mark-connection chain=prerouting connection-mark=no-mark \
    dst-address-type=!local in-interface-list=LAN new-connection-mark=\
    c2 passthrough=yes per-connection-classifier=both-addresses:3/1
add action=mark-routing chain=prerouting connection-mark=c2 \
    in-interface-list=LAN new-routing-mark=to2 passthrough=no
add action=mark-connection chain=prerouting connection-mark=no-mark \
    dst-address-type=!local in-interface-list=LAN new-connection-mark=\
    c3 passthrough=yes per-connection-classifier=both-addresses:3/2
add action=mark-routing chain=prerouting connection-mark=c3 \
    in-interface-list=LAN new-routing-mark=to3 passthrough=no
add action=mark-routing chain=output connection-mark=c1 new-routing-mark=to1 \
    passthrough=no
add action=mark-routing chain=output connection-mark=c2 new-routing-mark=to2 \
    passthrough=no
add action=mark-routing chain=output connection-mark=c3 new-routing-mark=to3 \
    passthrough=no
/ip firewall nat
add action=masquerade chain=srcnat out-interface-list=WAN src-address-list=\
    inner
/ip route
add comment="nothing left" distance=254 gateway=empty
add distance=1 gateway=ppp1
add distance=2 gateway=ppp2
add distance=3 gateway=ppp3
add distance=1 gateway=ppp1 routing-table=to1
add distance=2 gateway=ppp2 routing-table=to1
add distance=1 gateway=ppp2 routing-table=to2
add distance=2 gateway=ppp1 routing-table=to2
add distance=1 gateway=ppp3 routing-table=to3
add distance=2 gateway=ppp1 routing-table=to3
/ip service
set telnet disabled=yes
/system clock
set time-zone-name=America/Lima
