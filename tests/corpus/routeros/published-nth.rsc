# T. Sukendar, "Keseimbangan Bandwidth Dengan Menggunakan Dua ISP Melalui
# Metode Nth Load Balancing Berbasis Mikrotik": the published script, as printed.

# 2. Pemberian IP DNS
Set allow-remote-request=yes primary-dns=8.8.8.8
secondary-dns=202.134.0.155

# 3. Menentukan Gateway
add dst-address=0.0.0.0/0 gateway= 192.168.1.1
distance=1 check-gateway=ping
add dst-address=0.0.0.0/0 gateway= 192.168.2.2
distance=2 check-gateway=ping

# 4. NAT (Network Address Translation)
add action=masquerade chain=srcnat out-
interface=ISP1
add action=masquerade chain=srcnat out-
interface=ISP2

# 5. Pengaturan Mangle. Pengalamatan :
/ip address add interface=LAN
address=192.168.3.1 netmask=255.255.255.0
/ip address add interface=Speedy1
address=192.168.1.252
netmask=255.255.255.0

/ip address add interface=Speedy2
address=192.168.2.254
netmask=255.255.255.0

/ip firewall mangle
add chain=prerouting in-interface=LOKAL
connection-state=new nth=2,1\
action=mark-connection new-connection-
mark=MC01 passthrough=yes
comment="koneksi-1"

add chain=prerouting in-interface=LOKAL
connection-state=new nth=2,2\
action=mark-connection new-connection-
mark=MC02 passthrough=yes
comment="koneksi-2"

/ip firewall mangle
add chain=prerouting in-interface=LOKAL
connection-mark=MC01\
action=mark-routing new-routing-mark=MR01
passthrough=no
comment="route-1"
add chain=prerouting in-interface=LOKAL
connection-mark=MC02\
action=mark-routing new-routing-mark=MR02
passthrough=no
comment="route-2"

/ip route
add disabled=no distance=1 dst-
address=0.0.0.0/0 gateway=192.168.1.252
routing-mark=MR01
add disabled=no distance=1 dst-
address=0.0.0.0/0 ateway=192.168.2.254
routing-mark=MR02
