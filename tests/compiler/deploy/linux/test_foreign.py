"""What of others breaks a balance is refused by name, with a command that mends it."""

from __future__ import annotations

import subprocess

import pytest

from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.deployment import LinuxDeployment
from compiler.deploy.linux.foreign import keeps_our_bits
from tests.compiler.deploy.linux.uplinks import INTENT, Uplinks, needs_kernel

FORWARD = "type filter hook forward priority 0; policy"
MANGLE = "chain c { type filter hook prerouting priority -150; ct mark set"
BREAKING = {
    "a default before ours": ("ip route add default dev LAN", "main table: default dev LAN metric 0 comes before"),
    "a default in our table": ("ip route add default dev LAN table 20001", "table 20001 is not of the balance"),
    "a rule for all": ("ip rule add priority 1101 lookup 77", "rule priority 1101 lookup 77 takes everything"),
    "a rule that ends": ("ip rule add priority 5 prohibit", "rule priority 5 takes everything"),
    "an address elsewhere": ("ip addr add 10.1.0.2/24 dev ISP2", "is on ISP2, and shall be on ISP1"),
    "a policy": (f"nft table inet fw {{\nchain f {{ {FORWARD} drop; }}\n}}", "chain inet fw f drops all"),
    "a drop": (f"nft table inet fw {{\nchain f {{ {FORWARD} accept; counter drop; }}\n}}", "chain inet fw f drops all"),
    "marks": (f"nft table ip m {{\n{MANGLE} 0x100; }}\n}}", "chain ip m c sets bits of ct mark"),
}
HARMLESS = {
    "another mark": f"nft table ip m {{\n{MANGLE} ct mark or 0x1; }}\n}}",
    "a policy with accepts": f"nft table inet fw {{\nchain f {{ {FORWARD} drop; iifname LAN accept; }}\n}}",
    "a drop of some": f"nft table inet fw {{\nchain f {{ {FORWARD} accept; ct state invalid drop; }}\n}}",
    "a rule for some": "ip rule add priority 900 from 10.77.0.0/16 lookup 77",
    "a rule by a port": "ip rule add priority 900 ipproto tcp dport 25 lookup 77",
    "a table that leads nowhere": "ip rule add priority 900 lookup 78",
    "a later default": "ip route add default dev LAN metric 500",
    "as the batch file has it": "ip route add default via 10.1.0.1 dev ISP1 table 20001 metric 1 onlink",
}


@pytest.fixture
def network():
    with Uplinks() as found, found.nodes["router"].inside():
        found.ip("router", "route add default dev LAN table 77")
        yield found


def _do(command: str) -> None:
    if command.startswith("nft "):
        subprocess.run(["nft", "-f", "-"], input=command.removeprefix("nft "), text=True, check=True)
    else:
        subprocess.run(command.split(), check=True)


def _deployment(tmp_path, **more) -> LinuxDeployment:
    return LinuxDeployment(INTENT, "isps.yaml", tmp_path / "state", **more)


@needs_kernel
@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_it_is_refused_and_its_command_mends_it(network, tmp_path, name):
    command, says = BREAKING[name]
    _do(command)
    before = network.standing()
    deployment = _deployment(tmp_path)
    assert deployment.plan()
    (line,) = deployment.obstacles
    assert says in line
    with pytest.raises(DeployError, match=r"nothing was changed:(?s:.*)--despite-foreign"):
        deployment.apply(60)
    assert network.standing() == before
    if name != "a policy":  # what to accept is the owner's to say
        subprocess.run(line.rpartition(": ")[2].split(), check=True)
        deployment.plan()
        assert deployment.obstacles == ()
        deployment.apply(60)
        deployment.roll_back()


@needs_kernel
def test_despite_all_it_can_be_done(network, tmp_path):
    _do(BREAKING["marks"][0])
    bold = _deployment(tmp_path, despite_foreign=True)
    assert bold.apply(60) is not None
    assert bold.obstacles == ()
    assert "ct mark" in bold.warnings[0]
    bold.roll_back()


@needs_kernel
def test_the_owners_policy_is_none(network, tmp_path):
    network.ip("router", "addr add 10.1.0.2/24 dev ISP1")
    for command in HARMLESS.values():
        _do(command)
        subprocess.run(["nft", "flush", "ruleset"], check=True) if command.startswith("nft") else None
    _do(HARMLESS["another mark"])
    deployment = _deployment(tmp_path)
    assert deployment.plan()
    assert deployment.obstacles == ()


@needs_kernel
@pytest.mark.parametrize("name", [name for name, command in HARMLESS.items() if command.startswith("nft")])
def test_chains_that_do_no_harm(network, tmp_path, name):
    _do(HARMLESS[name])
    deployment = _deployment(tmp_path)
    deployment.plan()
    assert deployment.obstacles == ()


@needs_kernel
def test_the_batch_file_leaves_rules_of_others_alone(network, tmp_path):
    from compiler.balancing.ip_batch import write_batch
    from compiler.balancing.plan import make_plan
    from compiler.balancing.reading import read_balance

    others = ["priority 1000 fwmark 0x1/0x1 lookup 77", "priority 1100 fwmark 0x2/0x2 lookup 77"]
    others.append("priority 1099 iif lo lookup 20000")
    network.ip("router", *(f"rule add {one}" for one in others))
    text = write_batch(make_plan(read_balance(INTENT, "isps.yaml")))
    for _ in range(2):
        subprocess.run(["ip", "-force", "-batch", "-"], input=text, text=True, capture_output=True, check=False)
        rules = network.ip("router", "rule show")
        assert all(rules.count(f"fwmark {mark} lookup 77") == 1 for mark in ("0x1/0x1", "0x2/0x2"))
        assert rules.count("iif lo lookup 20000") == 2
        assert rules.count("proto 103") == text.count("rule add")


CT, META = {"ct": {"key": "mark"}}, {"meta": {"key": "mark"}}


@pytest.mark.parametrize(
    ("value", "kind", "keeps"),
    [
        (0x100, "ct", False),
        (0, "ct", False),
        (CT, "ct", True),
        (CT, "meta", True),
        (META, "ct", False),
        ({"|": [CT, 1]}, "ct", True),
        ({"|": [CT, 0x200]}, "ct", False),
        ({"&": [CT, 0xFF]}, "ct", False),
        ({"|": [{"&": [CT, 0xFFFFFF00]}, 7]}, "ct", True),
        ({"|": [{"&": [CT, 0xFFFF00FF]}, 7]}, "ct", False),
    ],
)
def test_bits(value, kind, keeps):
    assert keeps_our_bits(value, kind) is keeps
