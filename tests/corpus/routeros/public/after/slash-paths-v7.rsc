/interface ethernet
  set [ find default-name=ether1 ] name=ether1-wan comment="Linea uno"
  set [ find default-name=ether2 ] name=ether2-wan comment="Linea dos"
/ip firewall nat
add chain=srcnat out-interface=ether1-wan action=masquerade
add chain=srcnat out-interface=ether2-wan action=masquerade
/routing/table
add fib name=to_1
add fib name=to_2
/ip firewall mangle
add action=mark-connection chain=prerouting comment="Entrantes" connection-mark=no-mark   in-interface=ether1-wan new-connection-mark=K1 passthrough=yes
add action=mark-connection chain=prerouting connection-mark=no-mark   in-interface=ether2-wan new-connection-mark=K2 passthrough=yes
add action=mark-connection chain=prerouting connection-mark=no-mark dst-address-type=!local in-interface=bridge new-connection-mark=K1 passthrough=yes per-connection-classifier=both-addresses:2/0
add action=mark-connection chain=prerouting connection-mark=no-mark dst-address-type=!local in-interface=bridge new-connection-mark=K2 passthrough=yes per-connection-classifier=both-addresses:2/1
 add action=mark-routing chain=prerouting connection-mark=K1 new-routing-mark=to_1  in-interface=bridge passthrough=no
 add action=mark-routing chain=prerouting connection-mark=K2 new-routing-mark=to_2 in-interface=bridge passthrough=no
 add chain=output connection-mark=K1 action=mark-routing new-routing-mark=to_1    
 add chain=output connection-mark=K2 action=mark-routing new-routing-mark=to_2 
/ip/route/
add distance=1 gateway=192.168.137.1 check-gateway=ping comment="Uno"
add distance=2 gateway=192.168.1.1  check-gateway=ping  comment="Dos"

/ip/route/
add gateway=192.168.137.1@main routing-table=to_1 check-gateway=ping
add gateway=192.168.1.1@main routing-table=to_2 check-gateway=ping

#failover
/ip/route/
add check-gateway=ping distance=2 gateway=192.0.2.53 target-scope=11 routing-table=to_1
add check-gateway=ping dst-address=192.0.2.53 gateway=192.168.1.1  scope=10   comment="Monitor dos"
