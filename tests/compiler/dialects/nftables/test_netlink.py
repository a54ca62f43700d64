"""Forms whose text is ambiguous: what nft hands to the kernel, and what we read."""

from __future__ import annotations

import re
import shutil

import pytest

from compiler.dialects.nftables import phrases
from compiler.dialects.nftables.reader import read
from compiler.integers import IntegerSet
from tests.compiler.dialects.nftables.rulesets import compiled

pytestmark = pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")


def bytes_taken(rule: str) -> IntegerSet:
    """The flag bytes that the netlink of ``tcp flags …`` takes: mask, then one comparison or a lookup."""
    code = compiled(rule).split("@ transport header + 13 => reg 1 ]", 1)[1]
    mask = re.search(r"bitwise reg 1 = \( reg 1 & 0x0*([0-9a-f]+) \)", code)
    kept = int(mask[1], 16) if mask else 0xFF
    tests = {"eq": int.__eq__, "neq": int.__ne__, "gte": int.__ge__, "lte": int.__le__, "gt": int.__gt__}
    # nft 1.1 has one expression for both ends.
    code = re.sub(r"range eq reg 1 (\S+) (\S+)", r"cmp gte reg 1 \1 cmp lte reg 1 \2", code)
    comparisons = [
        (tests[word], int(number, 16)) for word, number in re.findall(r"cmp (\w+) reg 1 0x([0-9a-f]+)", code)
    ]
    assert comparisons
    return IntegerSet.of(
        (byte, byte) for byte in range(256) if all(test(byte & kept, number) for test, number in comparisons)
    )


FLAGS = [
    "syn",
    "0x12",
    "syn,ack",
    "== syn,ack",
    "!= syn,ack",
    "! syn,ack",
    "syn / syn,ack",
    "!= syn / syn,ack",
    "& (syn|ack) syn",
    "& (syn|ack) == 0",
    "& (syn|ack) != 0",
    "& syn != syn",
    "(syn|ack)",
    "syn|ack",
    "0",
    "!= 0",
    "== 0",
    "0x02-0x12",
    "> 0x12",
]


@pytest.mark.parametrize("text", FLAGS)
def test_flags_take_the_bytes_that_the_kernel_is_told(text):
    rule = f"tcp flags {text} drop"
    (read_rule,) = read(f"table ip t {{\nchain c {{\n{rule}\n}}\n}}\n", "text").chains[0].rules
    assert read_rule.match.tcp_flags == bytes_taken(rule)


def test_icmp_asks_for_the_family_only_where_the_protocol_is_open():
    assert "nfproto" in compiled("icmp type 8 drop", "inet")
    assert "nfproto" not in compiled("meta l4proto icmp icmp type 8 drop", "inet")
    assert "nfproto" in compiled("frag frag-off != 0 drop", "inet")
    assert "nfproto" not in compiled("@nh,8,8 4 drop", "inet")


def test_a_mask_on_the_ipv6_dscp_compares_the_wrong_bits():
    """Why the reader refuses ``ip6 dscp & …``: mask and value are not shifted alike."""
    assert "0x00003800" in compiled("ip6 dscp & 0x38 == 0x28 drop", "ip6")


def test_numbers_with_leading_zeros_are_octal_or_not():
    """Why the reader refuses them."""
    assert "0x00000800" in compiled("tcp dport 010 drop")
    assert "0x00000800" in compiled("tcp dport 08 drop")


@pytest.mark.parametrize("family", ["ip", "ip6"])
@pytest.mark.parametrize("octets", [(0, 8, 9), (3, 60, 61, 62, 63, 200), tuple(range(12)) + tuple(range(40, 256))])
def test_sets_of_the_traffic_class_shift_nothing(octets, family):
    """nft 1.1 shifts what it compares with ranges in a set, and IPv6's two octets in the wrong order."""
    word = phrases.traffic_class(IntegerSet.values(*octets), family)
    assert ">>" not in compiled(f"{word} drop", family)
    by_class = phrases.traffic_class(IntegerSet.of((4 * one, 4 * one + 3) for one in octets if one < 64), family)
    assert ">>" not in compiled(f"{by_class} drop", family)
