:global lines 4;
:global prefix "W"
for route from=2 to=$lines do={ :put $route }
interface wireless set W1 ssid=$ssid disabled=no
ip dns set servers=192.0.2.53 allow-remote-requests=yes
/ip firewall mangle
add action=mark-routing chain=prerouting in-interface=lan new-routing-mark="to-$prefix" passthrough=no
remove [find comment="auto $prefix"]
:foreach rule in=[find comment=NTH] do {
    ip firewall mangle set $rule nth="$steps,$next";
}
if ([:len $lines]=0) do={ :put "none" }
