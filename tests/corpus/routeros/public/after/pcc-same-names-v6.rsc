	/
	/interface
	set ether1 name=Tele
	set ether2 name=Kabel
    set ether5 name=Local
	/
	/interface
	list add name=internet
	list member add interface=Tele list=internet
	list member add interface=Kabel list=internet
	/
	/ip address
	add address=192.168.1.2/24 network=192.168.1.0 broadcast=192.168.1.255 interface=Tele
	add address=192.168.2.2/24 network=192.168.2.0 broadcast=192.168.2.255 interface=Kabel
	add address=192.168.0.2/24 network=192.168.0.0 broadcast=192.168.0.255 interface=Local	
	/
	/ip route
	add dst-address=0.0.0.0/0 gateway=192.168.1.1 distance=1 check-gateway=ping
	add dst-address=0.0.0.0/0 gateway=192.168.2.1 distance=2 check-gateway=ping
	/	
	/ip firewall nat
	add chain=srcnat src-address=192.168.0.0/24 out-interface-list=internet action=masquerade
	/	
	/ip firewall mangle
	add chain=prerouting in-interface=Tele connection-mark=no-mark action=mark-connection new-connection-mark=Tele
	add chain=prerouting in-interface=Kabel connection-mark=no-mark action=mark-connection new-connection-mark=Kabel
	add chain=prerouting in-interface=Local connection-mark=no-mark dst-address-type=!local per-connection-classifier=both-addresses-and-ports:2/0 action=mark-connection new-connection-mark=Tele
	add chain=prerouting in-interface=Local connection-mark=no-mark dst-address-type=!local per-connection-classifier=both-addresses-and-ports:2/1 action=mark-connection new-connection-mark=Kabel
	add chain=prerouting in-interface=Local connection-mark=Tele action=mark-routing new-routing-mark=Tele
	add chain=prerouting in-interface=Local connection-mark=Kabel action=mark-routing new-routing-mark=Kabel
	add chain=output connection-mark=Tele action=mark-routing new-routing-mark=Tele
	add chain=output connection-mark=Kabel action=mark-routing new-routing-mark=Kabel
	/
	/ip route
	add dst-address=0.0.0.0/0 gateway=192.168.1.1 routing-mark=Tele
	add dst-address=0.0.0.0/0 gateway=192.168.2.1 routing-mark=Kabel
	/ip dns set allow-remote-requests=yes cache-max-ttl=1w cache-size=5000KiB max-udp-packet-size=512 servers=192.0.2.53
