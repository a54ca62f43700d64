"""Tables against a model as simple as can be, and what they refuse."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.virtual_routeros.device import Device
from labs.virtual_routeros.traps import Trap
from tests.labs.virtual_routeros.wire import device

_MANGLE = ("ip", "firewall", "mangle")


def _comments(one: Device) -> list[str]:
    return [row["comment"] for row in one.call(_MANGLE, "print").rows]


_operation = st.tuples(
    st.sampled_from(["add", "insert", "remove", "move", "end", "disable", "comment"]), *[st.integers(0, 9)] * 2
)


@settings(max_examples=100, deadline=None)
@given(st.lists(_operation, min_size=8, max_size=30))
def test_random_operations_are_those_on_a_list(operations: list[tuple[str, int, int]]) -> None:
    one, model, ids, disabled = device(), list[str](), dict[str, str](), set[str]()
    for number, (what, first, second) in enumerate(operations):
        name, target, anchor = f"r{number}", "", ""
        if model:
            target, anchor = model[first % len(model)], model[second % len(model)]
        if what in ("add", "insert"):
            arguments = {"chain": "forward", "action": "passthrough", "comment": name}
            if what == "insert" and model:
                arguments["place-before"] = ids[anchor]
            ids[name] = one.call(_MANGLE, "add", arguments).ret or ""
            model.insert(model.index(anchor) if "place-before" in arguments else len(model), name)
        elif not model:
            continue
        elif what == "remove":
            one.call(_MANGLE, "remove", {".id": ids[target]})
            model.remove(target)
        elif what == "move" and target != anchor:
            one.call(_MANGLE, "move", {"numbers": ids[target], "destination": ids[anchor]})
            model.remove(target)
            model.insert(model.index(anchor), target)
        elif what == "end":
            one.call(_MANGLE, "move", {"numbers": ids[target]})
            model.remove(target)
            model.append(target)
        elif what == "disable":
            one.call(_MANGLE, "disable" if second % 2 else "enable", {".id": ids[target]})
            (disabled.add if second % 2 else disabled.discard)(target)
        elif what == "comment":
            one.call(_MANGLE, "comment", {".id": ids[target], "comment": name})
            model[model.index(target)] = name
            ids[name] = ids.pop(target)
            disabled = {name if each == target else each for each in disabled}
    rows = one.call(_MANGLE, "print").rows
    assert [row["comment"] for row in rows] == model
    assert [row[".id"] for row in rows] == [ids[name] for name in model]
    assert {row["comment"] for row in rows if row["disabled"] == "true"} == disabled & set(model)
    assert len(set(ids.values())) == len(ids), "an id was given twice"


def test_a_set_of_several_rows_changes_all_or_none() -> None:
    one = device()
    for name in ("a", "b"):
        one.call(("system", "script"), "add", {"name": name, "source": ":log info x"})
    with pytest.raises(Trap, match="item with this name already exists"):
        one.call(("system", "script"), "set", {".id": "*1,*2", "name": "c"})
    with pytest.raises(Trap, match="no such item"):
        one.call(("system", "script"), "remove", {".id": "*1,*9"})
    assert [row["name"] for row in one.call(("system", "script"), "print").rows] == ["a", "b"]


def test_rows_can_be_named() -> None:
    one = device()
    one.call(("interface",), "set", {".id": "ether2", "comment": "line"})
    one.call(("interface", "ethernet"), "set", {".id": "ether2", "name": "wan"})
    rows = {row["name"]: row for row in one.call(("interface",), "print").rows}
    assert rows["wan"]["comment"] == "line"
    assert rows["wan"]["default-name"] == "ether2"
    with pytest.raises(Trap, match="already have interface with such name"):
        one.call(("interface", "bridge"), "add", {"name": "wan"})


@pytest.mark.parametrize(
    ("path", "command", "arguments", "message"),
    [
        ("ip address", "add", {"address": "10.0.0.1/33", "interface": "ether1"}, "invalid value for argument address"),
        (
            "ip address",
            "add",
            {"address": "10.0.0.256/24", "interface": "ether1"},
            "invalid value for argument address",
        ),
        ("ip address", "add", {"address": "10.0.0.1/24", "interface": "eth9"}, "does not match any value of interface"),
        ("ip address", "add", {"address": "10.0.0.1/24"}, "missing =interface="),
        ("ip address", "add", {"adress": "10.0.0.1/24"}, "unknown parameter adress"),
        ("ip address", "set", {"comment": "x"}, "missing =.id="),
        ("interface", "set", {".id": "*1", "!name": ""}, "missing =name="),
        ("interface", "unset", {".id": "*1", "value-name": "name"}, "missing =name="),
        ("ip address", "set", {".id": "*7", "comment": "x"}, "no such item"),
        ("ip address", "move", {".id": "*7"}, "no such item"),
        ("ip address", "fly", {}, "no such command"),
        ("ip route", "add", {"gateway": "10.0.0.1", "distance": "256"}, r"value of distance out of range \(1..255\)"),
        ("ip route", "add", {"gateway": "10.0.0.1,10.0.0.2"}, "invalid or unexpected argument base"),
        ("ip route", "add", {"gateway": "10.0.0.1%eth9"}, "invalid or unexpected argument base"),
        ("ip route", "add", {"gateway": "nowhere"}, "invalid or unexpected argument base"),
        ("ip route", "add", {"gateway": "10.0.0.1", "distance": "x"}, "invalid value for argument distance"),
        (
            "ip route",
            "add",
            {"gateway": "10.0.0.1", "routing-table": "isp1"},
            "does not match any value of routing-table",
        ),
        ("ip firewall mangle", "add", {"action": "accept"}, "missing =chain="),
        ("ip firewall mangle", "add", {"chain": "x", "action": "drop"}, "does not match any value of action"),
        ("ip firewall mangle", "add", {"chain": "x", "disabled": "maybe"}, "invalid value for argument disabled"),
        ("ip firewall mangle", "add", {"chain": "x", "in-interface-list": "WAN"}, "any value of interface-list$"),
        ("ip firewall mangle", "add", {"chain": "x", "dynamic": "yes"}, "unknown parameter dynamic"),
        ("ip firewall mangle", "add", {"chain": "x", "place-before": "*5"}, "no such item"),
        ("ip firewall mangle", "add", {"chain": "x", "nth": "2,1,0"}, "invalid value for argument nth"),
        (
            "ip firewall mangle",
            "add",
            {"chain": "x", "src-address": "10.0.0"},
            "invalid value for argument src-address",
        ),
        (
            "ip firewall mangle",
            "add",
            {"chain": "x", "per-connection-classifier": "both-addresses_and-ports:2/0"},
            "invalid value for argument per-connection-classifier",
        ),
        ("interface ethernet", "add", {"name": "x"}, "no such command"),
        ("interface list", "remove", {".id": "all"}, "can not change dynamic object"),
        ("routing table", "remove", {".id": "main"}, "can not change dynamic object"),
        ("system resource", "set", {"cpu": "1"}, "no such command"),
        ("system clock", "set", {"time": "10:00:00"}, "the clock of a virtual router cannot be set"),
        ("interface", "set", {".id": "ether1", "name": "ether2"}, "already have interface with such name"),
        ("ip dns", "add", {"servers": "1.1.1.1"}, "no such command"),
        ("system scheduler", "add", {"name": "x", "start-time": "noon"}, "invalid value for argument start-time"),
        ("system scheduler", "add", {"name": "x", "interval": "often"}, "invalid value for argument interval"),
    ],
)
def test_refusals(path: str, command: str, arguments: dict[str, str], message: str) -> None:
    one = device()
    before = one.generation
    with pytest.raises(Trap, match=message):
        one.call(tuple(path.split()), command, arguments)
    assert one.generation == before


def test_connected_routes_follow_addresses() -> None:
    one = device()
    id = one.call(("ip", "address"), "add", {"address": "10.1.2.3/24", "interface": "ether1"}).ret or ""
    (route,) = one.call(("ip", "route"), "print").rows
    assert (route["dst-address"], route["gateway"], route["dynamic"]) == ("10.1.2.0/24", "ether1", "true")
    with pytest.raises(Trap, match="dynamic"):
        one.call(("ip", "route"), "remove", {".id": route[".id"]})
    one.call(("ip", "address"), "set", {".id": id, "comment": "x"})
    assert one.call(("ip", "route"), "print").rows[0][".id"] == route[".id"]
    one.call(("ip", "address"), "disable", {".id": id})
    assert one.call(("ip", "route"), "print").rows == ()


def test_settings_and_counts() -> None:
    one = device()
    one.call(("ip", "dns"), "set", {"servers": "1.1.1.1,9.9.9.9", "allow-remote-requests": "yes"})
    (row,) = one.call(("ip", "dns"), "print").rows
    assert (row["servers"], row["allow-remote-requests"]) == ("1.1.1.1,9.9.9.9", "true")
    assert ".id" not in row
    assert one.call(("interface",), "print", {"count-only": ""}).ret == "5"
    assert one.call(("ip", "dns"), "get", {"value-name": "servers"}).ret == "1.1.1.1,9.9.9.9"


def test_unset_and_empty_values() -> None:
    one = device()
    for name, value in (("connection-mark", "no-mark"), ("src-address", "10.0.0.0/8")):
        id = one.call(_MANGLE, "add", {"chain": "forward", name: value, "comment": "c"}).ret or ""
        one.call(_MANGLE, "unset", {".id": id, "value-name": name})
        one.call(_MANGLE, "set", {".id": id, "!comment": ""})
    for row in one.call(_MANGLE, "print").rows:
        assert not {"connection-mark", "src-address", "comment"} & row.keys()


def test_a_new_name_is_used_wherever_the_old_one_was() -> None:
    one = device()
    one.call(("interface", "list"), "add", {"name": "WAN"})
    one.call(("interface", "list", "member"), "add", {"list": "WAN", "interface": "ether1"})
    one.call(("ip", "firewall", "address-list"), "add", {"list": "WAN", "address": "10.0.0.0/8"})
    one.call(("routing", "table"), "add", {"name": "isp1", "fib": ""})
    one.call(("ip", "route"), "add", {"gateway": "10.0.0.1%ether1", "routing-table": "isp1"})
    rule = {"chain": "prerouting", "in-interface": "!ether1", "new-routing-mark": "isp1", "in-interface-list": "WAN"}
    one.call(_MANGLE, "add", rule)
    one.call(("interface",), "set", {".id": "ether1", "name": "fibre"})
    one.call(("interface", "list"), "set", {".id": "WAN", "name": "LINES"})
    one.call(("routing", "table"), "set", {".id": "isp1", "name": "first"})
    (row,) = one.call(_MANGLE, "print").rows
    assert (row["in-interface"], row["new-routing-mark"], row["in-interface-list"]) == ("!fibre", "first", "LINES")
    (row,) = one.call(("ip", "route"), "print").rows
    assert (row["gateway"], row["routing-table"]) == ("10.0.0.1%fibre", "first")
    (row,) = one.call(("interface", "list", "member"), "print").rows
    assert (row["list"], row["interface"]) == ("LINES", "fibre")
    assert one.call(("ip", "firewall", "address-list"), "print").rows[0]["list"] == "WAN"


def test_bridges_vlans_pppoe_and_dhcp() -> None:
    one = device()
    one.call(("interface", "bridge"), "add", {"name": "lan"})
    one.call(("interface", "bridge", "port"), "add", {"bridge": "lan", "interface": "ether3"})
    one.call(("interface", "vlan"), "add", {"name": "v10", "interface": "ether1", "vlan-id": "10"})
    one.call(
        ("interface", "pppoe-client"), "add", {"name": "isp2", "interface": "ether2", "user": "u", "password": "p"}
    )
    one.call(("ip", "dhcp-client"), "add", {"interface": "v10", "add-default-route": "no"})
    one.call(("ip", "firewall", "nat"), "add", {"chain": "srcnat", "out-interface": "isp2", "action": "masquerade"})
    rows = {row["name"]: row for row in one.call(("interface",), "print").rows}
    assert [rows[name]["type"] for name in ("ether1", "lan", "v10", "isp2")] == ["ether", "bridge", "vlan", "pppoe-out"]
    assert len({row[".id"] for row in rows.values()}) == len(rows)
    assert one.call(("ip", "dhcp-client"), "print").rows[0]["add-default-route"] == "no"
    for path, arguments, message in (
        (("interface", "bridge", "port"), {"bridge": "x", "interface": "ether4"}, "any value of bridge"),
        (("interface", "bridge", "port"), {"bridge": "lan", "interface": "ether3"}, "already added as bridge port"),
        (("interface", "vlan"), {"interface": "ether1", "vlan-id": "4096"}, "out of range"),
        (("ip", "dhcp-client"), {"interface": "v10"}, "already exists"),
        (("interface",), {"name": "x"}, "no such command"),
    ):
        with pytest.raises(Trap, match=message):
            one.call(path, "add", arguments)


def test_the_router_finds_names() -> None:
    one = device()
    for path, names in (("interface bridge", ["bridge1", "bridge2"]), ("system scheduler", ["schedule1", "schedule2"])):
        for _ in names:
            one.call(tuple(path.split()), "add", {"comment": "x"})
        assert [row["name"] for row in one.call(tuple(path.split()), "print").rows] == names


def test_moving_by_places_and_to_nowhere() -> None:
    one = device()
    for name in "abc":
        one.call(_MANGLE, "add", {"chain": "forward", "comment": name})
    one.call(_MANGLE, "move", {"numbers": "2", "destination": "0"})
    assert _comments(one) == ["c", "a", "b"]
    one.call(_MANGLE, "move", {"numbers": "*3", "destination": "*FFFF"})
    assert _comments(one) == ["a", "b", "c"]
    one.call(_MANGLE, "move", {"numbers": "*3,*2", "destination": "*1"})
    assert _comments(one) == ["c", "b", "a"]
    with pytest.raises(Trap, match="can not move object before itself"):
        one.call(_MANGLE, "move", {"numbers": "*1", "destination": "*1"})


def test_what_points_to_a_row_that_is_gone_tells_its_id() -> None:
    one = device()
    id = one.call(("routing", "table"), "add", {"name": "isp1", "fib": ""}).ret
    one.call(("ip", "route"), "add", {"gateway": "10.0.0.1", "routing-table": "isp1"})
    one.call(("routing", "table"), "remove", {".id": "isp1"})
    one.call(("routing", "table"), "add", {"name": "isp1", "fib": ""})
    assert one.call(("ip", "route"), "print").rows[0]["routing-table"] == id
