"""Later fragments in nftables: some kernels let rules on layer 4 read their data, so such rules are not dead."""

from __future__ import annotations

import pytest

from compiler.analysis.equivalence.proof import prove
from compiler.analysis.findings.check import check
from compiler.analysis.findings.lints.shadowing import chain_fates
from compiler.dialects.nftables.reader import read
from compiler.semantics.firewall import FirewallMachine

WHOLE_TCP = "ip frag-off & 0x1fff == 0 ip protocol tcp accept"
NAT = "table ip n {\n chain p {\n type nat hook postrouting priority srcnat\n masquerade\n }\n}\n"


def chain_text(*rules: str) -> str:
    body = "\n ".join(rules)
    return f"table ip t {{\n chain f {{\n type filter hook forward priority 0\n {body}\n }}\n}}\n"


def dead(text: str) -> list[bool]:
    chain = read(text, "text").chain("ip t", "f")
    return [not fate.alive for fate in chain_fates(chain, reads_payload=True)]


def told(text: str) -> list[tuple[str, int]]:
    kinds = ("shadowed-by-one", "shadowed-by-union", "redundant", "matches-nothing")
    return [(one.rule, one.span.line) for one in check(read(text, "text")) if one.rule in kinds]


def test_a_rule_that_a_fragment_reaches_is_not_called_dead():
    both, first = chain_text(WHOLE_TCP, "tcp dport 80 drop"), chain_text(WHOLE_TCP)
    assert not prove(FirewallMachine(read(both, "both")), FirewallMachine(read(first, "first"))).holds
    assert told(both) == []


def test_it_is_dead_where_fragments_are_put_together_first():
    text = NAT + chain_text(WHOLE_TCP, "tcp dport 80 drop")
    assert ("shadowed-by-one", 11) in told(text)


def test_it_is_dead_where_fragments_were_decided_before():
    assert dead(chain_text("ip frag-off & 0x1fff != 0 drop", WHOLE_TCP, "tcp dport 80 drop")) == [False, False, True]


@pytest.mark.parametrize("rule", ["ip frag-off & 0x1fff != 0 ip protocol tcp drop", "ip protocol tcp drop"])
def test_rules_on_layer_4_cover_no_fragment_of_kernels_that_do_not_read_it(rule):
    ports = ("tcp dport 0-32767 accept", "tcp dport 32768-65535 accept")
    assert dead(chain_text(*ports, rule)) == [False, False, False]


def test_rules_on_layer_4_still_cover_each_other():
    assert dead(chain_text("tcp dport 80-90 accept", "tcp dport 85 drop")) == [False, True]
