{
# a client of each line
{
/ip dhcp-client
add add-default-route=no disabled=no interface=W1 script="{\r\
    \n    :local count [/ip route print count-only where comment=\"to_w1\"]\
    \r\
    \n    :if (\$bound=1) do={\r\
    \n            /ip route add distance=1 gateway=\$\"gateway-address\" check\
    -gateway=ping routing-mark=to_w1 comment=\"to_w1\"\r\
    \n    }\r\
    \n}"
}
}
