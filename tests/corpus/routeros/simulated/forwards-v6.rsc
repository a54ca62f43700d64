# sep/09/2021 17:45:10 by RouterOS 6.48.4
/interface ethernet
set [ find default-name=ether2 ] disabled=yes
/interface vlan
add interface=ether3 name=vlan20 vlan-id=20
/interface pppoe-client
add add-default-route=yes default-route-distance=2 disabled=no interface=ether1 name=pppoe-out1 password=secret \
    user=someone@isp
/ip address
add address=192.168.20.1/24 interface=vlan20 network=192.168.20.0
/ip firewall address-list
add address=192.168.20.0/24 list=inside
/ip firewall filter
add action=add-src-to-address-list address-list=knocked address-list-timeout=1d2h chain=input dst-port=7000 protocol=tcp
add action=accept chain=input dst-port=22 protocol=tcp src-address-list=knocked
add action=drop chain=input in-interface=pppoe-out1 src-address-list=!inside
/ip firewall mangle
add action=change-mss chain=forward new-mss=clamp-to-pmtu out-interface=pppoe-out1 passthrough=yes protocol=tcp \
    tcp-flags=syn
add action=change-mss chain=forward new-mss=1300 out-interface=pppoe-out1 protocol=tcp tcp-flags=syn tcp-mss=1301-65535
add action=change-ttl chain=postrouting new-ttl=set:64 out-interface=pppoe-out1
/ip firewall nat
add action=masquerade chain=srcnat out-interface=pppoe-out1
add action=dst-nat chain=dstnat dst-port=8080 in-interface=pppoe-out1 protocol=tcp to-addresses=192.168.20.10 to-ports=80
add action=dst-nat chain=dstnat dst-port=5000-5010 in-interface=pppoe-out1 protocol=udp to-addresses=192.168.20.11
add action=redirect chain=dstnat dst-port=53 in-interface=vlan20 protocol=udp to-ports=53
add action=jump chain=dstnat dst-address=198.51.100.0/24 jump-target=block
add action=netmap chain=block to-addresses=192.168.20.0/24
/ip route
add distance=1 dst-address=10.0.0.0/8 type=unreachable
add distance=1 gateway=ether1 dst-address=172.16.0.0/12
/queue simple
add max-limit=512k/3M name=client target=192.168.20.10/32
