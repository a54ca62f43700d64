/ip firewall address-list
add address=192.168.86.0/24 comment=LAN list=ours
add address=192.0.2.1 list=ours
add address=192.0.2.3 comment=GATEWAY list=peer_adsl
/ip route
add distance=1 gateway=192.0.2.3 routing-mark=ADSL
add distance=1 gateway=198.51.100.4 routing-mark=GLASS
/ip firewall mangle
add action=mark-connection chain=prerouting in-interface=dial-wan new-connection-mark=K_ADSL passthrough=yes
add action=mark-connection chain=prerouting in-interface=ether1-wan new-connection-mark=K_GLASS passthrough=yes
add action=mark-connection chain=prerouting comment="the modem itself" connection-mark=no-mark dst-address=10.0.0.2 new-connection-mark=K_ETH passthrough=yes src-address-list=ours
add action=mark-connection chain=prerouting connection-mark=no-mark dst-address-list=!ours new-connection-mark=K_ADSL passthrough=yes per-connection-classifier=both-addresses:4/0 src-address-list=ours
add action=mark-connection chain=prerouting connection-mark=no-mark dst-address-list=!ours new-connection-mark=K_GLASS passthrough=yes per-connection-classifier=both-addresses:4/1 src-address-list=ours
add action=mark-connection chain=prerouting connection-mark=no-mark dst-address-list=!ours new-connection-mark=K_GLASS passthrough=yes per-connection-classifier=both-addresses:4/2 src-address-list=ours
add action=mark-connection chain=prerouting connection-mark=no-mark dst-address-list=!ours new-connection-mark=K_GLASS passthrough=yes per-connection-classifier=both-addresses:4/3 src-address-list=ours
add action=mark-routing chain=prerouting connection-mark=K_ETH dst-address-list=!ours new-routing-mark=OTHER passthrough=no src-address-list=ours
add action=mark-routing chain=prerouting connection-mark=K_ADSL dst-address-list=!ours new-routing-mark=ADSL passthrough=no src-address-list=ours
add action=mark-routing chain=prerouting connection-mark=K_GLASS dst-address-list=!ours new-routing-mark=GLASS passthrough=no src-address-list=ours
add action=change-mss chain=forward in-interface=dial-wan new-mss=1452 passthrough=yes protocol=tcp tcp-flags=syn tcp-mss=1453-65535
/ip firewall nat
add action=masquerade chain=srcnat out-interface=dial-wan
add action=masquerade chain=srcnat out-interface=ether1-wan
