/ip firewall nat
add action=dst-nat chain=dstnat disabled=no dst-port=80 in-interface=ether1-gateway protocol=tcp to-addresses=192.168.88.11 to-ports=8080 per-connection-classifier=src-address:3/0
add action=dst-nat chain=dstnat disabled=no dst-port=80 in-interface=ether1-gateway protocol=tcp to-addresses=192.168.88.12 to-ports=8080 per-connection-classifier=src-address:3/1
add chain=dstnat dst-address=203.0.113.4 protocol=tcp dst-port=80 action=dst-nat to-address=192.168.88.11 to-port=8080
