"""``gerbang trace``: one packet from the command line to the line that decided it."""

import json

import pytest


def test_through_a_list(gerbang, router):
    code, out, err = gerbang("trace", router, "tcp 172.16.6.4:1025 > 10.0.0.2:21", "--list", "101")
    assert (code, err) == (0, "")
    assert "list 101: permitted" in out
    assert f"{router}:8: access-list 101 deny" in out
    assert "source 172.16.6.4 is not in 172.16.6.0 wildcard 0.0.248.3" in out


@pytest.mark.parametrize("named", ["option", "word"])
def test_through_the_device(gerbang, router, named):
    packet = "tcp 172.16.6.1:1025 > 10.0.0.2:21"
    words = [packet, "--in", "GigabitEthernet0/2"] if named == "option" else [f"{packet} in=GigabitEthernet0/2"]
    code, out, _ = gerbang("trace", router, *words)
    assert code == 0
    assert out.splitlines()[1] == f"{router}: denied"


def test_json(gerbang, router):
    code, out, _ = gerbang(
        *("trace", router, "tcp 172.16.6.1:1025 > 10.0.0.2:21", "--list", "101", "--format", "json"),
    )
    document = json.loads(out)
    assert (code, document["verdict"]) == (0, "denied")
    assert [look["line"] for look in document["stages"][0]["looks"]] == [8]


def test_where_lists_stand_is_said_when_no_interface_is_named(gerbang, router):
    code, out, err = gerbang("trace", router, "tcp 172.16.6.1:1025 > 10.0.0.2:21")
    assert code == 0
    assert "no list looks at it" in out
    assert "lists stand on GigabitEthernet0/2" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tcp 172.16.6.1 > 10.0.0.2:21"], "packet:1:5: expected a port"),
        (["tcp 172.16.6.1:1 > 10.0.0.2:21 in=a", "--in", "b"], "in= stands twice"),
        (["tcp 172.16.6.1:1 > 10.0.0.2:21 from-router", "--in", 'a "b\\c'], "a packet from the router has no in="),
        (["tcp 172.16.6.1:1 > 10.0.0.2:21", "--list", "102"], "no list '102' for IPv4; there is 101"),
    ],
)
def test_wrong_use(gerbang, router, words, said):
    code, out, err = gerbang("trace", router, *words)
    assert (code, out) == (2, "")
    assert said in err
