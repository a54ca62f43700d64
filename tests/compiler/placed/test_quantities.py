"""Times, rates, sizes and shares, as text and back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.placed import quantities


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (quantities.duration, "5 s", 5_000_000_000),
        (quantities.duration, "10ms", 10_000_000),
        (quantities.duration, "0.1 us", 100),
        (quantities.duration, "1.5 µs", 1_500),
        (quantities.duration, "2 min", 120_000_000_000),
        (quantities.duration, "0", 0),
        (quantities.rate, "3 Mbit/s", 3_000_000),
        (quantities.rate, "512 kbit/s", 512_000),
        (quantities.rate, "2.5 Gbit/s", 2_500_000_000),
        (quantities.octets, "64 KiB", 65_536),
        (quantities.octets, "5 MB", 5_000_000),
        (quantities.octets, "1000", 1000),
        (quantities.octets, "1 octet", 1),
        (quantities.packets, "50 packets", 50),
        (quantities.share, "0.1 %", 0.001),
        (quantities.share, "25%", 0.25),
        (quantities.share, "0.99", 0.99),
    ],
)
def test_a_quantity_is_read(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (quantities.duration, "5", "has no unit"),
        (quantities.duration, "1:30", "expected a time"),
        (quantities.duration, "5 sec", "did you mean 's'"),
        (quantities.duration, "0.5 ns", "not a whole number"),
        (quantities.duration, "-1 s", "expected a time"),
        (quantities.rate, "3 Mbps", "did you mean 'Mbit/s'"),
        (quantities.rate, "3 Mbits/s", "did you mean 'Mbit/s'"),
        (quantities.rate, "3 MB", "unknown unit 'MB'"),
        (quantities.rate, "0 bit/s", "above zero"),
        (quantities.octets, "5 mb", "did you mean 'MB'"),
        (quantities.octets, "5 Mbit", "unknown unit"),
        (quantities.packets, "50", "has no unit"),
        (quantities.share, "1", None),
        (quantities.share, "5", "meant 5 %"),
        (quantities.share, "120 %", "at most 100 %"),
        (quantities.share, "half", "expected a share"),
    ],
)
def test_what_is_no_quantity_says_what_was_expected(read, text, said):
    if said is None:
        assert read(text) == 1
        return
    with pytest.raises(ValueError, match=re.escape(said)):
        read(text)


@given(st.integers(1, 9999), st.sampled_from(["ns", "us", "ms", "s"]))
def test_a_time_is_shown_as_it_is_read(number, unit):
    nanoseconds = quantities.duration(f"{number} {unit}")
    assert quantities.duration(quantities.format_duration(nanoseconds)) == nanoseconds


@given(st.integers(1, 9999), st.sampled_from(["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]))
def test_a_rate_is_shown_as_it_is_read(number, unit):
    bits = quantities.rate(f"{number} {unit}")
    assert quantities.rate(quantities.format_rate(bits)) == bits
