# 2025-06-01 08:00:00 by RouterOS 7.19.1
#
/system identity set name=Repartidor
/interface list
add name=LAN
/routing table
add disabled=no fib name=Salida_1
add disabled=no fib name=Salida_2
/ip address
add address=192.168.21.2/24 interface=ether1
add address=192.168.22.2/24 interface=ether2
add address=10.0.3.1/24 interface=ether3
/ip firewall address-list
add address=10.0.0.0/8 list=Privadas
add address=192.168.0.0/16 list=Privadas
/ip firewall mangle
# consultas y tráfico entre redes privadas
add action=accept chain=prerouting port=53 protocol=udp
add action=accept chain=prerouting dst-address-list=Privadas src-address-list=Privadas
add action=mark-connection chain=prerouting connection-mark=no-mark connection-state=new in-interface=ether1 new-connection-mark=C1
add action=mark-connection chain=prerouting connection-mark=no-mark connection-state=new in-interface=ether2 new-connection-mark=C2
add action=mark-connection chain=prerouting connection-mark=no-mark connection-state=new dst-address-list=!Privadas dst-address-type=!local in-interface-list=LAN new-connection-mark=C1 per-connection-classifier=both-addresses:2/0
add action=mark-connection chain=prerouting connection-mark=no-mark connection-state=new dst-address-list=!Privadas dst-address-type=!local in-interface-list=LAN new-connection-mark=C2 per-connection-classifier=both-addresses:2/1
add action=mark-routing chain=prerouting connection-mark=C1 in-interface-list=LAN new-routing-mark=Salida_1 passthrough=no
add action=mark-routing chain=prerouting connection-mark=C2 in-interface-list=LAN new-routing-mark=Salida_2 passthrough=no
/ip firewall nat
add action=masquerade chain=srcnat out-interface=ether1
add action=masquerade chain=srcnat out-interface=ether2
/ip route
add distance=1 dst-address=192.0.2.53/32 gateway=192.168.21.1 scope=10
add distance=2 dst-address=192.0.2.53/32 scope=10 blackhole
add distance=1 dst-address=198.51.100.53/32 gateway=192.168.22.1 scope=10
add distance=2 dst-address=198.51.100.53/32 scope=10 blackhole
add check-gateway=ping disabled=no distance=1 dst-address=0.0.0.0/0 gateway=192.0.2.53 target-scope=11
add check-gateway=ping disabled=no distance=2 dst-address=0.0.0.0/0 gateway=198.51.100.53 target-scope=11
/routing rule
add action=lookup disabled=no dst-address=10.0.0.0/8 table=main
add action=lookup disabled=no src-address=192.168.21.0/24 table=Salida_1
add action=lookup disabled=no src-address=192.168.22.0/24 table=Salida_2
/tool netwatch
add down-script=":log error \"1 - DOWN\"" host=192.0.2.53 interval=30s type=simple up-script=":log warning \"1 - UP\""
