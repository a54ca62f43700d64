# Lists of networks that must not come from outside; no connections are looked at.
:do { /interface list add name=UPLINKS comment="up" } on-error={ :put "is there already" }
/interface list member add list=UPLINKS interface=ether1
{
/ip firewall address-list
add list=rfc1918 address=10.0.0.0/8 comment=RFC1918
add list=rfc1918 address=172.16.0.0/12
add list=rfc1918 address=192.168.0.0/16
}
/ip firewall address-list add list=shared address=100.64.0.0/10 comment="RFC 6598: \C2\AB shared \C2\BB"
/ip firewall raw
add chain=prerouting in-interface-list=UPLINKS src-address-list=rfc1918 action=drop
add chain=prerouting in-interface-list=UPLINKS src-address-list=shared \
    action=drop comment="carrier \
    grade"
add chain=prerouting in-interface-list=UPLINKS protocol=tcp tcp-flags=syn,fin action=drop
add chain=prerouting in-interface-list=UPLINKS dst-port=53,123 protocol=udp action=jump jump-target=talk
add chain=talk src-address=192.0.2.0/24 action=return
add chain=talk action=drop log=yes log-prefix="talk: "
