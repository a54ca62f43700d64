# jul/01/2022 09:00:00 by RouterOS 6.47.10
#
# model = RB750Gr3
#
/interface bridge
add name="Main Bridge"
/interface ethernet
set [ find default-name=ether1 ] comment="\C2\FB\F5\EE\E4" name=1-OUT
set [ find default-name=ether2 ] name=2-OUT
/interface bridge port
add bridge="Main Bridge" interface=ether3
/ip neighbor discovery-settings
set discover-interface-list=!dynamic
/ip address
add address=10.70.0.1/24 interface="Main Bridge" network=10.70.0.0
/ip dhcp-client
add disabled=no interface=1-OUT use-peer-dns=no use-peer-ntp=no
add disabled=no interface=2-OUT use-peer-dns=no use-peer-ntp=no
/ip firewall mangle
add action=mark-routing chain=prerouting comment=Share1 \
    dst-address-type=!local in-interface=!1-OUT new-routing-mark=R1 \
    passthrough=yes per-connection-classifier=both-addresses:2/0
add action=mark-routing chain=prerouting comment=Share2 \
    dst-address-type=!local in-interface=!2-OUT new-routing-mark=R2 \
    passthrough=yes per-connection-classifier=both-addresses:2/1
/ip firewall nat
add action=masquerade chain=srcnat out-interface=1-OUT
add action=masquerade chain=srcnat out-interface=2-OUT
/ip route
add check-gateway=ping comment=Share1 distance=2 gateway=10.0.0.1 \
    routing-mark=R1
add check-gateway=ping comment=Share2 distance=2 gateway=192.168.10.1 \
    routing-mark=R2
/system script
add dont-require-permissions=no name=AGAIN owner=admin policy=\
    ftp,reboot,read,write,policy,test source="#\
    ####\r\
    \n:local count 0;\r\
    \n:foreach p in=[/interface pppoe-client find ] do={\r\
    \n/ip firewall nat remove [/ip firewall nat find comment=\"Mask\$p\
    \"]\r\
    \n}\r\
    \n"
