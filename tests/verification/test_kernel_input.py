"""The kernel tells what its input hook sees of fragments: IPv4 whole, IPv6 as they come."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import pytest

from compiler.fields import Family
from compiler.policy.ruleset import Chain, Hook
from compiler.semantics.firewall import sees_whole_packets
from tests.compiler.dialects.nftables.kernel import why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

RULES = """
table inet t {
 chain c {
  type filter hook input priority 0;
  ip frag-off & 0x1fff != 0 counter comment "IPV4"
  frag frag-off != 0 counter comment "IPV6"
 }
}
"""
SEND = """
import socket
for family, address in ((socket.AF_INET, "198.18.0.1"), (socket.AF_INET6, "2001:db8:77::1")):
    socket.socket(family, socket.SOCK_DGRAM).sendto(b"x" * 4000, (address, 9))
"""


def run(*command: str, text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def pair():
    """Two namespaces joined by one link; the second is the receiver."""
    names = f"gs{os.getpid()}", f"gr{os.getpid()}"
    try:
        for name in names:
            run("ip", "netns", "add", name)
        run("ip", "link", "add", "a0", "netns", names[0], "type", "veth", "peer", "name", "b0", "netns", names[1])
        for name, link, host in ((names[0], "a0", 2), (names[1], "b0", 1)):
            run("ip", "-n", name, "addr", "add", f"198.18.0.{host}/24", "dev", link)
            run("ip", "-n", name, "addr", "add", f"2001:db8:77::{host}/64", "dev", link, "nodad")
            run("ip", "-n", name, "link", "set", link, "up")
        yield names
    finally:
        for name in names:
            subprocess.run(("ip", "netns", "del", name), check=False, capture_output=True)


def test_the_model_sees_what_the_input_hook_sees(pair):
    sender, receiver = pair
    run("ip", "netns", "exec", receiver, "nft", "-f", "-", text=RULES)
    run("ip", "netns", "exec", sender, sys.executable, "-c", SEND)
    counted: dict[str, int] = {}
    for _ in range(50):  # the packets take a moment
        listing = run("ip", "netns", "exec", receiver, "nft", "list", "ruleset")
        counted = {name: int(count) for count, name in re.findall(r'packets (\d+) .* comment "(IPV\d)"', listing)}
        if counted["IPV6"]:
            break
        time.sleep(0.02)
    chain = Chain("inet t", "c", (), hook=Hook.INPUT)
    assert {family.name: not sees_whole_packets(chain, family) for family in Family} == {
        name: count > 0 for name, count in counted.items()
    }
