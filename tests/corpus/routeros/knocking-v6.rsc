# mar/20/2020 11:00:00 by RouterOS 6.45.8
/ip firewall filter
add action=add-src-to-address-list address-list=knock-1 address-list-timeout=5s chain=input dst-port=7000 protocol=tcp
add action=add-src-to-address-list address-list=safe address-list-timeout=1h chain=input dst-port=8000 protocol=tcp \
    src-address-list=knock-1
add action=accept chain=input dst-port=22 protocol=tcp src-address-list=safe
add action=drop chain=input protocol=tcp psd=21,3s,3,1
add action=tarpit chain=input connection-limit=3,32 protocol=tcp
