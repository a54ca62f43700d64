# สองสายเท่ากัน: two lines, equal cost
/ip address
add address=10.30.0.1/24 interface=ether3-lan
add address=192.0.2.6/29 interface=ether1
add address=198.51.100.6/29 interface=ether2
/ip route
add dst-address=0.0.0.0/0 gateway=192.0.2.1 distance=1 comment="สาย 1"
add dst-address=0.0.0.0/0 gateway=198.51.100.1 distance=1 comment="สาย 2"
/ip firewall mangle
add chain=input in-interface=ether1 action=mark-connection \
    new-connection-mark=one-conn passthrough=yes
add chain=input in-interface=ether2 action=mark-connection \
    new-connection-mark=two-conn passthrough=yes
add chain=output connection-mark=one-conn action=mark-routing \
    new-routing-mark=to-one passthrough=yes
add chain=output connection-mark=two-conn action=mark-routing \
    new-routing-mark=to-two passthrough=yes
add chain=prerouting dst-address-type=!local in-interface=ether3-lan \
    action=mark-connection new-connection-mark=one-conn connection-state=new nth=2,1
add chain=prerouting dst-address-type=!local in-interface=ether3-lan \
    action=mark-connection new-connection-mark=two-conn connection-state=new nth=2,2
/ip route
add dst-address=0.0.0.0/0 gateway=192.0.2.1 routing-mark=to-one
add dst-address=0.0.0.0/0 gateway=198.51.100.1 routing-mark=to-two
/ip firewall nat
add chain=srcnat out-interface=ether1 routing-mark=to-one action=masquerade
add chain=srcnat out-interface=ether2 routing-mark=to-two action=masquerade
