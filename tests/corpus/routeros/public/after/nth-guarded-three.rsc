/routing/table/add name=t1 fib
/routing/table/add name=t2 fib
/routing/table/add name=t3 fib
/ip/address
add address=10.50.0.1/24 interface=lan
add address=192.0.2.2/30 interface=wan1
add address=198.51.100.2/30 interface=wan2
add address=203.0.113.2/30 interface=wan3
/ip/firewall/mangle
add chain=prerouting in-interface=wan1 connection-state=new connection-mark=no-mark action=mark-connection new-connection-mark=w1 passthrough=yes
add chain=prerouting in-interface=wan2 connection-state=new connection-mark=no-mark action=mark-connection new-connection-mark=w2 passthrough=yes
add chain=prerouting in-interface=wan3 connection-state=new connection-mark=no-mark action=mark-connection new-connection-mark=w3 passthrough=yes
add chain=prerouting in-interface=lan dst-address-type=!local connection-state=new connection-mark=no-mark nth=3,1 action=mark-connection new-connection-mark=w1 passthrough=yes
add chain=prerouting in-interface=lan dst-address-type=!local connection-state=new connection-mark=no-mark nth=3,2 action=mark-connection new-connection-mark=w2 passthrough=yes
add chain=prerouting in-interface=lan dst-address-type=!local connection-state=new connection-mark=no-mark nth=3,3 action=mark-connection new-connection-mark=w3 passthrough=yes
add chain=prerouting in-interface=lan connection-mark=w1 action=mark-routing new-routing-mark=t1 passthrough=no
add chain=prerouting in-interface=lan connection-mark=w2 action=mark-routing new-routing-mark=t2 passthrough=no
add chain=prerouting in-interface=lan connection-mark=w3 action=mark-routing new-routing-mark=t3 passthrough=no
/ip/route
add gateway=192.0.2.1 routing-table=t1 check-gateway=ping
add gateway=198.51.100.1 routing-table=t2 check-gateway=ping
add gateway=203.0.113.1 routing-table=t3 check-gateway=ping
add gateway=192.0.2.1 check-gateway=ping distance=1
add gateway=198.51.100.1 check-gateway=ping distance=2
add gateway=203.0.113.1 check-gateway=ping distance=3
/ip/firewall/nat
add chain=srcnat out-interface=wan1 action=masquerade
add chain=srcnat out-interface=wan2 action=masquerade
add chain=srcnat out-interface=wan3 action=masquerade
