"""What stands in a kernel, as the commands that make it: for the proof, which reads those."""

from __future__ import annotations

from compiler.deploy.linux.kernel import Held
from compiler.deploy.linux.state import MAIN, State

__all__ = ["batch_of"]


def batch_of(held: Held, target: State) -> str:
    """Ours, and what is somebody else's but stands for something of ours."""
    addresses = {*held.ours.addresses, *(one for one in target.addresses if one in held.foreign_addresses)}
    routes = [*(one for one in held.foreign_routes if one in target.routes), *held.ours.routes]
    rules = {*held.ours.rules, *(one for one in target.rules if one in held.foreign_rules)}
    lines = [f"address replace {one.text} dev {one.interface}" for one in sorted(addresses)]
    for route in routes:
        kind = "" if route.kind == "unicast" else f"{route.kind} "
        table = "" if route.table == MAIN else f" table {route.table}"
        metric = f" metric {route.metric}" if route.metric else ""
        target_text = "default" if route.destination == "0.0.0.0/0" else route.destination
        ways = f" {route.ways}" if route.hops else ""
        one_way = ways if len(route.hops) == 1 else ""
        several = ways if len(route.hops) > 1 else ""
        lines.append(f"route replace {kind}{target_text}{one_way}{metric}{table}{several}")
    lines += [f"rule add {rule}" for rule in sorted(rules)]
    return "\n".join(lines) + "\n"
