# may/03/2023 10:00:00 by RouterOS 7.8
# software id = 
#names
{
{
/interface ethernet
set [ find default-name=ether1 ] disable-running-check=no name=up_A
set [ find default-name=ether2 ] disable-running-check=no name=up_B
set [ find default-name=ether4 ] disable-running-check=no name=home
}
#tables
{
/routing table
add disabled=no fib name=A_table
add disabled=no fib name=B_table
}
{
/ip address
add address=192.168.31.1/24 interface=home network=192.168.31.0
}
{
/ip dhcp-client
add interface=up_A
add interface=up_B
}
{
/ip firewall mangle
add action=accept chain=prerouting dst-address=192.168.248.0/24 in-interface=home
add action=accept chain=prerouting dst-address=192.168.122.0/24 in-interface=home
add action=mark-connection chain=input connection-state=new in-interface=up_A new-connection-mark=A
add action=mark-connection chain=input connection-state=new in-interface=up_B new-connection-mark=B
add action=mark-connection chain=prerouting connection-mark=no-mark connection-state=new dst-address-type=!local in-interface=home new-connection-mark=A per-connection-classifier=both-addresses:2/0
add action=mark-connection chain=prerouting connection-mark=no-mark connection-state=new dst-address-type=!local in-interface=home new-connection-mark=B per-connection-classifier=both-addresses:2/1
add action=mark-routing chain=output connection-mark=A new-routing-mark=A_table
add action=mark-routing chain=prerouting connection-mark=A in-interface=home new-routing-mark=A_table
add action=mark-routing chain=output connection-mark=B new-routing-mark=B_table
add action=mark-routing chain=prerouting connection-mark=B in-interface=home new-routing-mark=B_table
}
{
/ip firewall nat
add action=masquerade chain=srcnat out-interface=up_A
add action=masquerade chain=srcnat out-interface=up_B
}
{
/ip route
add disabled=no distance=1 dst-address=0.0.0.0/0 gateway=192.168.248.2 pref-src="" routing-table=main scope=30 suppress-hw-offload=no target-scope=10
add disabled=no distance=2 dst-address=0.0.0.0/0 gateway=192.168.122.1 pref-src="" routing-table=main scope=30 suppress-hw-offload=no target-scope=10
}
}
