# RouterOS 7.x, two lines by DHCP
:delay 15s

/system identity set name=MK
/interface ethernet
set [find default-name=ether1] name=ether1-A
set [find default-name=ether2] name=ether2-B
/interface bridge
add name=bridge-LAN comment="LAN"
/interface bridge port
add bridge=bridge-LAN interface=ether3
/interface list
add name=WAN
add name=LAN
/interface list member
add list=WAN interface=ether1-A
add list=WAN interface=ether2-B
add list=LAN interface=bridge-LAN
/ip address
add address=172.16.10.1/24 interface=bridge-LAN comment=LAN
/ip route
add dst-address=192.0.2.53/32 gateway=192.168.10.1 scope=10 comment=A-CHECK
add dst-address=198.51.100.53/32 gateway=192.168.20.1 scope=10 comment=B-CHECK
add dst-address=0.0.0.0/0 gateway=192.0.2.53 target-scope=11 check-gateway=ping distance=1 comment=A-DEFAULT
add dst-address=0.0.0.0/0 gateway=198.51.100.53 target-scope=11 check-gateway=ping distance=2 comment=B-DEFAULT
/ip dhcp-client
add interface=ether1-A add-default-route=no use-peer-dns=no comment=A \
    script=":if (\$bound=1) do={ /ip route set [find where comment=\"A-CHECK\"] gateway=\$\"gateway-address\" }"
/ip firewall nat
add chain=srcnat out-interface=ether1-A action=masquerade
add chain=srcnat out-interface=ether2-B action=masquerade
/ip firewall filter
add chain=input action=accept connection-state=established,related,untracked
add chain=input action=accept in-interface-list=LAN
add chain=input action=drop
add chain=forward action=fasttrack-connection connection-state=established,related
add chain=forward action=accept connection-state=established,related,untracked
add chain=forward action=drop connection-state=new connection-nat-state=!dstnat in-interface-list=WAN
:do {
/tool netwatch add name=A-MON type=icmp host=192.0.2.53 interval=15s thr-loss-percent=30% down-script="/ip route disable [find where comment=\"A-DEFAULT\"]; /ip firewall connection remove [find]; :log warning \"A down -> B\"" up-script="/ip route enable [find where comment=\"A-DEFAULT\"]"
:log info "NETWATCH OK"
} on-error={ :log error "NETWATCH FAILED" }

:log info "done"
