"""What the texts say beside the rules: names of interfaces, comments, heads, segments that fit."""

from __future__ import annotations

import pytest

from compiler.balancing.ip_batch import write_batch
from compiler.balancing.nftables import write_nftables
from compiler.balancing.proof import prove
from compiler.balancing.routeros import write_routeros
from compiler.balancing.view import view_linux, view_routeros
from compiler.errors import CannotSay
from tests.compiler.balancing.intents import FULL, plan_of, simple
from tests.compiler.deploy.routeros.devices import deploy, made, served, stand


def named(name: str):
    return plan_of(simple((1, 1)).replace("ISP2", repr(name)))


@pytest.mark.parametrize("version", [6, 7])
@pytest.mark.parametrize(
    "name", ["ether1 - WAN", "ge-0/0/1", "eth+", 'a "b" $c', "sfp-sfpplus1 [to the provider]", "x=y;z"]
)
def test_names_that_only_routeros_has(name, version):
    plan = named(name)
    assert prove(plan, view_routeros(write_routeros(plan, version), "x.rsc")).findings == ()


@pytest.mark.parametrize(
    "name", ["ether1 - WAN", "ge-0/0/1", "a-name-of-16-chr", "eth*", 'a"b', "eth#1", "{x}", "..", "eth0:1", "x=y;z"]
)
def test_names_that_linux_cannot_have(name):
    with pytest.raises(CannotSay) as caught:
        write_nftables(named(name))
    (refusal,) = caught.value.refusals
    assert str(refusal).startswith(f"two.yaml:4:3: the interface {name!r} of line2: ")


@pytest.mark.parametrize("name", ["eth+", "a-name-of-15-ch", "wan.100"])
def test_names_that_linux_has(name):
    plan = named(name)
    assert prove(plan, view_linux(write_nftables(plan), write_batch(plan), "x")).findings == ()


@pytest.mark.parametrize("name", ["*1", "!ether1"])
def test_signs_that_routeros_takes_for_something_else(name):
    with pytest.raises(CannotSay) as caught:
        write_routeros(named(name), 7)
    assert "two.yaml:4:3" in str(caught.value.refusals[0])


def test_a_line_of_comment_in_the_intent_changes_nothing_but_the_head():
    """Rows are tied to the names of things; a deploy would change every row that had a line's number."""
    plans = plan_of(FULL), plan_of(f"# a remark\n{FULL}")
    for write in (lambda plan: write_routeros(plan, 6), lambda plan: write_routeros(plan, 7), write_nftables):
        left, right = ([line for line in write(plan).split("\n") if not line.startswith("#")] for plan in plans)
        assert left == right
    assert "exception-2 (two.yaml:24)" in write_routeros(plans[0], 7)
    assert "exception-2 (two.yaml:25)" in write_nftables(plans[1])


def test_the_head_says_what_is_not_done():
    for text in (write_routeros(plan_of(FULL), 7), write_nftables(plan_of(FULL))):
        assert "# It is for IPv4" in text
        assert "no hairpin" in text
    assert "these files start no resolver" in write_nftables(plan_of(FULL))
    assert "resolver" not in write_nftables(plan_of(simple((1, 1))))


def test_segments_fit_a_line_by_pppoe():
    text = simple((1, 1)).replace("address: 10.2.0.2/24, gateway: 10.2.0.1", "gateway: pppoe, user: me")
    plan = plan_of(text)
    rules = write_nftables(plan)
    assert 'oifname "pppoe2" tcp flags syn tcp option maxseg size set rt mtu' in rules
    assert prove(plan, view_linux(rules, write_batch(plan), "x")).findings == ()
    assert "maxseg" not in write_nftables(plan_of(simple((1, 1))))


def test_a_deploy_after_a_line_of_comment_has_nothing_to_do():
    device = made(foreign=False)
    text = simple((2, 1), "pcc", "exceptions: [{to: 203.0.113.5, via: line2, strict: yes}]\n")
    stand(device, text)
    with served(device) as server:
        assert tuple(deploy(server, f"# a remark\n\n{text}").plan()) == ()
        assert tuple(deploy(server, text.replace("203.0.113.5", "203.0.113.6")).plan()) != ()
