"""A virtual RouterOS, intents to deploy to it, and what is looked at afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from compiler.deploy.routeros.access import Access
from compiler.deploy.routeros.deployment import Patience, RouterosDeployment
from compiler.simulator.engine import SECOND
from labs.virtual_routeros.clocks import ManualClock
from labs.virtual_routeros.device import Description, Device
from labs.virtual_routeros.export import export
from labs.virtual_routeros.faults import Cut, Moment
from labs.virtual_routeros.server import Server
from labs.virtual_routeros.tables import Row
from tests.compiler.balancing.intents import simple

__all__ = [
    "CHANGES",
    "FOREIGN",
    "RELEASES",
    "Held",
    "Moment",
    "access",
    "cut",
    "deploy",
    "exported",
    "foreign_rows",
    "made",
    "pass_time",
    "revived",
    "served",
    "snapshot",
    "stand",
]

RELEASES = ("7.18.2", "6.49.17")
PORTS = ("LAN", "GUESTS", "ISP1", "ISP2", "ISP3")
_PARTS = [("system", "scheduler"), ("system", "script")]

CHANGES: dict[str, tuple[str | None, str | None]] = {
    "first": (None, simple((1, 1))),
    "weights": (simple((1, 1)), simple((1, 2))),
    "uplink more": (simple((1, 1)), simple((1, 1, 1), "nth", "dns: {servers: 9.9.9.9}\n")),
    "uplink less": (simple((1, 1, 1)), simple((1, 1))),
    "method": (simple((1, 1)), simple((1, 1), "pcc", "fields: src-address\n")),
    "removal": (simple((1, 1)), None),
}
"""What stands before (None: nothing of ours), and what is deployed (None: ``--remove``)."""

FOREIGN = (
    ("/ip/address", {"address": "192.168.3.1/24", "interface": "LAN", "comment": 'caf\u00e9 "$x" \\ {y}\n2'}),
    ("/ip/address", {"address": "172.16.0.1/24", "interface": "GUESTS"}),
    ("/ip/firewall/mangle", {"chain": "postrouting", "comment": "somebody's own"}),
    ("/ip/firewall/filter", {"chain": "input", "action": "drop", "in-interface": "ISP3"}),
    (
        "/ip/firewall/filter",
        {"chain": "forward", "action": "drop", "disabled": "yes", "comment": "\u0644\u0627 \u2026"},
    ),
    ("/ip/firewall/nat", {"chain": "srcnat", "action": "masquerade", "out-interface": "GUESTS"}),
    ("/ip/route", {"dst-address": "10.9.0.0/16", "gateway": "172.16.0.9", "comment": "branch"}),
    ("/ip/dns", {"servers": "1.1.1.1"}),
)
"""Rows of somebody else. The first stands where ours will, and is as wanted: it stays."""


def made(release: str = RELEASES[0], *, foreign: bool = True, **more: object) -> Device:
    """A router whose clock stands still, with rows of somebody else."""
    description = Description(release, PORTS, {"admin": "secret"}, **more)  # type: ignore[arg-type]
    clock = ManualClock()
    device = Device(description, clock)
    clock.advance(100 * SECOND)  # what runs at startup has run
    for path, values in FOREIGN if foreign else ():
        words = tuple(path.strip("/").split("/"))
        device.call(words, "set" if words[-1] == "dns" else "add", values)
    return device


@contextmanager
def served(device: Device) -> Iterator[Server]:
    with Server(device) as server:
        yield server


def access(server: Server) -> Access:
    host, port = server.address
    return Access(host, "admin", "secret", port, timeout=5.0)


def deploy(server: Server, text: str | None, attempts: int = 3) -> RouterosDeployment:
    """The deployment of an intent, or of nothing. Without attempts nobody comes back after a lost connection."""
    patience = Patience(attempts, 0.0, lambda _: None)
    return RouterosDeployment(text, "two.yaml", access(server), remove=text is None, patience=patience)


def stand(device: Device, text: str | None) -> None:
    """Deploy and keep it, without faults."""
    if text is not None:
        with served(device) as server:
            deployment = deploy(server, text)
            deployment.apply(60)
            deployment.confirm()


Held = dict[tuple[str, ...], list[tuple[str, dict[str, str], bool, dict[str, str]]]]


def snapshot(device: Device) -> Held:
    """All rows with their ids."""
    return {
        path: [(row.id, dict(row.properties), row.dynamic, dict(row.extra)) for row in table.rows]
        for path, table in device.tables.items()
        if path != ("interface",)
    }


def revived(held: Held, release: str) -> Device:
    """Another router with the same rows."""
    device = made(release, foreign=False)
    for path, rows in held.items():
        table = device.tables[path]
        table.rows[:] = []
        for id, properties, dynamic, extra in rows:
            row = Row(id, dict(properties), dynamic=dynamic)
            row.extra = dict(extra)
            table.rows.append(row)
        numbers = [int(id[1:], 16) for id, _, dynamic, _ in rows if not dynamic]
        while max(numbers, default=0) >= int(table.new_id()[1:], 16):
            pass
    return device


def exported(device: Device) -> str:
    """All rows, those of scheduler and scripts too; where the order of rows means nothing, sorted."""
    lines = export(device, _PARTS).text.splitlines()
    ordered = tuple(f"/{' '.join(path)} " for path, table in device.tables.items() if table.menu.is_ordered)
    kept = [line for line in lines if line.startswith(ordered)]
    return "\n".join([*sorted(line for line in lines if not line.startswith(ordered)), *kept])


def foreign_rows(device: Device) -> list[tuple[str, ...]]:
    """What of the first-given rows is there, with ids: without those that a deploy may adopt."""
    found = []
    for table in device.tables.values():
        for row in table.rows:
            comment = row.properties.get("comment", "")
            if row.dynamic or comment.startswith("gerbang") or "192.168.3.1/24" in row.properties.values():
                continue
            if table.menu.path[0] == "ip" and table.menu.path[1] != "dns":
                found.append((row.id, *sorted(f"{name}={text}" for name, text in row.properties.items())))
    return found


def pass_time(device: Device, seconds: int) -> None:
    """Let that much time go by on the device."""
    clock = device.clock
    assert isinstance(clock, ManualClock)
    clock.advance(seconds * SECOND)
    device.tick()


def cut(server: Server, sentence: int, moment: Moment) -> None:
    """Lose the connection at that sentence from now."""
    server.faults.cut(Cut(sentence, moment))
