:local tries 5;
:local first [/ping 192.0.2.53 count=$tries interface="ether1"];
:if (($first=0)) do={
/ip route disable [find comment="ether1"];
:log warning "Set routes to ether2";
}
