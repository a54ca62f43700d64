# Two dialled lines.
/interface pppoe-client add name=dial1 interface=ether1 user="a" password="b" add-default-route=no
/interface pppoe-client add name=dial2 interface=ether2 user="c" password="d" add-default-route=no
/ip address add address=10.40.0.1/24 interface=ether3
/ip route add dst-address=0.0.0.0/0 gateway=dial1,dial2 distance=1 check-gateway=ping
/ip firewall mangle add chain=prerouting connection-state=new nth=2,1 action=mark-connection new-connection-mark=c1
/ip firewall mangle add chain=prerouting connection-mark=c1 action=mark-routing new-routing-mark=to1
/ip firewall mangle add chain=prerouting connection-state=new action=mark-connection new-connection-mark=c2
/ip firewall mangle add chain=prerouting connection-mark=c2 action=mark-routing new-routing-mark=to2
/ip route add dst-address=0.0.0.0/0 gateway=dial1 routing-mark=to1
/ip route add dst-address=0.0.0.0/0 gateway=dial2 routing-mark=to2
/tool netwatch add host=192.0.2.53 interval=30s up-script="/ip route set [find gateway~\"dial1\"] distance=1" down-script="/ip route set [find gateway~\"dial1\"] distance=10"
