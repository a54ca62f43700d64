"""What one version has and the other refuses."""

from __future__ import annotations

import pytest

from labs.virtual_routeros.device import Description
from labs.virtual_routeros.traps import Trap
from tests.labs.virtual_routeros.wire import device

_GATEWAY = {"gateway": "10.0.0.1"}


@pytest.mark.parametrize(
    ("version", "path", "arguments", "message"),
    [
        ("7.18", "ip route", {"routing-mark": "a", **_GATEWAY}, "^unknown parameter routing-mark$"),
        ("7.18", "ip route", {"type": "blackhole"}, "^unknown parameter type$"),
        ("6.49.17", "ip route", {"routing-table": "a", **_GATEWAY}, "^unknown parameter$"),
        ("6.49.17", "ip route", {"blackhole": ""}, "^unknown parameter$"),
        ("6.49.17", "ip firewall filter", {"chain": "input", "hw-offload": "yes"}, "^unknown parameter$"),
        ("6.49.17", "routing table", {"name": "a", "fib": ""}, r"^no such command or directory \(table\)$"),
        ("6.49.17", "routing rule", {"table": "a"}, "no such command or directory"),
        ("7.18", "ip route rule", {"table": "main"}, r"^no such command or directory \(rule\)$"),
    ],
)
def test_the_other_version_refuses(version: str, path: str, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(Trap, match=message):
        device(version).call(tuple(path.split()), "add", arguments)


def test_policy_routing_of_6() -> None:
    one = device("6.49.17")
    one.call(("ip", "route"), "add", {"routing-mark": "isp1", "check-gateway": "ping", **_GATEWAY})
    one.call(("ip", "route"), "add", {"gateway": "10.0.0.1,10.0.0.2%ether1", "distance": "5"})
    one.call(("ip", "route"), "add", {"type": "blackhole", "dst-address": "192.0.2.0/24"})
    one.call(("ip", "route", "rule"), "add", {"routing-mark": "isp1", "table": "isp1"})
    routes = one.call(("ip", "route"), "print").rows
    assert [row.get("routing-mark") for row in routes] == ["isp1", None, None]
    assert "routing-table" not in routes[0]


def test_policy_routing_of_7() -> None:
    one = device("7.18")
    with pytest.raises(Trap, match="input does not match any value of new-routing-mark"):
        one.call(("ip", "firewall", "mangle"), "add", {"chain": "prerouting", "new-routing-mark": "isp1"})
    one.call(("routing", "table"), "add", {"name": "isp1", "fib": ""})
    one.call(("ip", "route"), "add", {"routing-table": "isp1", **_GATEWAY})
    one.call(("ip", "firewall", "mangle"), "add", {"chain": "prerouting", "new-routing-mark": "isp1"})
    assert one.call(("routing", "table"), "print").rows[1]["fib"] == "true"
    assert one.call(("ip", "route"), "print", {}, ["?routing-table=isp1"]).rows


@pytest.mark.parametrize(
    ("version", "says"), [("7.18", True), ("7.17.2", False), ("6.49", False), ("7.19beta4", True), ("7.21.4", True)]
)
def test_empty_since_7_18(version: str, says: bool) -> None:
    assert Description(version).says_empty is says
    assert Description(version, has_empty=not says).says_empty is not says


@pytest.mark.parametrize("version", ["", "5.26", "8.1", "7", "7.x"])
def test_other_versions_are_refused(version: str) -> None:
    with pytest.raises(ValueError, match=r"expected 6\.x or 7\.x"):
        device(version)


def test_dates_are_written_as_the_version_writes_them() -> None:
    for version, date in (("6.49", "jan/01/2026"), ("7.18", "2026-01-01")):
        (row,) = device(version).call(("system", "clock"), "print").rows
        assert (row["date"], row["time"]) == (date, "00:00:00")
