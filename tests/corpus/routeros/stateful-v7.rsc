# 2024-11-05 20:31:07 by RouterOS 7.16.1
/interface list
add name=WAN
/interface list member
add interface=ether1 list=WAN
/ip firewall filter
add action=accept chain=input comment="accept established,related,untracked" connection-state=\
    established,related,untracked
add action=drop chain=input comment="drop invalid" connection-state=invalid
add action=accept chain=input protocol=icmp
add action=fasttrack-connection chain=forward connection-state=established,related hw-offload=yes
add action=accept chain=forward ipsec-policy=in,ipsec
add action=drop chain=forward connection-nat-state=!dstnat connection-state=new in-interface-list=WAN
