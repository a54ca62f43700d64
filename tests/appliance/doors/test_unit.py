"""The web door's unit: shut in as tightly as the daemon's, and no more of it ends than must."""

from __future__ import annotations

import re

from appliance.data import data

OPEN = {"RestartPreventExitStatus", "RuntimeDirectory", "RuntimeDirectoryMode", "TimeoutStartSec"}
"""What the daemon has for itself."""


def _lines(name: str) -> set[tuple[str, str]]:
    text = (data("templates/systemd") / name).read_text().partition("[Service]")[2].partition("[Install]")[0]
    return {(key, value) for key, value in re.findall(r"(?m)^([A-Za-z]+)=(.*)$", text)}


def test_it_is_shut_in_as_the_daemon_is() -> None:
    door, daemon = _lines("gerbang-web.service"), _lines("gerbang.service")
    own = {key for key, _value in daemon - door} - OPEN
    # Whose it is and how it starts and ends differ; all that shuts in does not.
    assert own == {"Type", "ExecStart", "TimeoutStopSec", "User", "StateDirectory", "StateDirectoryMode", "UMask"}
    assert {("UMask", "0077"), ("StateDirectoryMode", "0700"), ("User", "gerbang-web")} <= door


def test_a_console_that_takes_all_memory_goes_alone() -> None:
    door = dict(_lines("gerbang-web.service"))
    assert door["MemoryMax"] == "4G"
    # systemd.service(5): "stop", the default, would end the door with everybody's consoles.
    assert door["OOMPolicy"] == "continue"
    assert ("InaccessiblePaths", "-/var/lib/gerbang -/run/gerbang-helper") in _lines("gerbang-web.service")
