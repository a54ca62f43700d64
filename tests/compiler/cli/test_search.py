"""``gerbang search``: the words of the question reach the engine, and its answer the user."""

import json

import pytest


def test_denied(gerbang, router):
    code, out, _ = gerbang(
        *("search", router, "--list", "101", "--from", "172.16.0.0/16", "--to", "10.0.0.2"),
        *("--protocol", "tcp", "--port", "ftp", "--denied"),
    )
    assert code == 0
    assert "  tcp from 172.16.6.0 wildcard 0.0.248.3 to 10.0.0.2 port 21" in out.splitlines()
    assert f"by {router}:8:1" in out


def test_no_such_packet(gerbang, router):
    code, out, _ = gerbang("search", router, "--list", "101", "--port", "80", "--denied")
    assert (code, out) == (0, f"{router}: no such packet is denied.\n")


def test_by_interface_in_json(gerbang, router):
    code, out, _ = gerbang(
        *("search", router, "--in", "GigabitEthernet0/2", "--source-port", "1025", "--port", "21"),
        *("--protocol", "tcp", "--from", "172.16.6.0", "--permitted", "--format", "json"),
    )
    document = json.loads(out)
    assert (code, document["verdict"]) == (0, "permitted")
    parts = [part for found in document["found"] for part in found["parts"]]
    assert parts
    assert not any(part["sample"].startswith("tcp 172.16.6.0:1025 > 10.0.0.2:21") for part in parts)
    assert all(part["sample"].startswith("tcp 172.16.6.0:1025 > ") for part in parts)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "one of the arguments --permitted --denied is required"),
        (["--permitted", "--denied"], "not allowed with argument"),
        (["--permitted", "--list", "102"], "has no list 102; it has 101"),
        (["--permitted", "--in", "eth7"], "has no list on Ethernet7; it has lists on GigabitEthernet0/2"),
        (["--permitted", "--protocol", "gre", "--port", "1"], "protocol 47 has no ports"),
    ],
)
def test_wrong_use(gerbang, router, words, said):
    code, out, err = gerbang("search", router, *words)
    assert (code, out) == (2, "")
    assert said in err
