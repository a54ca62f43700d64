"""RouterOS scripts whose shares and faults can be told by hand."""

from __future__ import annotations

__all__ = ["PUBLISHED", "router"]

PUBLISHED = """\
/ip address add interface=LAN address=192.168.3.1 netmask=255.255.255.0
/ip address add interface=Speedy1 address=192.168.1.252 netmask=255.255.255.0
/ip address add interface=Speedy2 address=192.168.2.254 netmask=255.255.255.0
/ip route
add dst-address=0.0.0.0/0 gateway=192.168.1.1 distance=1 check-gateway=ping
add dst-address=0.0.0.0/0 gateway=192.168.2.2 distance=2 check-gateway=ping
/ip firewall nat
add action=masquerade chain=srcnat out-interface=ISP1
add action=masquerade chain=srcnat out-interface=ISP2
/ip firewall mangle
add chain=prerouting in-interface=LOKAL connection-state=new nth=2,1\\
action=mark-connection new-connection-mark=MC01 passthrough=yes comment="koneksi-1"
add chain=prerouting in-interface=LOKAL connection-state=new nth=2,2\\
action=mark-connection new-connection-mark=MC02 passthrough=yes comment="koneksi-2"
add chain=prerouting in-interface=LOKAL connection-mark=MC01\\
action=mark-routing new-routing-mark=MR01 passthrough=no comment="route-1"
add chain=prerouting in-interface=LOKAL connection-mark=MC02\\
action=mark-routing new-routing-mark=MR02 passthrough=no comment="route-2"
/ip route
add disabled=no distance=1 dst-address=0.0.0.0/0 gateway=192.168.1.252 routing-mark=MR01
add disabled=no distance=1 dst-address=0.0.0.0/0 gateway=192.168.2.254 routing-mark=MR02
""".replace("\\\n", " ")
"""The paper's script; only ``ateway=`` is mended, which no reader takes."""


def router(draws: list[str], *, guarded: bool = True, more: str = "", checked: bool = True) -> str:
    """Version 7, an uplink for each draw (``nth=2,1``): marks by the draws, a table and a default for each.

    ``guarded``: only connections without a mark draw.
    """
    count = range(1, len(draws) + 1)
    check = "check-gateway=ping " if checked else ""
    guard = "connection-mark=no-mark " if guarded else ""
    lan = "chain=prerouting in-interface=LAN"
    lines = ["/ip address", "add interface=LAN address=192.168.3.1/24"]
    lines += [f"add interface=WAN{n} address=10.{n}.0.2/24" for n in count]
    lines += ["/routing table", *(f"add name=to{n} fib" for n in count), "/ip route"]
    lines += [f"add dst-address=0.0.0.0/0 gateway=10.{n}.0.1 routing-table=to{n} {check}" for n in count]
    lines += [f"add dst-address=0.0.0.0/0 gateway=10.{n}.0.1 distance={n} {check}" for n in count]
    lines += ["/ip firewall nat", *(f"add chain=srcnat out-interface=WAN{n} action=masquerade" for n in count)]
    lines += ["/ip firewall mangle"]
    lines += [
        f"add chain=prerouting in-interface=WAN{n} connection-state=new connection-mark=no-mark "
        f"action=mark-connection new-connection-mark=con{n} passthrough=yes"
        for n in count
    ]
    lines += [f"add chain=output connection-mark=con{n} action=mark-routing new-routing-mark=to{n}" for n in count]
    lines += [
        f"add {lan} dst-address-type=!local connection-state=new {guard}{draw} "
        f"action=mark-connection new-connection-mark=con{n} passthrough=yes"
        for n, draw in enumerate(draws, 1)
    ]
    lines += [f"add {lan} connection-mark=con{n} action=mark-routing new-routing-mark=to{n}" for n in count]
    return "\n".join(lines) + "\n" + more
