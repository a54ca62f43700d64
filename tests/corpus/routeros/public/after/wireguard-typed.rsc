/interface list
add name=WG
/interface list member
add interface=wireguard1 list=WG
/ip firewall mangle
add action=mark-connection chain=prerouting connection-mark=no-mark in-interface=WAN1 new-connection-mark=W1_conn passthrough=yes  dst-port=!13231
add action=mark-routing chain=prerouting connection-mark=W1_conn in-interface=BridgeLAN new-routing-mark=to_W1 passthrough=yes
/routing table
add name=To-W1 fib
/ip route
add distance=5 dst-address=0.0.0.0/0 gwy=192.0.2.1  routing-table=main check-gateway=ping
add dst-address=0.0.0.0/0 gateway=192.0.2.1  routing-table=To-W1
