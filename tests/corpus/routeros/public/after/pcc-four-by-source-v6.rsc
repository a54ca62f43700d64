/ip address
add address=192.168.0.1/24 network=192.168.0.0 broadcast=192.168.0.255 interface=Local
add address=192.168.1.2/24 network=192.168.1.0 broadcast=192.168.1.255 interface=W1
add address=192.168.2.2/24 network=192.168.2.0 broadcast=192.168.2.255 interface=W2
add address=192.168.3.2/24 network=192.168.3.0 broadcast=192.168.3.255 interface=W3
/ip firewall address-list
add address=192.168.0.1-192.168.0.255 list=allowed
/ip firewall mangle
add action=accept chain=prerouting in-interface=W1
add action=accept chain=prerouting in-interface=W2
add action=accept chain=prerouting in-interface=W3
add chain=prerouting dst-address-type=!local in-interface=Local per-connection-classifier=src-address:4/0 action=mark-connection new-connection-mark=W1_c passthrough=yes src-address-list=allowed
add chain=prerouting dst-address-type=!local in-interface=Local per-connection-classifier=src-address:4/1 action=mark-connection new-connection-mark=W2_c passthrough=yes src-address-list=allowed
add chain=prerouting dst-address-type=!local in-interface=Local per-connection-classifier=src-address:4/2 action=mark-connection new-connection-mark=W3_c passthrough=yes src-address-list=allowed
add chain=prerouting connection-mark=W1_c in-interface=Local action=mark-routing new-routing-mark=to_W1
add chain=prerouting connection-mark=W2_c in-interface=Local action=mark-routing new-routing-mark=to_W2
add chain=prerouting connection-mark=W3_c in-interface=Local action=mark-routing new-routing-mark=to_W3
/ip route
add dst-address=0.0.0.0/0 gateway=192.168.1.1 routing-mark=to_W1 check-gateway=ping
add dst-address=0.0.0.0/0 gateway=192.168.2.1 routing-mark=to_W2 check-gateway=ping
add dst-address=0.0.0.0/0 gateway=192.168.3.1 routing-mark=to_W3 check-gateway=ping
add dst-address=0.0.0.0/0 gateway=192.168.1.1 distance=1 check-gateway=ping
add dst-address=0.0.0.0/0 gateway=192.168.2.1 distance=2 check-gateway=ping
add dst-address=0.0.0.0/0 gateway=192.168.3.1 distance=3 check-gateway=ping
/ip firewall nat
add chain=srcnat out-interface=W1 action=masquerade src-address-list=allowed
add chain=srcnat out-interface=W2 action=masquerade src-address-list=allowed
add chain=srcnat out-interface=W3 action=masquerade src-address-list=allowed
