"""Rules that count, and say which line they are from: the same decisions, proved again."""

from __future__ import annotations

import re

from compiler.analysis.compilation import compile_tree
from compiler.dialects.ios.reader import read
from compiler.lowering.options import Options

TEXT = """\
ip access-list extended WEB
 remark who may
 permit tcp 10.0.0.0 0.0.0.255 any eq 443
 deny udp any any log
ipv6 access-list WEB
 permit icmp any any
"""


def test_each_rule_counts_and_names_its_line():
    device = read(TEXT, "router.cfg")
    plain = compile_tree(device, "nftables", Options()).text
    done = compile_tree(device, "nftables", Options(counted=True))
    assert done.report is not None
    assert done.report.holds
    assert "counter" not in plain
    rules = [line for line in done.text.split("\n") if line.startswith("\t\t") and not line.startswith("\t\ttype")]
    assert rules
    assert all(" counter " in f" {line.strip()} " for line in rules)
    assert 'tcp dport 443 counter return comment "router.cfg:3 who may"' in done.text
    assert 'counter log prefix "WEB deny " drop comment "router.cfg:4"' in done.text
    # But for that it is the text that is written without counting.
    bare = re.sub(r'"router\.cfg:\d+(?: ([^"]*))?"', lambda found: f'"{found[1] or ""}"', done.text)
    assert bare.replace("counter ", "").replace(' comment ""', "") == plain
