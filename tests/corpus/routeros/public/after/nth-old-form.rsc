/ip address add address=192.168.10.2/24 interface=ether1
/ip address add address=192.168.20.2/24 interface=ether2
/ip address add address=192.168.1.1/24 interface=ether3
/ip route add gateway=192.168.10.1 routing-mark=to_a
/ip route add gateway=192.168.20.1 routing-mark=to_b
/ip firewall mangle add chain=prerouting src-address=192.168.1.0/24 \
    connection-state=new nth=2,1,0 action=mark-connection \
    new-connection-mark=conn_a passthrough=yes
/ip firewall mangle add chain=prerouting src-address=192.168.1.0/24 \
    connection-state=new nth=2,1,1 action=mark-connection \
    new-connection-mark=conn_b passthrough=yes
/ip firewall mangle add chain=prerouting connection-mark=conn_a \
    action=mark-routing new-routing-mark=to_a passthrough=no
/ip firewall mangle add chain=prerouting connection-mark=conn_b \
    action=mark-routing new-routing-mark=to_b passthrough=no
/ip firewall nat add chain=srcnat out-interface=ether1 action=masquerade
/ip firewall nat add chain=srcnat out-interface=ether2 action=masquerade
