# generated: 2 lines
/ip firewall mangle
add chain=prerouting dst-address-type=!local in-interface=bridge per-connection-classifier=both-addresses_and-ports:2/0 action=mark-connection new-connection-mark=WAN1_conn passthrough=yes comment="PCC WAN 1"
add chain=prerouting dst-address-type=!local in-interface=bridge per-connection-classifier=both-addresses-and-ports:2/2 action=mark-connection new-connection-mark=WAN2_conn passthrough=yes comment="PCC WAN 2"
