"""The part of the script language that a virtual router knows."""

from __future__ import annotations

import pytest

from labs.virtual_routeros.device import Device
from labs.virtual_routeros.export import export
from labs.virtual_routeros.traps import Trap
from tests.labs.virtual_routeros.wire import device

_MANGLE = ("ip", "firewall", "mangle")

_BALANCE = """\
/interface list add name=LAN comment="gerbang: lan"
/interface list member add list=LAN interface=ether3
/ip address
add address=192.168.0.1/24 interface=ether3
add address=10.1.0.2/24 interface=ether1 comment="gerbang: isp1"
/routing table add name=isp1 fib
/ip firewall mangle
add chain=prerouting in-interface-list=LAN connection-mark=no-mark \\
    connection-state=new dst-address-type=!local action=mark-connection \\
    new-connection-mark=isp1 passthrough=yes comment="gerbang: 1"
add chain=prerouting in-interface-list=LAN connection-mark=isp1 action=mark-routing new-routing-mark=isp1 \\
    passthrough=no comment="gerbang: 2"
/ip route add dst-address=0.0.0.0/0 gateway=10.1.0.1 routing-table=isp1 check-gateway=ping comment="gerbang: 3"
/ip dns set servers=1.1.1.1 allow-remote-requests=yes
"""


def _run(one: Device, text: str) -> None:
    one.call(("system", "script"), "add", {"name": f"s{one.generation}", "source": text})
    rows = one.call(("system", "script"), "print").rows
    one.call(("system", "script"), "run", {".id": rows[-1][".id"]})


def _comments(one: Device) -> list[str]:
    return [row.get("comment", "") for row in one.call(_MANGLE, "print").rows]


def test_a_whole_configuration_and_its_export() -> None:
    one, two = device(), device()
    one.call(("file",), "add", {"name": "balance.rsc", "contents": _BALANCE})
    one.call((), "import", {"file-name": "balance.rsc"})
    assert _comments(one) == ["gerbang: 1", "gerbang: 2"]
    assert one.call(("routing", "table"), "print").rows[-1]["fib"] == "true"
    text = export(one).text
    _run(two, text)
    assert export(two).text == text
    assert "192.168.0.0" not in text, "what the router made itself is no configuration"


def test_rolling_back_by_comment() -> None:
    one = device()
    one.call(_MANGLE, "add", {"chain": "forward", "comment": "somebody's own"})
    _run(one, _BALANCE)
    _run(
        one,
        '/ip firewall mangle remove [find comment~"^gerbang"]\n'
        '/ip route remove [find where comment~"gerbang" dynamic=no]\n'
        "/routing table remove [find name=isp1]\n",
    )
    assert _comments(one) == ["somebody's own"]
    assert [row["dynamic"] for row in one.call(("ip", "route"), "print").rows] == ["true", "true"]
    _run(one, '/ip firewall mangle remove [find comment~"gerbang"]')
    assert _comments(one) == ["somebody's own"], "removing nothing is no error"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/ip firewall mangle move [find comment=c] [find comment=a]", "cab"),
        ("/ip firewall mangle move [find comment=a]", "bca"),
        ("/ip firewall mangle add chain=forward comment=x place-before=[find comment=b]", "axbc"),
        ("/ip firewall mangle add chain=forward comment=x place-before=0", "xabc"),
        ("/ip firewall mangle set [find where comment=b && chain=forward] comment=y", "ayc"),
        ("/ip firewall mangle comment *2 comment=z", "azc"),
        ("/ip firewall mangle unset [find comment=a] comment", "bc"),
        ("/ip firewall mangle set [find comment=a] !comment", "bc"),
        ("/ip firewall mangle remove *1,*3", "b"),
        ("/ip firewall mangle remove [/ip firewall mangle find comment=a or comment=b]", "c"),
        ("/ip/firewall/mangle/remove [find passthrough=yes]", "abc"),
        (":do { /ip firewall mangle remove *99 } on-error={ /ip firewall mangle remove *1 }", "bc"),
        (":do { /ip firewall mangle remove *2 }", "ac"),
        ("/ip firewall mangle move *1 [:pick [/ip firewall mangle find where dynamic=no] 2]", "bac"),
        (":do { /ip firewall mangle move *1 [:pick [find] 3] } on-error={ /ip firewall mangle remove *1 }", "bc"),
        (":if ([:len [/ip firewall mangle find where comment=a]] = 1) do={ /ip firewall mangle remove *1 }", "bc"),
        (
            ":if ([:len [/ip/firewall/mangle find comment=z]] > 0) do={} else={ /ip firewall mangle remove *1,*2 }",
            "c",
        ),
        (":if ([:len [/ip firewall mangle find]] != 3) do={ /ip firewall mangle remove *1 }", "abc"),
    ],
)
def test_commands(text: str, left: str) -> None:
    one = device()
    for name in "abc":
        one.call(_MANGLE, "add", {"chain": "forward", "comment": name})
    _run(one, text)
    assert "".join(_comments(one)) == left


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (":local x 5", "^:local is not modelled"),
        (":if (1 = 1) do={ :log info x }", r"^:if \(1 = 1\) is not modelled"),
        (":if ([:len [find]] = 0) do={ :log info x }", r"^\[find\]: expected a path"),
        (":if ([:len [/ip route find]] = 0) then={ :log info x }", "^:if: expected a condition"),
        (":foreach i in=[/ip route find] do={ /ip route remove $i }", "^:foreach is not modelled"),
        (":do { :log info x } while=(1)", ":do with a condition is not modelled"),
        ("/ip address add address=$x interface=ether1", r"^\$x is not modelled"),
        ("/ip route remove [find dynamic]", "find by dynamic is not modelled"),
        ("/ip firewall mangle remove 0", r"^no such item \(script s\d+ line 1\)"),
        ("/ip firewall mangle remove", "missing value"),
        ('\n/ip firewall mangle remove "', "^syntax error"),
        ("/ip flywheel add x=1", r"^no such command or directory \(flywheel\)"),
        ("/tool fetch url=http://x", "is not modelled"),
        ("/system script run nobody", "no such item"),
        ("/import nothing.rsc", "file nothing.rsc not found"),
    ],
)
def test_the_rest_is_refused(text: str, message: str) -> None:
    with pytest.raises(Trap, match=message):
        _run(device(), text)


def test_a_script_that_calls_itself_ends() -> None:
    one = device()
    one.call(("system", "script"), "add", {"name": "loop", "source": "/system script run loop"})
    with pytest.raises(Trap, match="too deep"):
        one.call(("system", "script"), "run", {".id": "loop"})


def test_what_was_done_before_a_failure_stays() -> None:
    one = device()
    with pytest.raises(Trap, match=r"no such item \(script s\d+ line 2\)"):
        _run(one, "/ip firewall mangle add chain=forward comment=a\n/ip firewall mangle remove *99\n:log info never")
    assert _comments(one) == ["a"]
    assert not any("never" in line for line in one.log)


def test_a_script_with_a_mistake_of_grammar_does_not_begin() -> None:
    one = device()
    with pytest.raises(Trap, match="syntax error"):
        _run(one, "/ip firewall mangle add chain=forward\n/ip firewall mangle remove [find")
    assert _comments(one) == []
