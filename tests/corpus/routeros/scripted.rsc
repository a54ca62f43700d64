:local wan "ether1"
:foreach rule in=[/ip firewall filter find where comment~"old"] do={
    /ip firewall filter remove $rule
}
/ip firewall filter
add chain=input in-interface=$wan action=drop
:if ([:len [/interface find name=$wan]] = 0) do={ :error "no such interface" }
