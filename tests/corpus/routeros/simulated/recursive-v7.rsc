# 2023-05-01 10:00:00 by RouterOS 7.9
/interface ethernet set [ find default-name=ether1 ] name=isp1
/interface ethernet set [ find default-name=ether2 ] name=isp2
/interface bridge add name=bridge1 protocol-mode=none
/interface bridge port add bridge=bridge1 interface=ether3
/interface bridge port add bridge=bridge1 interface=ether4
/ip settings set ipv4-multipath-hash-policy=l4
/ip address add address=192.168.88.1/24 interface=bridge1 network=192.168.88.0
/ip address add address=203.0.113.2/30 interface=isp1 network=203.0.113.0
/ip address add address=203.0.113.6 interface=isp2 network=203.0.113.5
/ip firewall nat add action=src-nat chain=srcnat out-interface=isp1 to-addresses=203.0.113.2
/ip firewall nat add action=src-nat chain=srcnat out-interface=isp2 to-addresses=203.0.113.6
/ip route add comment="probe of isp1" dst-address=8.8.8.8/32 gateway=203.0.113.1 scope=10
/ip route add comment="probe of isp2" dst-address=8.8.4.4/32 gateway=203.0.113.5%isp2 scope=10
/ip route add check-gateway=ping distance=1 gateway=8.8.8.8 target-scope=11
/ip route add check-gateway=ping distance=1 gateway=8.8.4.4 target-scope=11
/ip firewall connection tracking set enabled=yes udp-timeout=10s
/system identity set name=failover
