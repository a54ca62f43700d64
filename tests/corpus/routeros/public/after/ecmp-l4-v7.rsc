/ip settings
set ipv4-multipath-hash-policy=l4
/ipv6 settings
set multipath-hash-policy=l4
/interface/list
add name=WAN
/interface/list/member
add list=WAN interface=pppoe-out1
add list=WAN interface=pppoe-out2
/ip/address
add address=10.0.0.1/24 interface=bonding1
/routing/table
add name=ecmp fib disabled=no
/ip/route
add dst-address=0.0.0.0/0 gateway=pppoe-out1 routing-table=ecmp distance=1
add dst-address=0.0.0.0/0 gateway=pppoe-out2 routing-table=ecmp distance=1
add dst-address=0.0.0.0/0 gateway=pppoe-out1 distance=1
add dst-address=0.0.0.0/0 gateway=pppoe-out2 distance=2
/ip/firewall/mangle
add chain=prerouting in-interface=bonding1 dst-address-type=!local action=mark-routing new-routing-mark=ecmp passthrough=yes
/ip/firewall/nat
add chain=srcnat out-interface-list=WAN action=masquerade
