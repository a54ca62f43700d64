"""Bob Jenkins' hash, against values from the kernel's own code and against published properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.fields import TCP, UDP, Family
from compiler.policy.stateful import Hash
from compiler.simulator.frame import Datagram
from compiler.simulator.router.jhash import hash_number, jhash, reciprocal_scale


def test_the_empty_key_is_the_initial_value():
    """jhash() of nothing returns c untouched (include/linux/jhash.h, JHASH_INITVAL)."""
    assert jhash(b"") == 0xDEADBEEF
    assert jhash(b"", 1) == 0xDEADBEF0


@pytest.mark.parametrize(
    ("key", "seed", "value"),
    [
        # lookup3.c, driver5: hashlittle2 of the same text; jhash() starts alike.
        (b"Four score and seven years ago", 0, 0x17770551),
        (b"Four score and seven years ago", 1, 0xCD628161),
    ],
)
def test_known_vectors(key, seed, value):
    assert jhash(key, seed) == value


@given(st.binary(max_size=40), st.integers(0, 2**32 - 1))
def test_it_is_a_number_of_32_bits(key, seed):
    assert 0 <= jhash(key, seed) < 2**32


@given(st.integers(0, 2**32 - 1), st.integers(1, 1000))
def test_scaling_stays_below_its_end(value, ends):
    assert reciprocal_scale(value, ends) == value * ends // 2**32 < ends


def test_a_classifier_takes_no_ports_where_there_are_none():
    """RouterOS's per-connection-classifier: both-ports of ICMP hashes an empty key."""
    both_ports = Hash(("source_port", "destination_port"), 4, 0, per_connection=True)
    icmp = Datagram(Family.IPV4, 1, 2, 1, 28, 5, 6)
    assert hash_number(both_ports, icmp, 0) == 0xDEADBEEF % 4
    numbers = {hash_number(both_ports, Datagram(Family.IPV4, 1, 2, TCP, 40, port, 80), 0) for port in range(64)}
    assert numbers == {0, 1, 2, 3}


def test_registers_of_nft_are_padded():
    """Ports take a whole register each: other octets than RouterOS's packed key."""
    packed = Hash(("source_port", "destination_port"), 2**16, 7, per_connection=True)
    padded = Hash(("source_port", "destination_port"), 2**16, 7)
    datagram = Datagram(Family.IPV4, 1, 2, UDP, 28, 4000, 53)
    assert hash_number(packed, datagram, 0) == jhash(b"\x0f\xa0\x00\x35", 7) % 2**16
    assert hash_number(padded, datagram, 0) == jhash(b"\x0f\xa0\0\0\x00\x35\0\0", 7) >> 16
