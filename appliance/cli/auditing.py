"""What ``gerbang audit`` does: ask the daemon to walk its log, and tell what it found."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any

from appliance.cli.connecting import connected
from appliance.cli.following import followed

__all__ = ["verify"]


def verify(arguments: Namespace) -> int:
    """0: all lines are intact; 1: some are not, or the walk was cancelled."""
    with connected(arguments) as client:
        begun = client.call("system", "verify-audit", {"noted": arguments.noted})
        work = followed(client, str(begun["work"]))
    if work is None:
        return 1
    found = work.result
    if arguments.format == "json":
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(found)))
    return int(not found["intact"])


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    if found["intact"]:
        yield f"all {found['lines']} lines are intact"
        if found["head"]:
            yield f"the last is {found['head']}: note it elsewhere, and give it as --noted some day"
        return
    yield f"the log was tampered with: {len(found['faults'])} faults in {found['lines']} lines"
    yield from (f"  {one}" for one in found["faults"])
