# feb/11/2021 09:14:02 by RouterOS 6.47.9
# software id = ABCD-EFGH
#
# model = RB3011UiAS
/interface bridge
add admin-mac=02:00:00:00:00:01 auto-mac=no comment=office name=bridge
/interface list
add comment=office name=WAN
add comment=office name=LAN
/interface list member
add comment=office interface=bridge list=LAN
add comment=office interface=ether1 list=WAN
/ip address
add address=192.0.2.2/30 interface=ether1 network=192.0.2.0
/ip firewall address-list
add address=198.51.100.0/24 comment="branch (the one in \
    Surabaya)" list=branches
add address=203.0.113.16-203.0.113.20 list=branches
add address=10.20.0.0/16 list=servers
/ip firewall filter
add action=accept chain=input comment="office: accept ICMP" protocol=icmp
add action=accept chain=input comment="office: manage from the branches, and \
    only from there" dst-port=22,8291 protocol=tcp src-address-list=branches
add action=drop chain=input comment="office: drop all not coming from LAN" \
    in-interface-list=!LAN
add action=jump chain=forward comment="what may reach the servers" \
    dst-address-list=servers jump-target=servers
add action=accept chain=servers dst-port=80,443,8000-8080 protocol=tcp
add action=accept chain=servers comment=\
    "a scanner that asks too much is told so" dst-port=161 protocol=udp \
    src-address=10.1.1.10-10.1.1.20
add action=reject chain=servers log=yes log-prefix="servers: " reject-with=\
    icmp-admin-prohibited
add action=drop chain=forward disabled=yes out-interface-list=WAN \
    src-address=!10.0.0.0/8
/ip firewall nat
add action=masquerade chain=srcnat comment="office: masquerade" \
    ipsec-policy=out,none out-interface-list=WAN
/system identity
set name=office
