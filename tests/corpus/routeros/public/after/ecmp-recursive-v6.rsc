# oct/22/2019 00:20:02 by RouterOS 6.45.6
# software id = 
#
#
#
/interface ethernet
set [ find default-name=ether1 ] name=ether1-A
set [ find default-name=ether2 ] name=ether2-B
set [ find default-name=ether3 ] name=ether3-C
/interface wireless security-profiles
set [ find default=yes ] supplicant-identity=MikroTik
/ip address
add address=10.10.10.1/24 interface=ether4 network=10.10.10.0
add address=192.0.2.1/25 interface=ether1-A network=192.0.2.0
add address=198.51.100.1/24 interface=ether2-B network=198.51.100.0
add address=203.0.113.1/24 interface=ether3-C network=203.0.113.0
/ip firewall nat
add action=masquerade chain=srcnat out-interface=ether1-A src-address=10.10.10.0/24
add action=masquerade chain=srcnat out-interface=ether2-B src-address=10.10.10.0/24
add action=masquerade chain=srcnat out-interface=ether3-C src-address=10.10.10.0/24
/ip route
add comment="Default (ECMP)" distance=1 gateway=192.0.2.201,192.0.2.201,192.0.2.201,192.0.2.202,192.0.2.202
add check-gateway=ping comment="Default (Backup)" distance=2 gateway=192.0.2.203
add check-gateway=ping distance=1 dst-address=192.0.2.201/32 gateway=192.0.2.207 scope=10
add check-gateway=ping distance=1 dst-address=192.0.2.202/32 gateway=192.0.2.208 scope=10
add check-gateway=ping distance=1 dst-address=192.0.2.203/32 gateway=203.0.113.2 scope=10
add check-gateway=ping distance=1 dst-address=192.0.2.207/32 gateway=192.0.2.2 scope=10
add check-gateway=ping distance=1 dst-address=192.0.2.208/32 gateway=198.51.100.2 scope=10
