/interface bridge
add name=guests
/interface vlan
add name=vlan-guest vlan-id=10 interface=bridge-lan
/interface bridge port
add bridge=guests interface=vlan-guest
/ip hotspot
add name=hotspot1 interface=guests address-pool=guests profile=default
/ip firewall mangle
add chain=prerouting in-interface=guests connection-mark=no-mark \
    dst-address-type=!local per-connection-classifier=both-addresses-and-ports:2/0 \
    action=mark-connection new-connection-mark=W2-conn passthrough=yes
add chain=prerouting in-interface=guests connection-mark=no-mark \
    dst-address-type=!local per-connection-classifier=both-addresses-and-ports:2/1 \
    action=mark-connection new-connection-mark=W3-conn passthrough=yes
