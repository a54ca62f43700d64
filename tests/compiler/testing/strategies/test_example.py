"""The example of the package's docstring runs, and single packets are asked about as values too."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from hypothesis import find, given, settings

from compiler.testing import strategies
from compiler.testing.answer import PropertyFailed
from compiler.testing.headers import packets as headers
from compiler.testing.policies import read_policy
from compiler.testing.strategies import packets_near, policies

OFFICE = """\
access-list 101 permit tcp 10.9.0.0 0.0.0.255 any eq 80
access-list 101 permit tcp 10.9.0.0 0.0.0.255 any eq 443
access-list 101 deny ip 10.9.0.0 0.0.0.255 any
access-list 101 permit ip any any
"""


@pytest.fixture
def office(tmp_path):
    def read(text):
        path = tmp_path / "office.cfg"
        path.write_text(text)
        return read_policy(path, list="101")

    return read


def example():
    block = re.search(r"::\n\n((?:    .*\n|\n)+)", strategies.__doc__)
    return dedent(block[1])


def run(policy):
    names = {"given": given, "packets_near": packets_near, "office": policy}
    exec(compile(example(), "example", "exec"), names)
    settings(database=None, max_examples=200)(names["test_guests_reach_the_web_only"])()


def test_the_example_runs(office):
    run(office(OFFICE))


def test_the_example_finds_a_mistake(office):
    with pytest.raises(AssertionError):
        run(office(OFFICE.replace("eq 443", "eq 444")))


def test_a_packet_as_a_value_is_the_packet_as_text(office):
    policy = office(OFFICE)
    found = find(packets_near(policy), lambda packet: not policy.passes(packet))
    assert policy.denies(found).held
    with pytest.raises(PropertyFailed, match="gerbang trace"):
        policy.permits(found)
    assert policy.passes("tcp 10.9.0.1:1025 > 192.0.2.1:80")
    assert policy.permits("tcp 10.9.0.1:1025 > 192.0.2.1:80").held


def test_a_policy_that_is_no_file_has_no_command():
    def asked(policy):
        return policy.through(policy.machine.lists()[0].name)

    policy = asked(find(policies(), lambda one: not asked(one).ask_passing(headers(), wanted=True).held))
    with pytest.raises(PropertyFailed) as failed:
        policy.reachable()
    assert "packet:" in str(failed.value)
    assert "repeat:" not in str(failed.value)
