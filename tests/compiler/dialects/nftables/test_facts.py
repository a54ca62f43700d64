"""The tables of names against nft itself."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from compiler.dialects.nftables import facts
from compiler.dialects.nftables.services import SERVICES
from compiler.fields import TCP_FLAGS
from tests.compiler.dialects.nftables.rulesets import code_number, nft

pytestmark = pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")


def described(expression: str) -> dict[str, int]:
    done = subprocess.run(("nft", "describe", expression), capture_output=True, text=True, check=True)
    return {name: int(number, 0) for name, number in re.findall(r"^\s+(\S+)\s+(0x[0-9a-f]+|\d+)$", done.stdout, re.M)}


TABLES = [
    ("icmp type", facts.ICMP_TYPES),
    ("icmpv6 type", facts.ICMPV6_TYPES),
    ("ip dscp", facts.DSCP),
    ("ip ecn", facts.ECN),
    ("tcp flags", facts.TCP_FLAG_NAMES),
    ("meta nfproto", facts.NFPROTO),
]


@pytest.mark.parametrize(("expression", "table"), TABLES)
def test_names_are_those_that_nft_describes(expression, table):
    assert described(expression) == table


@pytest.mark.parametrize(
    ("family", "protocol", "table"), [("ip", "icmp", facts.ICMP_CODES), ("ip6", "icmpv6", facts.ICMPV6_CODES)]
)
def test_codes_are_those_that_nft_takes(family, protocol, table):
    """nft 1.1 takes their names, but describes none."""
    assert {name: code_number(name, family, protocol) for name in table} == table


def test_protocols_hold_what_nft_describes():
    names = described("ip protocol")
    assert len(names) > 40
    assert names.items() <= facts.PROTOCOLS.items()


def listed_numbers(condition: str, words: dict[str, int]) -> dict[str, str]:
    """What nft makes of each word, one rule a word."""
    rules = "\n".join(f"{condition} {word} accept" for word in words)
    listing = nft(f"table ip t {{\nchain c {{\n{rules}\n}}\n}}\n")
    return dict(zip(words, re.findall(rf"{condition} (\S+) accept", listing), strict=True))


def test_services_have_the_numbers_that_nft_gives_them():
    assert {name: int(number) for name, number in listed_numbers("tcp dport", SERVICES).items()} == SERVICES


def test_protocol_names_and_aliases_are_known_to_nft():
    for name, shown in listed_numbers("meta l4proto", facts.PROTOCOLS).items():
        assert facts.PROTOCOLS[shown] == facts.PROTOCOLS[name]


def test_answers_of_reject_are_known_to_nft():
    for word, codes in (("icmp", facts.ICMP_CODES), ("icmpx", facts.ICMPX_CODES)):
        family = "inet" if word == "icmpx" else "ip"
        rules = "\n".join(f"reject with {word} type {code}" for code in codes)
        listing = nft(f"table {family} t {{\nchain c {{\ntype filter hook input priority 0\n{rules}\n}}\n}}\n")
        shown = re.findall(r"reject(?: with icmpx? (\S+))?$", listing, re.M)
        assert [code or "port-unreachable" for code in shown] == list(codes)


def test_flag_names_differ_from_the_usual_only_in_ecn():
    assert {**facts.TCP_FLAG_NAMES, "ece": 0x40} == {**TCP_FLAGS, "ecn": 0x40}


def test_priorities_are_those_of_nft():
    chains = "\n".join(
        f"chain c{number} {{ type filter hook prerouting priority {name}; }}"
        if name not in ("srcnat",)
        else f"chain c{number} {{ type filter hook postrouting priority {name}; }}"
        for number, name in enumerate(facts.PRIORITIES)
    )
    text = f"table ip t {{\n{chains}\n}}\n"
    numbers = re.sub(r"priority (\w+)", lambda found: f"priority {facts.PRIORITIES[found[1]]}", text)
    assert nft(text) == nft(numbers)


NEWER = {"destroy", "last", "tunnel"}
"""Keywords that nft 1.0.6 does not have yet."""


def is_refused_as_name(word: str) -> bool:
    text = f"table ip t {{\nset {word} {{\ntype ipv4_addr\n}}\nchain {word} {{\n}}\n"
    text += f"chain c {{\nip saddr @{word} jump {word}\n}}\n}}\n"
    command = ("unshare", "-rn", "nft", "-c", "-f", "-")
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False).returncode != 0


def test_keywords_are_what_nft_refuses_as_names():
    assert [word for word in sorted(facts.KEYWORDS - NEWER) if not is_refused_as_name(word)] == []
    for word in ("forward", "input", "early", "prerouting", "filter", "acl-101"):
        assert word not in facts.KEYWORDS
        assert not is_refused_as_name(word)
