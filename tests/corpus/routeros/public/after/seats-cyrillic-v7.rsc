# Отдельный выход для мест зала. Основной default не трогать.
/routing table
add name=seat-0 fib
add name=seat-1 fib
# Места VLAN 20
/ip firewall address-list
add list=seats address=192.168.20.100 comment="место 1"
add list=seats address=192.168.20.101 comment="место 2"
/ip firewall mangle
add chain=prerouting src-address-list=seats action=mark-connection \
    new-connection-mark=seat passthrough=yes comment="места"
add chain=prerouting connection-mark=seat \
    per-connection-classifier=src-address:2/0 action=mark-connection \
    new-connection-mark=seat-0 passthrough=yes
add chain=prerouting connection-mark=seat \
    per-connection-classifier=src-address:2/1 action=mark-connection \
    new-connection-mark=seat-1 passthrough=yes
add chain=prerouting connection-mark=seat-0 action=mark-routing \
    new-routing-mark=seat-0 passthrough=no
add chain=prerouting connection-mark=seat-1 action=mark-routing \
    new-routing-mark=seat-1 passthrough=no
/ip route
add dst-address=0.0.0.0/0 gateway=UP routing-table=seat-0
add dst-address=0.0.0.0/0 gateway=UP routing-table=seat-1
/ip firewall nat
add chain=srcnat routing-mark=seat-0 action=src-nat to-addresses=203.0.113.10
add chain=srcnat routing-mark=seat-1 action=src-nat to-addresses=203.0.113.11
