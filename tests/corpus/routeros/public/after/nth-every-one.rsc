/ip firewall mangle add chain=prerouting connection-state=new dst-address-type=!local \
    in-interface=<lan> nth=1,1 action=mark-connection new-connection-mark=wan1
/ip firewall mangle add chain=prerouting connection-state=new dst-address-type=!local \
    in-interface=<lan> nth=2,1 action=mark-connection new-connection-mark=wan2
/ip route add dst-address=0.0.0.0/0 gateway=<wan1> routing-mark=wan1
/ip route add dst-address=0.0.0.0/0 gateway=<wan2> routing-mark=wan2
