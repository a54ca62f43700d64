/ip address
add address=192.168.1.1/24 interface=bridge-lan
/ip firewall mangle
add chain=prerouting src-address=192.168.1.250 action=mark-routing new-routing-mark=to-n passthrough=yes
add chain=prerouting in-interface=bridge-lan connection-mark=no-mark dst-address-type=!local per-connection-classifier=both-addresses:2/0 action=mark-connection new-connection-mark=k-n passthrough=yes
add chain=prerouting in-interface=bridge-lan connection-mark=no-mark dst-address-type=!local per-connection-classifier=both-addresses:2/1 action=mark-connection new-connection-mark=k-v passthrough=yes
add chain=prerouting connection-mark=k-n in-interface=bridge-lan action=mark-routing new-routing-mark=to-n passthrough=yes
add chain=prerouting connection-mark=k-v in-interface=bridge-lan action=mark-routing new-routing-mark=to-v passthrough=yes
/ip firewall nat
add chain=srcnat out-interface=ppp-n action=masquerade
add chain=srcnat out-interface=ppp-v action=masquerade
/ip route
add dst-address=0.0.0.0/0 gateway=ppp-n routing-mark=to-n distance=1
add dst-address=0.0.0.0/0 gateway=ppp-v routing-mark=to-v distance=1
add dst-address=0.0.0.0/0 gateway=ppp-n distance=1 check-gateway=ping
add dst-address=0.0.0.0/0 gateway=ppp-v distance=2 check-gateway=ping
