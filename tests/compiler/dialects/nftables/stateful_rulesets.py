"""Rulesets as people write them, with state: for the simulator's mode of the reader."""

from __future__ import annotations

__all__ = ["BALANCER", "FLOOD_GUARD", "HOME_ROUTER", "RULESETS", "SERVER"]

BALANCER = """#!/usr/sbin/nft -f
# Two providers: every new connection of the LAN gets a line in turn, and keeps it.
flush ruleset
define lan = "lan0"
define isp1 = "wan1"
define isp2 = "wan2"

table ip balance {
	map line_of_mark {
		type mark : verdict
		elements = { 0x1 : jump first, 0x2 : jump second }
	}

	chain first {
		counter
	}

	chain second {
		counter
	}

	chain prerouting {
		type filter hook prerouting priority mangle; policy accept;
		iifname $isp1 ct state new ct mark set 0x1
		iifname $isp2 ct state new ct mark set 0x2
		iifname $lan fib daddr type != local ct state new ct mark 0 \\
			ct mark set numgen inc mod 2 map { 0 : 0x1, 1 : 0x2 }
		iifname $lan ct mark != 0 meta mark set ct mark
		ct mark & 0xff vmap @line_of_mark
	}

	chain output {
		type route hook output priority mangle; policy accept;
		ct mark != 0 meta mark set ct mark & 0xff
	}

	chain by_client {
		ct mark set jhash ip saddr . ip daddr mod 2 seed 0xdeadbeef offset 1
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname $isp1 masquerade
		oifname $isp2 snat to 203.0.113.5-203.0.113.9 persistent
	}
}
"""

HOME_ROUTER = """table inet filter {
	ct helper ftp {
		type "ftp" protocol tcp
		l3proto inet
	}

	chain input {
		type filter hook input priority filter; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		iifname "lo" accept
		iifname "lan0" accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
		icmp type echo-request limit rate 5/second accept
		log prefix "input: " limit rate 3/minute counter
	}

	chain helpers {
		type filter hook prerouting priority -10;
		tcp dport 21 ct helper set "ftp"
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		tcp flags syn / syn,rst tcp option maxseg size set rt mtu
		ct state established,related accept
		ct helper "ftp" accept
		iifname "lan0" oifname "wan0" accept
		ct status dnat accept
		reject with icmpx admin-prohibited
	}
}

table ip nat {
	map forwards {
		type inet_service : ipv4_addr . inet_service
		elements = { 8443 : 192.168.1.10 . 443, 2222 : 192.168.1.11 . 22 }
	}

	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		iifname "wan0" dnat ip to tcp dport map @forwards
		iifname "wan0" udp dport 51820 dnat to 192.168.1.12
		iifname "lan0" udp dport 53 redirect to :5353
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 192.168.1.0/24 oifname "wan0" masquerade random
	}
}
"""

SERVER = """table ip filter {
	set banned {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 10m
	}

	set friends {
		type ipv4_addr
		elements = { 192.0.2.1, 192.0.2.7 }
	}

	set seen {
		type ipv4_addr
		flags dynamic
	}

	chain raw {
		type filter hook prerouting priority raw; policy accept;
		udp dport 53 notrack
		ip saddr @banned drop
	}

	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related,untracked accept
		ip saddr @friends accept
		tcp dport { 23, 445, 3389 } add @banned { ip saddr } drop
		tcp dport 22 ct state new limit rate over 4/minute burst 3 packets update @banned { ip saddr timeout 1h } drop
		tcp dport 22 accept
		tcp dport { 80, 443 } update @seen { ip saddr } accept
	}

	chain output {
		type filter hook output priority mangle; policy accept;
		tcp sport 22 ip dscp set cs6
		meta length > 1000 ip dscp set cs1
	}
}
"""

FLOOD_GUARD = """table inet guard {
	chain limits {
		meta l4proto icmp limit rate over 10/second burst 20 packets drop
		udp dport 123 limit rate over 20 kbytes/second burst 4 kbytes drop
		numgen random mod 100 < 5 log prefix "sample " counter
		return
	}

	chain forward {
		type filter hook forward priority filter - 5; policy accept;
		ct state new jump limits
		numgen inc mod 10 0 ip saddr 10.0.0.0/8 counter drop
		meta mark set mark and 0xffff0000 or 0x5 meta l4proto vmap { tcp : accept, udp : accept }
	}
}
"""

RULESETS = {"balancer": BALANCER, "home router": HOME_ROUTER, "server": SERVER, "flood guard": FLOOD_GUARD}
