# jan/02/2019 08:00:00 by RouterOS 6.43.2
# The idiom of the published scripts: no guard, both lines go on, routing is marked after both.
/ip address
add address=192.168.3.1/24 interface=LAN
add address=192.168.1.252/24 interface=Speedy1
add address=192.168.2.254/24 interface=Speedy2
/ip firewall mangle
add chain=prerouting in-interface=LAN connection-state=new nth=2,1 action=mark-connection new-connection-mark=odd \
    passthrough=yes
add chain=prerouting in-interface=LAN connection-state=new nth=2,2 action=mark-connection new-connection-mark=even \
    passthrough=yes
add chain=prerouting in-interface=LAN connection-mark=odd action=mark-routing new-routing-mark=odd passthrough=no
add chain=prerouting in-interface=LAN connection-mark=even action=mark-routing new-routing-mark=even passthrough=no
/ip firewall nat
add chain=srcnat out-interface=Speedy1 action=masquerade
add chain=srcnat out-interface=Speedy2 action=masquerade
/ip route
add dst-address=0.0.0.0/0 gateway=192.168.1.1 routing-mark=odd scope=255 target-scope=10 comment="" disabled=no
add dst-address=0.0.0.0/0 gateway=192.168.2.1 routing-mark=even scope=255 target-scope=10 comment="" disabled=no
add dst-address=0.0.0.0/0 gateway=192.168.1.1 distance=1 check-gateway=ping
add dst-address=0.0.0.0/0 gateway=192.168.2.1 distance=2 check-gateway=ping
/ip route rule
add src-address=192.168.3.0/24 dst-address=192.168.0.0/16 action=lookup table=main
add routing-mark=odd action=lookup-only-in-table table=odd disabled=yes
