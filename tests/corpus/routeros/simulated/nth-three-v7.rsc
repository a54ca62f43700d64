# 2024-11-05 20:31:07 by RouterOS 7.16.1
/interface ethernet
set [ find default-name=ether1 ] name=wan1
set [ find default-name=ether2 ] name=wan2
set [ find default-name=ether3 ] name=wan3
set [ find default-name=ether4 ] name=lan
/routing table
add disabled=no fib name=to_wan1
add disabled=no fib name=to_wan2
add fib name=to_wan3
/ip address
add address=10.0.0.1/24 interface=lan network=10.0.0.0
add address=198.51.100.2/30 interface=wan1 network=198.51.100.0
add address=198.51.100.6/30 interface=wan2 network=198.51.100.4
add address=198.51.100.10/30 interface=wan3 network=198.51.100.8
/ip firewall mangle
add action=mark-connection chain=prerouting connection-mark=no-mark connection-state=new dst-address-type=!local \
    in-interface=lan new-connection-mark=c1 nth=3,1
add action=mark-connection chain=prerouting connection-mark=no-mark connection-state=new dst-address-type=!local \
    in-interface=lan new-connection-mark=c2 nth=2,1
add action=mark-connection chain=prerouting connection-mark=no-mark connection-state=new dst-address-type=!local \
    in-interface=lan new-connection-mark=c3
add action=mark-routing chain=prerouting connection-mark=c1 in-interface=lan new-routing-mark=to_wan1 passthrough=no
add action=mark-routing chain=prerouting connection-mark=c2 in-interface=lan new-routing-mark=to_wan2 passthrough=no
add action=mark-routing chain=prerouting connection-mark=c3 in-interface=lan new-routing-mark=to_wan3 passthrough=no
/ip firewall nat
add action=masquerade chain=srcnat out-interface=wan1
add action=masquerade chain=srcnat out-interface=wan2
add action=masquerade chain=srcnat out-interface=wan3
/ip route
add check-gateway=ping disabled=no distance=1 dst-address=0.0.0.0/0 gateway=198.51.100.1@main pref-src="" \
    routing-table=to_wan1 scope=30 suppress-hw-offload=no target-scope=10
add check-gateway=ping disabled=no dst-address=0.0.0.0/0 gateway=198.51.100.5 routing-table=to_wan2
add check-gateway=ping disabled=no dst-address=0.0.0.0/0 gateway=198.51.100.9 routing-table=to_wan3
add check-gateway=ping gateway=198.51.100.1
add check-gateway=ping distance=2 gateway=198.51.100.5
add blackhole disabled=no distance=254 dst-address=10.0.0.0/8 gateway=""
/routing rule
add action=lookup-only-in-table dst-address=10.0.0.0/8 table=main
add action=lookup interface=lan min-prefix=0 table=main
