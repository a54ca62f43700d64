from __future__ import annotations

import json

import pytest

from compiler.balancing import compilation
from tests.compiler.balancing.intents import FULL, simple


@pytest.fixture
def intent(tmp_path):
    path = tmp_path / "isps.yaml"
    path.write_text(FULL)
    return path


@pytest.mark.parametrize(("target", "word"), [("routeros6", "routing-mark="), ("routeros7", "routing-table=")])
def test_routeros(gerbang, intent, tmp_path, target, word):
    out = tmp_path / "isps.rsc"
    code, _, err = gerbang("balance", "compile", intent, "--to", target, "-o", out)
    assert code == 0
    assert "PROVED" in err
    assert "class rest: speedy1 2/7, speedy2 2/7, fibre 3/7 of connections, at most 3/4 of one off" in err
    assert word in out.read_text()
    assert "(isps.yaml:" in out.read_text()


def test_linux_writes_two_files(gerbang, intent, tmp_path):
    code, out, _ = gerbang("balance", "compile", intent, "--to", "linux", "-o", tmp_path / "isps.nft")
    assert (code, out) == (0, "")
    assert "table ip gerbang_balance" in (tmp_path / "isps.nft").read_text()
    assert "rule add priority 1100 lookup main" in (tmp_path / "isps.nft.ip").read_text()


def test_a_file_with_a_password_is_its_owners_alone(gerbang, intent, tmp_path):
    intent.write_text(
        "networks: {lan: {interface: LAN, address: 192.168.3.1/24}}\n"
        "uplinks:\n"
        "  a: {interface: ISP1, gateway: pppoe, user: me, password: 'p\"q'}\n"
        "  b: {interface: ISP2, address: 10.2.0.2/24, gateway: 10.2.0.1}\n"
        "method: nth\n"
    )
    out = tmp_path / "isps.rsc"
    out.touch(mode=0o644)
    assert gerbang("balance", "compile", intent, "--to", "routeros7", "-o", out, "--no-proof")[0] == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert gerbang("balance", "compile", intent, "--to", "linux", "-o", tmp_path / "isps.nft", "--no-proof")[0] == 0
    assert (tmp_path / "isps.nft").stat().st_mode & 0o077


def test_json(gerbang, intent):
    code, out, _ = gerbang("balance", "compile", intent, "--to", "routeros7", "--format", "json")
    told = json.loads(out)
    assert code == 0
    assert told["proof"]["proved"]
    assert told["shares"]["rest"] == {"speedy1": "2/7", "speedy2": "2/7", "fibre": "3/7"}
    assert "/ip firewall mangle" in told["files"]["main"]


def test_wrong_intent(gerbang, intent):
    intent.write_text(simple((1, 2)).replace("10.1.0.1", "10.1.0.2"))
    code, out, err = gerbang("balance", "compile", intent, "--to", "routeros7")
    assert (code, out) == (2, "")
    assert "isps.yaml:3:3: uplink 'line1': the gateway 10.1.0.2 is the router's own address" in err
    assert "^" in err


def test_a_gateway_by_dhcp_waits_for_its_lease(gerbang, intent):
    text = simple((1, 1)).replace("address: 10.1.0.2/24, gateway: 10.1.0.1", "gateway: dhcp")
    intent.write_text(text)
    code, out, err = gerbang("balance", "compile", intent, "--to", "linux")
    assert code == 0, err
    assert "PROVED" in err
    assert "#? route replace default via {line1} dev ISP1 metric 1 table 20001\n" in out
    code, out, err = gerbang("balance", "compile", intent, "--to", "routeros7")
    assert code == 0, err
    assert "/ip dhcp-client" in out


def test_a_failed_proof_writes_nothing(gerbang, intent, tmp_path, monkeypatch):
    honest = compilation.write_routeros
    monkeypatch.setattr(
        compilation, "write_routeros", lambda plan, version: honest(plan, version).replace("nth=7,1", "nth=8,1")
    )
    out = tmp_path / "isps.rsc"
    code, _, err = gerbang("balance", "compile", intent, "--to", "routeros7", "-o", out)
    assert code == 1
    assert "NOT PROVED" in err
    assert "witness: " in err
    assert not out.exists()
    code, text, _ = gerbang("balance", "compile", intent, "--to", "routeros7", "--format", "json")
    assert (code, json.loads(text)["proof"]["proved"]) == (1, False)
    code, text, err = gerbang("balance", "compile", intent, "--to", "routeros7", "--no-proof")
    assert code == 0
    assert "NOT PROVED" in err
    assert "nth=8,1" in text


def test_an_action_is_needed(gerbang):
    assert gerbang("balance")[0] == 2
