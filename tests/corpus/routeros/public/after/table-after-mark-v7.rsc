/ip firewall mangle
add chain=prerouting connection-mark=k action=mark-routing \
    new-routing-mark=seat-0 passthrough=no
/routing table
add name=seat-0 fib
