"""End systems: Ethernet, IP, ICMP, UDP and TCP of a host."""
