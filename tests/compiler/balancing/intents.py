"""Intents that several tests of balancing share."""

from __future__ import annotations

from compiler.balancing.plan import Plan, make_plan
from compiler.balancing.reading import read_balance

FULL = """\
name: two-isps
networks:
  lan: {interface: LAN, address: 192.168.3.1/24}
  guests: {interface: GUESTS, address: 192.168.4.1/24}
uplinks:
  speedy1: {interface: ISP1, address: 192.168.1.252/24, gateway: 192.168.1.1, probes: [8.8.4.4, 9.9.9.9],
            dns: 202.134.0.155, download: 3 Mbit/s, upload: 512 kbit/s, weight: 2}
  speedy2: {interface: ISP2, address: 192.168.2.254/24, gateway: 192.168.2.2, weight: 2}
  fibre: {interface: ISP3, address: 192.0.2.2/30, gateway: 192.0.2.1, weight: 3, probes: 1.0.0.1}
method: nth
classes:
  - {name: web, method: pcc, fields: both-addresses-and-ports, protocol: tcp, ports: [80, 443]}
  - {name: games, method: pcc, fields: src-address, protocol: udp}
  - {name: mail, method: failover, among: [speedy2, speedy1], protocol: tcp, ports: 25}
  - {name: video, method: ecmp, among: [speedy2, speedy1], to: [198.51.100.0/24, 203.0.113.128/25]}
  - name: staff
    method: address_list
    from: lan
    to: 100.64.0.0/10
    members: {speedy1: 192.168.3.10, fibre: [192.168.3.64/26, 192.168.3.12]}
    otherwise: speedy2
exceptions:
  - {to: 203.0.113.5, via: speedy2, strict: yes}
  - {from: 192.168.3.200/29, direct: yes}
  - {from: guests, protocol: tcp, ports: 443, via: fibre}
forwards:
  - {via: [speedy1, fibre], protocol: tcp, ports: 8080, to: 192.168.3.10:80}
  - {protocol: udp, ports: 6000-6010, to: 192.168.3.11}
inside: [10.0.0.0/8]
router: {via: speedy2}
dns: {servers: 8.8.8.8, serve: yes}
"""


def plan_of(text: str) -> Plan:
    return make_plan(read_balance(text, "two.yaml"))


def simple(weights: tuple[int, ...], method: str = "nth", more: str = "") -> str:
    """One network and an uplink for each weight: interfaces LAN, ISP1 …, gateways 10.N.0.1, own 10.N.0.2."""
    lines = [
        f"  line{number}: {{interface: ISP{number}, address: 10.{number}.0.2/24, "
        f"gateway: 10.{number}.0.1, weight: {weight}}}"
        for number, weight in enumerate(weights, 1)
    ]
    uplinks = "\n".join(lines)
    return (
        f"networks: {{lan: {{interface: LAN, address: 192.168.3.1/24}}}}\nuplinks:\n{uplinks}\nmethod: {method}\n{more}"
    )
