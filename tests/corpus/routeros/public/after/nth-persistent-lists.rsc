/ ip address
add address=172.20.0.1/24 network=172.20.0.0 broadcast=172.20.0.255 interface=Office
add address=10.201.0.2/24 network=10.201.0.0 broadcast=10.201.0.255 interface=radio1
add address=10.202.0.2/24 network=10.202.0.0 broadcast=10.202.0.255 interface=radio2
/ ip firewall mangle
add chain=prerouting src-address-list=first in-interface=Office action=mark-connection \
new-connection-mark=first passthrough=yes
add chain=prerouting src-address-list=first in-interface=Office action=mark-routing \
new-routing-mark=first passthrough=no
add chain=prerouting src-address-list=second in-interface=Office action=mark-connection \
new-connection-mark=second passthrough=yes
add chain=prerouting src-address-list=second in-interface=Office action=mark-routing \
new-routing-mark=second passthrough=no
add chain=prerouting in-interface=Office connection-state=new nth=2,1 \
action=mark-connection new-connection-mark=first passthrough=yes
add chain=prerouting in-interface=Office action=add-src-to-address-list \
address-list=first address-list-timeout=1d connection-mark=first
add chain=prerouting in-interface=Office connection-mark=first action=mark-routing \
new-routing-mark=first passthrough=no
add chain=prerouting in-interface=Office connection-state=new nth=2,2 \
action=mark-connection new-connection-mark=second passthrough=yes
add chain=prerouting in-interface=Office action=add-src-to-address-list \
address-list=second address-list-timeout=1d connection-mark=second
add chain=prerouting in-interface=Office connection-mark=second action=mark-routing \
new-routing-mark=second passthrough=no
/ ip firewall nat
add chain=srcnat out-interface=radio1 action=masquerade
add chain=srcnat out-interface=radio2 action=masquerade
/ ip route
add dst-address=0.0.0.0/0 gateway=10.201.0.1 scope=255 target-scope=10 routing-mark=first
add dst-address=0.0.0.0/0 gateway=10.202.0.1 scope=255 target-scope=10 routing-mark=second
add dst-address=0.0.0.0/0 gateway=10.202.0.1 scope=255 target-scope=10
