"""A small lab with a balanced router: two clients, two modems with a line each, one server behind both."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CONNECTIONS", "FIRST", "LAB", "SECOND", "intent", "write_lab"]

FIRST, SECOND = "198.51.100.2", "203.0.113.2"
"""As whom the server sees what comes by each line."""

CONNECTIONS = """\
traffic:
  - {name: web-1, client: pc1, server: server, connect: http, connections: 8, every: 50 ms, source_ports: &ports
    [40000, 40001, 40002, 40003, 40004, 40005, 40006, 40007]}
  - {name: web-2, client: pc2, server: server, connect: http, connections: 8, every: 70 ms, at: 23 ms,
     source_ports: *ports}
"""

LAB = """\
name: small
description: Two clients, one balanced router, two lines. For tests.
duration: 10 s
nodes:
  pc1: {kind: host, address: 192.168.3.10/24, gateway: 192.168.3.1}
  pc2: {kind: host, address: 192.168.3.12/24, gateway: 192.168.3.1}
  switch: {kind: switch}
  router: {kind: router, balance: {intent: intents/nth.yaml, target: linux}}
  modem1: {kind: modem, interfaces: {lan: 192.168.1.1/24, line: 198.51.100.2/30}, uplink: line, gateway: 198.51.100.1}
  modem2: {kind: modem, interfaces: {lan: 192.168.2.1/24, line: 203.0.113.2/30}, uplink: line, gateway: 203.0.113.1}
  internet: {kind: router, interfaces: {line1: 198.51.100.1/30, line2: 203.0.113.1/30, servers: 192.0.2.1/24}}
  server: {kind: server, address: [ADDRESSES], gateway: 192.0.2.1, services: [http, echo, source]}
links:
  - ["pc{1,2}", switch]
  - [switch, router:LAN]
  - {name: "wan{1,2}", ends: ["router:ISP{1,2}", "modem{1,2}:lan"]}
  - {name: "line{1,2}", ends: ["modem{1,2}:line", "internet:line{1,2}"]}
  - [internet:servers, server]
variants:
  pcc:
    about: PCC by source address. A client keeps its line.
    nodes: {router: {balance: {intent: intents/pcc.yaml}}}
  version-7:
    about: The same by RouterOS 7.
    nodes: {router: {balance: {target: routeros7}}}
  version-6: {nodes: {router: {balance: {target: routeros6}}}}
"""


def intent(method: str, probes: bool = True, more: str = "") -> str:
    """Two lines; ``probes`` are addresses of the server, each by its own line."""
    hosts = [f", probes: 192.0.2.1{number}" if probes else "" for number in (1, 2)]
    return f"""\
networks: {{lan: {{interface: LAN, address: 192.168.3.1/24}}}}
uplinks:
  first: {{interface: ISP1, address: 192.168.1.2/24, gateway: 192.168.1.1{hosts[0]}}}
  second: {{interface: ISP2, address: 192.168.2.2/24, gateway: 192.168.2.1{hosts[1]}}}
method: {method}
{more}"""


def write_lab(folder: Path, traffic: str = CONNECTIONS, more: str = "", *, probes: bool = True) -> Path:
    """The lab in a folder, with its intents; ``more`` are further keys of the file."""
    (folder / "intents").mkdir(parents=True)
    (folder / "intents/nth.yaml").write_text(intent("nth", probes))
    (folder / "intents/pcc.yaml").write_text(intent("pcc", probes, "fields: src-address\n"))
    addresses = ", ".join(f"192.0.2.{number}/24" for number in range(10, 32))
    (folder / "lab.yaml").write_text(LAB.replace("ADDRESSES", addresses) + traffic + more)
    return folder
