"""Right scripts that the tests of lints break in one place each."""

from __future__ import annotations

_HEAD = """\
/ip address
add address=192.168.3.1/24 interface=lan
add address=192.168.1.2/24 interface=wan1
add address=192.168.2.2/24 interface=wan2
/ip dns
set allow-remote-requests=yes servers=8.8.8.8
"""
_LOCAL = """\
add chain=prerouting in-interface=lan dst-address=192.168.1.0/24 action=accept
add chain=prerouting in-interface=lan dst-address=192.168.2.0/24 action=accept
add chain=prerouting in-interface=lan dst-address=224.0.0.0/3 action=accept
add chain=prerouting in-interface=wan1 connection-state=new connection-mark=no-mark action=mark-connection \\
    new-connection-mark=wan1_conn passthrough=yes
add chain=prerouting in-interface=wan2 connection-state=new connection-mark=no-mark action=mark-connection \\
    new-connection-mark=wan2_conn passthrough=yes
"""
_DEAL = """\
add chain=prerouting in-interface=lan connection-state=new connection-mark=no-mark dst-address-type=!local {0} \\
    action=mark-connection new-connection-mark=wan1_conn passthrough=yes
add chain=prerouting in-interface=lan connection-state=new connection-mark=no-mark dst-address-type=!local {1} \\
    action=mark-connection new-connection-mark=wan2_conn passthrough=yes
"""
_SEND = """\
add chain=prerouting in-interface=lan connection-mark=wan1_conn dst-address-type=!local action=mark-routing \\
    new-routing-mark=to_wan1 passthrough=no
add chain=prerouting in-interface=lan connection-mark=wan2_conn dst-address-type=!local action=mark-routing \\
    new-routing-mark=to_wan2 passthrough=no
add chain=output connection-mark=wan1_conn action=mark-routing new-routing-mark=to_wan1 passthrough=no
add chain=output connection-mark=wan2_conn action=mark-routing new-routing-mark=to_wan2 passthrough=no
/ip firewall filter
add chain=forward action=fasttrack-connection connection-state=established,related connection-mark=no-mark
/ip firewall nat
add chain=srcnat out-interface=wan1 action=masquerade
add chain=srcnat out-interface=wan2 action=masquerade
add chain=dstnat in-interface=wan1 protocol=tcp dst-port=8080 action=dst-nat to-addresses=192.168.3.10 to-ports=80
"""
_ROUTES = """\
/ip route
add gateway=192.168.1.1 distance=1 check-gateway=ping
add gateway=192.168.2.1 distance=2 check-gateway=ping
add gateway=192.168.1.1 {word}=to_wan1 check-gateway=ping
add gateway=192.168.2.1 {word}=to_wan2 check-gateway=ping
"""
_TABLES = """\
/routing table
add name=to_wan1 fib
add name=to_wan2 fib
"""
_PROBES = """\
/ip route
add dst-address=8.8.8.8/32 gateway=192.168.1.1 scope=10
add dst-address=8.8.4.4/32 gateway=192.168.2.1 scope=10
add gateway=8.8.8.8 distance=1 target-scope=11 check-gateway=ping
add gateway=8.8.4.4 distance=2 target-scope=11 check-gateway=ping
add gateway=8.8.8.8 {word}=to_wan1 target-scope=11 check-gateway=ping
add gateway=8.8.4.4 {word}=to_wan2 target-scope=11 check-gateway=ping
"""


def right(version: int, method: str = "nth", probes: bool = False) -> str:
    """A script without a mistake, by Nth or by PCC, for RouterOS 6 or 7."""
    deal = {
        "nth": ("nth=2,1", ""),
        "pcc": ("per-connection-classifier=both-addresses:2/0", "per-connection-classifier=both-addresses:2/1"),
    }[method]
    word = "routing-mark" if version == 6 else "routing-table"
    routes = (_PROBES if probes else _ROUTES).format(word=word)
    head = f"# by RouterOS {version}.1\n" + (_TABLES if version == 7 else "")
    return head + _HEAD + "/ip firewall mangle\n" + _LOCAL + _DEAL.format(*deal) + _SEND + routes
