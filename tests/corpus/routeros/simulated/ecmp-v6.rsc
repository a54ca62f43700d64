# feb/03/2018 07:07:07 by RouterOS 6.40.5
/ip address
add address=192.168.3.1/24 interface=ether3
add address=192.168.1.2/24 interface=ether1
add address=192.168.2.2/24 interface=ether2
/ip route
add check-gateway=arp gateway=192.168.1.1,192.168.1.1,192.168.2.1
/ip firewall nat
add action=masquerade chain=srcnat out-interface=ether1
add action=masquerade chain=srcnat out-interface=ether2
/ip firewall mangle
add action=mark-connection chain=input in-interface=ether1 new-connection-mark=from1
add action=mark-connection chain=input in-interface=ether2 new-connection-mark=from2
add action=mark-routing chain=output connection-mark=from1 new-routing-mark=to1
add action=mark-routing chain=output connection-mark=from2 new-routing-mark=to2
/ip route
add gateway=192.168.1.1 routing-mark=to1
add gateway=192.168.2.1 routing-mark=to2
