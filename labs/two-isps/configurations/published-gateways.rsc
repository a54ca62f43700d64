# T. Sukendar, "Keseimbangan Bandwidth Dengan Menggunakan Dua ISP Melalui Metode Nth Load Balancing
# Berbasis Mikrotik": the published script. Mended is only what stops it from loading:
#   interfaces have one name each (printed: LAN and LOKAL, Speedy1 and ISP1, Speedy2 and ISP2);
#   the menus that the text leaves out; line ends within words; "gateway= 192…";
#   primary-dns, secondary-dns, allow-remote-request -> servers, allow-remote-requests; ateway -> gateway.
# And bal-1, without which no marked packet gets anywhere: the marked routes lead to the modems, not to the router
# itself. They have no check-gateway, as printed (bal-4).
/ip dns
set allow-remote-requests=yes servers=8.8.8.8,202.134.0.155
/ip route
add dst-address=0.0.0.0/0 gateway=192.168.1.1 distance=1 check-gateway=ping
add dst-address=0.0.0.0/0 gateway=192.168.2.2 distance=2 check-gateway=ping
/ip firewall nat
add action=masquerade chain=srcnat out-interface=isp1
add action=masquerade chain=srcnat out-interface=isp2
/ip address
add interface=lan address=192.168.3.1 netmask=255.255.255.0
add interface=isp1 address=192.168.1.252 netmask=255.255.255.0
add interface=isp2 address=192.168.2.254 netmask=255.255.255.0
/ip firewall mangle
add chain=prerouting in-interface=lan connection-state=new nth=2,1 action=mark-connection new-connection-mark=MC01 passthrough=yes comment="koneksi-1"
add chain=prerouting in-interface=lan connection-state=new nth=2,2 action=mark-connection new-connection-mark=MC02 passthrough=yes comment="koneksi-2"
add chain=prerouting in-interface=lan connection-mark=MC01 action=mark-routing new-routing-mark=MR01 passthrough=no comment="route-1"
add chain=prerouting in-interface=lan connection-mark=MC02 action=mark-routing new-routing-mark=MR02 passthrough=no comment="route-2"
/ip route
add disabled=no distance=1 dst-address=0.0.0.0/0 gateway=192.168.1.1 routing-mark=MR01
add disabled=no distance=1 dst-address=0.0.0.0/0 gateway=192.168.2.2 routing-mark=MR02
