/system scheduler add name="Nightly" on-event="/system reboot" start-date=dec/01/2021 start-time=02:00:00 interval=1d comment="" disabled=no

{

/ip firewall mangle
add action=accept chain=prerouting in-interface=LineA
add action=accept chain=prerouting in-interface=LineB
add action=accept chain=prerouting dst-address=192.168.100.0/24 in-interface=LineA

/ip firewall mangle
add action=mark-connection chain=prerouting dst-address-type=!local new-connection-mark=a_conn passthrough=yes per-connection-classifier=both-addresses-and-ports:2/0 src-address=10.60.0.0/16
add action=mark-connection chain=prerouting dst-address-type=!local new-connection-mark=b_conn passthrough=yes per-connection-classifier=both-addresses-and-ports:2/1 src-address=10.60.0.0/16
add action=mark-routing chain=prerouting connection-mark=a_conn new-routing-mark=to_a passthrough=yes src-address=10.60.0.0/16
add action=mark-routing chain=prerouting connection-mark=b_conn new-routing-mark=to_b passthrough=yes src-address=10.60.0.0/16


}
