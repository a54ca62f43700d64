"""What the simulator's vocabulary cannot say, or nft refuses, is an error at its place."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from compiler.dialects.nftables.reader import read
from compiler.errors import InputErrors, SyntaxFault, Unmodelled
from compiler.policy.ruleset import Verdict

SETS = """
 set d { type ipv4_addr; flags dynamic; }
 set pairs { type ipv4_addr . inet_service; flags dynamic; }
 map vals { type ipv4_addr : mark; elements = { 10.0.0.1 : 1 }; }
 limit slow { rate 5/minute; }
 ct helper f { type "ftp" protocol tcp; }
"""
UNSAID = [
    "ct original ip saddr 10.0.0.1 accept",
    "ct zone 5 accept",
    "ct count over 5 drop",
    "ct status != dnat accept",
    'ct helper != "ftp" accept',
    "ct mark >> 8 == 1 accept",
    "fib daddr . iif type local accept",
    "fib saddr . iif oif missing drop",
    "fib daddr type anycast drop",
    "meta mark set ct mark << 8",
    "meta mark set ct mark | meta mark",
    "meta priority set 1:5",
    "meta pkttype host accept",
    "symhash mod 2 0 accept",
    "jhash ct mark mod 2 0 accept",
    "jhash ip saddr mod 3 vmap { 0 : jump x, 1 : jump x, 2 : jump x }",
    "limit name slow accept",
    "quota over 5 mbytes drop",
    "tcp option sack-perm exists accept",
    "tcp dport set 80",
    "ip daddr set 10.0.0.1",
    "queue num 1",
    "dup to 10.0.0.1",
    "add @pairs { ip saddr . tcp dport }",
    "ip saddr . tcp dport @pairs drop",
    "add @d { ip saddr limit rate over 5/second } drop",
    "add @d { ip saddr & 255.255.255.0 }",
    'ct helper set "f"',
    "iifname . meta mark { lo . 1 } accept",
]
"""nft takes these."""
REFUSED = [
    "ct state nonsense accept",
    "ct state new vmap { new : accept }",
    "ct state vmap { new, established : accept }",
    "meta mark set 0x1ffffffff",
    "meta mark set ip saddr map @nowhere",
    "numgen inc mod 0 0 accept",
    "numgen sometimes mod 2 0 accept",
    "limit rate 0/second accept",
    "limit rate 10 10/second accept",
    "numgen inc mod 3 5 accept",
    "numgen inc mod 3 offset 4 { 4, 7 } accept",
    "limit rate 10/second burst 0 packets accept",
    "limit rate 10/second burst 5 kbytes accept",
    "limit rate 10/fortnight accept",
    "add @nowhere { ip saddr }",
    "add @d { ip saddr timeout 5s }",
    "ip6 saddr @d drop",
    'ip protocol tcp ct helper set "nowhere"',
    "tcp option maxseg size set 70000",
    "meta nftrace set",
    "ct state new iifname",
    "ip dscp set 64",
    "ip saddr 10.0.0.1 meta mark set",
]
TRANSLATIONS = [
    ("prerouting", "dnat to 10.0.0.1:80"),
    ("prerouting", "redirect to :80"),
    ("prerouting", "redirect to ip saddr map { 10.0.0.1 : 81 }"),
    ("prerouting", "tcp dport 80 dnat ip to :80"),
    ("prerouting", "dnat to"),
    ("prerouting", "dnat"),
    ("prerouting", "snat to 10.0.0.1"),
    ("prerouting", "masquerade"),
    ("postrouting", "dnat to 10.0.0.1"),
    ("postrouting", "redirect"),
    ("postrouting", "masquerade accept"),
    ("postrouting", "snat to 10.0.0.256"),
    ("postrouting", "snat to 10.0.0.9-10.0.0.1"),
    ("postrouting", "snat to 10.0.0.1 sometimes"),
]
CHAINS = [
    "type nat hook forward priority 0",
    "type nat hook prerouting priority -300",
    "type route hook forward priority 0",
]


def table(rule: str, head: str = "type filter hook forward priority 0") -> str:
    return f"table ip t {{\n{SETS}\n chain x {{\n }}\n chain c {{\n  {head}\n  {rule}\n }}\n}}\n"


def errors_of(text: str):
    with pytest.raises(InputErrors) as caught:
        read(text, "text", unmodelled="simulate")
    assert all(error.span.line and error.text for error in caught.value.errors)
    return caught.value.errors


def taken(text: str) -> bool:
    done = subprocess.run(("unshare", "-rn", "nft", "-f", "-"), input=text, capture_output=True, text=True, check=False)
    return not done.returncode


@pytest.mark.parametrize("rule", UNSAID)
def test_what_cannot_be_said(rule):
    (error,) = errors_of(table(rule))
    assert isinstance(error, Unmodelled), error


@pytest.mark.parametrize("rule", REFUSED)
def test_what_nft_refuses(rule):
    (error,) = errors_of(table(rule))
    assert isinstance(error, SyntaxFault), error
    if shutil.which("nft"):
        assert not taken(table(rule))


@pytest.mark.parametrize(("hook", "rule"), TRANSLATIONS)
def test_translations_that_nft_refuses(hook, rule):
    text = table(rule, f"type nat hook {hook} priority 0")
    (error,) = errors_of(text)
    assert isinstance(error, SyntaxFault), error
    if shutil.which("nft"):
        assert not taken(text)


@pytest.mark.parametrize("head", CHAINS)
def test_chains_that_the_kernel_refuses(head):
    (error,) = errors_of(table("counter", head))
    assert "the kernel refuses it" in error.message
    if shutil.which("nft"):
        assert not taken(table("counter", head))


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("numgen inc mod 2 vmap { 0 : jump x, 1 : jump nowhere }", "no chain 'nowhere'"),
        ("meta mark set 1 ip saddr 10.0.0.1 jump nowhere", "no chain 'nowhere'"),
        ("tcp dport 5 jump c", "comes back to itself"),
        ("numgen inc mod 2 vmap { 0 : jump x, 1 : jump c }", "comes back to itself"),
    ],
)
def test_jumps_to_nowhere_and_in_circles(rule, why):
    (error,) = errors_of(table(rule))
    assert why in error.message
    if shutil.which("nft"):
        assert not taken(table(rule))


def test_a_translation_that_a_filter_chain_comes_to():
    text = table("jump n").replace(" chain x {", " chain n {\n  masquerade\n }\n chain x {")
    (error,) = errors_of(text)
    assert "not of type nat" in error.message


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("set s { type ipv4_addr; flags timeout; elements = { 10.0.0.1 timeout 1h }; }", "timeout"),
        ("set s { type ipv4_addr; timeout 1h; elements = { 10.0.0.1 }; }", "timeout"),
        ("map s { type ipv4_addr : mark; flags dynamic; }", "come and go"),
    ],
)
def test_elements_that_end_are_refused(lines, why):
    use = "meta mark set ip saddr map @s" if lines.startswith("map") else "ip saddr @s drop"
    text = table(use).replace(" chain x {", f" {lines}\n chain x {{")
    assert any(why in error.message for error in errors_of(text))


@pytest.mark.parametrize("unmodelled", ["refuse", "bound", "simulate"])
def test_words_joined_by_a_colon_do_not_shift_what_follows(unmodelled):
    text = table("tcp dport vmap { 22:accept, 23:drop }\n  tcp dport 80 accept")
    text += "table ip u {\n chain c {\n  udp dport vmap { 53: drop }\n  jump { udp dport 5 drop\n }\n }\n}\n"
    text += "table ip v {\n chain c {\n  tcp dport 81 drop\n }\n}\n"
    ruleset = read(text.replace(SETS, ""), "text", unmodelled=unmodelled)
    assert [rule.verdict for rule in ruleset.chain("ip t", "c").rules] == [Verdict.ACCEPT, Verdict.DROP, Verdict.ACCEPT]
    assert [rule.verdict for rule in ruleset.chain("ip u", "c").rules] == [Verdict.DROP, Verdict.JUMP]
    (rule,) = ruleset.chain("ip v", "c").rules
    assert rule.match.destination_port.single() == 81
