"""Labs whose rates are measured: one line of 3 Mbit/s, and flows that share it."""

from __future__ import annotations

from random import Random

__all__ = ["CAPACITY", "line_lab"]

CAPACITY = 3_000_000 * 1448 / 1514
"""Bits of payload a second on a full line: 1,448 octets of each frame of 1,514 (timestamps; no preamble)."""


def line_lab(
    flows: int = 1, *, seconds: int = 20, delay: str = "0 ms", queue: int = 50, seed: int = 1, upload: bool = False
) -> str:
    """Downloads (or uploads) over one line; the seed moves their beginnings by up to 200 ms."""
    random = Random(seed)
    kind = "upload" if upload else "download"
    up, down = "512 kbit/s", "3 Mbit/s"
    up, down = (down, up) if upload else (up, down)
    traffic = "\n".join(
        f"  - {{name: flow-{number}, client: pc-{number}, server: server, {kind}: {{}}, "
        f"at: {500 + random.randrange(200_000) / 1000:.3f} ms, duration: {seconds} s}}"
        for number in range(flows)
    )
    hosts = "\n".join(
        f"  pc-{number}: {{kind: host, address: 10.0.0.{number + 2}/24, gateway: 10.0.0.1}}" for number in range(flows)
    )
    cables = "\n".join(f"  - {{ends: [pc-{number}, switch], rate: 100 Mbit/s}}" for number in range(flows))
    return f"""
name: line
duration: {seconds + 3} s
nodes:
{hosts}
  switch: {{kind: switch}}
  router: {{kind: router, interfaces: {{lan: 10.0.0.1/24, line: 192.0.2.1/24}}}}
  server: {{kind: server, address: 192.0.2.9/24, gateway: 192.0.2.1, services: [source, discard]}}
links:
{cables}
  - {{ends: [switch, router:lan], rate: 100 Mbit/s}}
  - name: line
    ends: [router:line, server]
    up: {{rate: {up}, delay: {delay}, queue: {queue} packets}}
    down: {{rate: {down}, delay: {delay}, queue: {queue} packets}}
traffic:
{traffic}
"""
