"""Writer and reader are witnesses for each other, and nft between them is the third."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import HealthCheck, given, settings

from compiler.dialects.nftables.adapt import adapt
from compiler.dialects.nftables.reader import read
from compiler.dialects.nftables.writer import write
from compiler.lowering.options import Options
from tests.compiler.dialects.nftables.rulesets import nft, rulesets, without_places

needs_nft = pytest.mark.skipif(
    shutil.which("nft") is None or shutil.which("unshare") is None, reason="nft and unshare are not installed"
)


@given(rulesets())
def test_what_is_written_is_read_back_equal(ruleset):
    adapted, refusals = adapt(ruleset, Options())
    assert refusals == ()
    back = read(write(adapted), "written")
    assert without_places(back)[:2] == without_places(adapted)[:2]
    assert back.header == ruleset.header


@needs_nft
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(rulesets())
def test_nft_loads_it_twice_and_lists_the_same_meaning(ruleset):
    adapted, _ = adapt(ruleset, Options())
    text = write(adapted)
    assert without_places(read(nft(text, times=2), "listed")) == without_places(read(text, "written"))
