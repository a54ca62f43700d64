"""Linux itself takes the written files, as often as one likes, and holds what was read back."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from compiler.balancing.ip_batch import read_batch, write_batch
from compiler.balancing.nftables import write_nftables
from tests.compiler.balancing.intents import FULL, plan_of

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "ip", "nft"))), reason="needs root, ip and nft"
)
PORTS = ("LAN", "GUESTS", "ISP1", "ISP2", "ISP3")
LOAD = """
set -e
for port in {ports}; do
  ip link add $port type veth peer name p$port
  ip link set $port up
  ip link set p$port up
done
for turn in 1 2; do
  nft -f {folder}/isps.nft
  ip -force -batch {folder}/isps.ip 2>/dev/null || test $turn = 1
  ip route show table all | grep -v 'table local' | grep -v fe80 > {folder}/routes$turn
  ip rule > {folder}/rules$turn
  nft list ruleset > {folder}/ruleset$turn
done
"""


@needs_root
def test_linux_takes_it_twice(tmp_path):
    """In a namespace of its own, which goes with its process."""
    plan = plan_of(FULL)
    (tmp_path / "isps.nft").write_text(write_nftables(plan))
    (tmp_path / "isps.ip").write_text(write_batch(plan))
    script = LOAD.format(ports=" ".join(PORTS), folder=tmp_path)
    done = subprocess.run(["unshare", "-n", "sh", "-c", script], capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr:
        pytest.skip("no namespaces here")
    assert done.returncode == 0, done.stderr
    for what in ("routes", "rules", "ruleset"):
        assert (tmp_path / f"{what}1").read_text() == (tmp_path / f"{what}2").read_text()
    network = read_batch(write_batch(plan), "isps.ip")
    routes = (tmp_path / "routes1").read_text().split("\n")
    for table in network.tables:
        planned = [route for route in network.routes if route.table == table]
        assert len([line for line in routes if f"table {table} " in line]) == len(planned)
    rules = (tmp_path / "rules1").read_text()
    for rule in network.rules:
        assert f"{rule.priority}:\t" in rules
    for rule in write_nftables(plan).split("\n"):
        if " comment " in rule:
            assert rule.partition(" comment ")[2] in (tmp_path / "ruleset1").read_text()
