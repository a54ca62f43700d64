/ip firewall mangle
add action=mark-connection chain=prerouting connection-mark=no-mark new-connection-mark=K1 passthrough=yes src-address-list=lan_first
