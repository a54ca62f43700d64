"""``python -m appliance.services.dns.serving start|reload FILES STATE RUN``: NSD on the zones of a generation.

Gives each zone its serial (``serials``), writes it to ``STATE/zones``, and then
becomes NSD, or tells the one that runs. It runs as root, as NSD itself starts:
the zones belong to root, and NSD, which drops its rights, cannot change them.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from appliance import durable
from appliance.services.dns.serials import Remembered, read_memory, served_text, written_memory

__all__ = ["main", "publish"]

NSD, CONTROL = "/usr/sbin/nsd", "/usr/sbin/nsd-control"
USER = "nsd"
SERVER = ("127.0.0.1", 5300)
_WITHIN = 15.0
"""Seconds until the new serials are served."""


def publish(files: Path, state: Path) -> Mapping[str, int]:
    """Write the zones that differ, remove those that are gone; the serials by the names of the zones.

    The memory is written first: a power cut between the two costs a serial, and
    never gives the same one to two contents.
    """
    zones = state / "zones"
    zones.mkdir(mode=0o755, exist_ok=True)
    memory_file = state / "serials.json"
    memory = _memory(memory_file)
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((files / "zones").glob("*.zone"))}
    served = {name: served_text(text, memory.get(name)) for name, text in texts.items()}
    fresh = memory | {name: remembered for name, (_text, remembered) in served.items()}
    if fresh != memory:
        durable.put(memory_file, written_memory(fresh).encode(), mode=0o644)
    for name, (text, _remembered) in served.items():
        path = zones / f"{name}.zone"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            durable.put(path, text.encode(), mode=0o644)
    for path in zones.glob("*.zone"):
        if path.stem not in served:
            path.unlink()
    return {name: remembered.serial for name, (_text, remembered) in served.items()}


def _memory(path: Path) -> dict[str, Remembered]:
    try:
        return read_memory(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        # The clock then gives serials ahead of those that are forgotten.
        print(f"the memory of serials cannot be read and begins anew: {error}", file=sys.stderr, flush=True)
        return {}


def _start(files: Path, state: Path) -> None:
    """Become NSD."""
    publish(files, state)
    data = state / "data"
    data.mkdir(mode=0o750, exist_ok=True)
    if os.geteuid() == 0:
        entry = pwd.getpwnam(USER)
        os.chown(data, entry.pw_uid, entry.pw_gid)
    os.execv(NSD, [NSD, "-d", "-c", str(files / "nsd.conf")])


def _reload(files: Path, state: Path) -> int:
    """Tell the NSD that runs, and wait until it serves."""
    serials = publish(files, state)
    for command in ("reconfig", "reload"):
        done = subprocess.run(
            [CONTROL, "-c", str(files / "nsd.conf"), command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_WITHIN,
            check=False,
        )
        if done.returncode:
            print(f"nsd-control {command}: {done.stdout}")
            return 1
    if late := _not_served(serials):
        print(f"NSD does not serve the new content of {', '.join(late)}")
        return 1
    return 0


def _not_served(serials: Mapping[str, int]) -> list[str]:
    """The zones whose serial does not come to be served; it reads them after it has answered."""
    from appliance.services.dns.asking import serial_of

    end = time.monotonic() + _WITHIN
    late = list(serials)
    while late:
        late = [zone for zone in late if serial_of(zone, *SERVER) != serials[zone]]
        if not late or time.monotonic() > end:
            break
        time.sleep(0.02)
    return late


def main(arguments: list[str]) -> int:
    """The exit code; ``start`` does not come back."""
    what, files, state = arguments[0], Path(arguments[1]), Path(arguments[2])
    if what == "start":
        _start(files, state)
    return _reload(files, state)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
