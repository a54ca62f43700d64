/interface ethernet
set [ find default-name=ether1 ] name=north
set [ find default-name=ether2 ] name=south
set [ find default-name=ether3 ] name=inside
/ip address
add address=10.20.0.1/24 interface=inside network=10.20.0.0
add address=192.0.2.2/30 interface=north network=192.0.2.0
add address=198.51.100.2/30 interface=south network=198.51.100.0
/ip firewall mangle
add chain=prerouting action=mark-connection new-connection-mark=Half passthrough=yes in-interface=inside connection-state=new nth=2,1
add chain=prerouting action=mark-routing new-routing-mark=ViaNorth passthrough=yes in-interface=inside connection-mark=Half
/ip firewall nat
add action=masquerade chain=srcnat out-interface=north
add action=masquerade chain=srcnat out-interface=south
/ip route
add gateway=192.0.2.1 routing-mark=ViaNorth distance=1
add gateway=198.51.100.1 distance=2
