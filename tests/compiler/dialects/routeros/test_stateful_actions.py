"""What the actions of mangle, NAT, raw and filter do, and which are refused, with their places."""

import pytest

from compiler.errors import SyntaxFault, Unmodelled
from compiler.fields import Family
from compiler.policy.ruleset import Verdict
from compiler.policy.stateful import (
    AddressRange,
    AddToSet,
    ChangeField,
    ClampSegment,
    Register,
    SetMark,
    SkipFirewall,
    StateIn,
    Translate,
    Translation,
    Untrack,
)
from tests.compiler.dialects.routeros.simulating import address, effects, fault, rule


@pytest.mark.parametrize(
    ("words", "verdict", "effect"),
    [
        (
            "action=mark-connection new-connection-mark=a",
            Verdict.CONTINUE,
            SetMark(Register.CONNECTION, "a"),
        ),
        (
            "action=mark-connection new-connection-mark=a passthrough=no",
            Verdict.ACCEPT,
            SetMark(Register.CONNECTION, "a"),
        ),
        ("action=mark-packet new-packet-mark=no-mark", Verdict.CONTINUE, SetMark(Register.PACKET, "")),
        (
            'action=mark-routing new-routing-mark="to WAN1" passthrough=no',
            Verdict.ACCEPT,
            SetMark(Register.ROUTING, "to WAN1"),
        ),
        ("action=change-dscp new-dscp=46", Verdict.CONTINUE, ChangeField("traffic_class", 184, 0xFC)),
        ("action=change-ttl new-ttl=set:64", Verdict.CONTINUE, ChangeField("ttl", 64)),
        ("action=change-ttl new-ttl=decrement:1", Verdict.CONTINUE, ChangeField("ttl", -1, step=True)),
        ("action=change-ttl new-ttl=increment:2", Verdict.CONTINUE, ChangeField("ttl", 2, step=True)),
        ("action=change-mss protocol=tcp new-mss=clamp-to-pmtu", Verdict.CONTINUE, ClampSegment()),
        ("action=change-mss protocol=tcp new-mss=1300", Verdict.CONTINUE, ClampSegment(1300)),
        ("action=change-mss protocol=tcp new-mss=1300 tcp-mss=1301-65535", Verdict.CONTINUE, ClampSegment(1300)),
        ("action=change-mss protocol=tcp new-mss=1300 tcp-mss=!0-1300", Verdict.CONTINUE, ClampSegment(1300)),
        ("action=fasttrack-connection", Verdict.CONTINUE, SkipFirewall()),
        (
            "action=add-src-to-address-list address-list=seen",
            Verdict.CONTINUE,
            AddToSet("ip", "seen", "source", 0),
        ),
        (
            "action=add-dst-to-address-list address-list=seen address-list-timeout=1d2h",
            Verdict.CONTINUE,
            AddToSet("ip", "seen", "destination", 93600 * 10**9),
        ),
        (
            "action=add-dst-to-address-list address-list=seen address-list-timeout=none-static",
            Verdict.CONTINUE,
            AddToSet("ip", "seen", "destination", 0),
        ),
    ],
)
def test_actions_of_mangle(words, verdict, effect):
    assert effects(words) == (verdict, [effect])


@pytest.mark.parametrize(
    ("chain", "words", "effect"),
    [
        ("srcnat", "action=masquerade", Translate(Translation.MASQUERADE)),
        (
            "srcnat",
            "action=masquerade protocol=tcp to-ports=1024-2047",
            Translate(Translation.MASQUERADE, (), (1024, 2047)),
        ),
        (
            "srcnat",
            "action=src-nat to-addresses=192.0.2.1-192.0.2.3",
            Translate(Translation.SOURCE, (AddressRange(Family.IPV4, address("192.0.2.1"), address("192.0.2.3")),)),
        ),
        (
            "dstnat",
            "action=dst-nat protocol=tcp dst-port=8080 to-addresses=10.0.0.5 to-ports=80",
            Translate(
                Translation.DESTINATION,
                (AddressRange(Family.IPV4, address("10.0.0.5"), address("10.0.0.5")),),
                (80, 80),
            ),
        ),
        ("dstnat", "action=dst-nat protocol=udp to-ports=5353", Translate(Translation.DESTINATION, (), (5353, 5353))),
        ("dstnat", "action=redirect protocol=tcp to-ports=3128", Translate(Translation.REDIRECT, (), (3128, 3128))),
        ("dstnat", "action=redirect", Translate(Translation.REDIRECT)),
        (
            "dstnat",
            "action=netmap to-addresses=10.1.0.0/16",
            Translate(
                Translation.NETMAP_DESTINATION,
                (AddressRange(Family.IPV4, address("10.1.0.0"), address("10.1.255.255")),),
            ),
        ),
        (
            "srcnat",
            "action=netmap to-addresses=192.0.2.0/30",
            Translate(
                Translation.NETMAP_SOURCE, (AddressRange(Family.IPV4, address("192.0.2.0"), address("192.0.2.3")),)
            ),
        ),
        (
            "srcnat",
            "action=same to-addresses=192.0.2.0/30 same-not-by-dst=yes",
            Translate(
                Translation.SOURCE,
                (AddressRange(Family.IPV4, address("192.0.2.0"), address("192.0.2.3")),),
                persistent=True,
            ),
        ),
        ("output", "action=redirect", Translate(Translation.REDIRECT)),
    ],
)
def test_translations(chain, words, effect):
    assert effects(words, menu="/ip firewall nat", chain=chain) == (Verdict.ACCEPT, [effect])


def test_a_jump_tells_which_end_is_translated():
    before = "/ip firewall nat\nadd chain=dstnat action=jump jump-target=map"
    found = rule("action=netmap to-addresses=10.1.0.0/16", menu="/ip firewall nat", chain="map", before=before)
    assert found.unmodelled[0].meaning.kind is Translation.NETMAP_DESTINATION
    both = f"{before}\nadd chain=srcnat action=jump jump-target=map"
    refused = fault("action=netmap to-addresses=10.1.0.0/16", menu="/ip firewall nat", chain="map", before=both)
    assert isinstance(refused, Unmodelled)


def test_raw_and_filter():
    assert effects("action=notrack", menu="/ip firewall raw") == (Verdict.ACCEPT, [Untrack()])
    found = rule("action=reject reject-with=tcp-reset protocol=tcp", menu="/ip firewall filter", chain="input")
    assert (found.verdict, found.answer, found.unmodelled) == (Verdict.REJECT, "tcp-reset", ())
    logged = rule("action=log log-prefix=x connection-state=new", menu="/ip firewall filter", chain="input")
    assert (logged.verdict, logged.log) == (Verdict.CONTINUE, "x")
    assert isinstance(logged.unmodelled[0].meaning, StateIn)


@pytest.mark.parametrize(
    ("menu", "chain", "words", "kind", "message", "highlight"),
    [
        ("mangle", "prerouting", "nth=2,1,0", SyntaxFault, "RouterOS 2.9", "nth=2,1,0"),
        ("mangle", "prerouting", "action=mark-connection", SyntaxFault, "without new-connection-mark", "action="),
        ("mangle", "prerouting", "action=mark-conection", SyntaxFault, "no action of this table", "action="),
        ("mangle", "prerouting", "action=drop", SyntaxFault, "no action of this table", "action="),
        ("mangle", "prerouting", "new-conection-mark=x", SyntaxFault, "did you mean new-connection-mark?", "new-con"),
        (
            "mangle",
            "forward",
            "action=mark-routing new-routing-mark=x",
            SyntaxFault,
            "in prerouting and output",
            "new-r",
        ),
        ("mangle", "prerouting", "action=change-ttl new-ttl=plus:1", SyntaxFault, "increment:N", "new-ttl"),
        ("mangle", "prerouting", "action=change-dscp new-dscp=64", SyntaxFault, "from 0 to 63", "new-dscp"),
        ("mangle", "forward", "action=change-mss new-mss=1300", SyntaxFault, "needs protocol=tcp", "new-mss"),
        (
            *("mangle", "forward", "action=change-mss protocol=tcp new-mss=1300 tcp-mss=1400-65535"),
            *(Unmodelled, "tcp-mss=1400-65535 is not modelled", "tcp-mss"),
        ),
        (
            "mangle",
            "prerouting",
            "action=mark-packet new-packet-mark=a passthrough=maybe",
            SyntaxFault,
            "yes or no",
            "pass",
        ),
        (
            "mangle",
            "prerouting",
            "layer7-protocol=video",
            Unmodelled,
            "layer7-protocol=video is not modelled",
            "layer7",
        ),
        ("mangle", "prerouting", "hotspot=auth", Unmodelled, "hotspot=auth is not modelled", "hotspot"),
        ("mangle", "prerouting", "p2p=all-p2p action=mark-packet new-packet-mark=x", Unmodelled, "p2p", "p2p"),
        ("mangle", "prerouting", "connection-bytes=1-2", Unmodelled, "connection-bytes=1-2", "connection-bytes"),
        ("mangle", "prerouting", "dst-limit=1,5,dst-address", Unmodelled, "dst-limit", "dst-limit"),
        ("mangle", "prerouting", "connection-limit=3,32", Unmodelled, "connection-limit", "connection-limit"),
        ("mangle", "prerouting", "action=route route-dst=10.0.0.1", Unmodelled, "past the routing tables", "action="),
        ("mangle", "prerouting", "action=sniff-tzsp", Unmodelled, "action=sniff-tzsp", "action="),
        ("mangle", "prerouting", "action=strip-ipv4-options", Unmodelled, "strip-ipv4-options", "action="),
        ("mangle", "prerouting", "out-interface=ether1", Unmodelled, "cannot match in chain prerouting", "out-inter"),
        ("mangle", "postrouting", "in-interface=ether1", Unmodelled, "cannot match in chain postrouting", "in-inter"),
        ("mangle", "prerouting", "in-interface=all-ppp", Unmodelled, "all-ppp", "in-inter"),
        ("mangle", "prerouting", "action=add-src-to-address-list", SyntaxFault, "without address-list", "action="),
        (
            *("mangle", "prerouting", "action=add-src-to-address-list address-list=x address-list-timeout=soon"),
            *(SyntaxFault, "none-static", "address-list-timeout"),
        ),
        ("nat", "srcnat", "action=src-nat", SyntaxFault, "without to-addresses", "action="),
        ("nat", "srcnat", "action=dst-nat to-addresses=10.0.0.1", SyntaxFault, "not srcnat", "action="),
        ("nat", "dstnat", "action=masquerade", SyntaxFault, "not dstnat", "action="),
        ("nat", "srcnat", "action=masquerade in-interface=x", Unmodelled, "cannot match in chain srcnat", "in-inter"),
        ("nat", "dstnat", "action=dst-nat to-addresses=10.0.0.300", SyntaxFault, "300 is above 255", "to-addresses"),
        (
            "nat",
            "dstnat",
            "action=dst-nat to-addresses=10.0.0.1 to-ports=80",
            SyntaxFault,
            "needs protocol",
            "to-ports",
        ),
        ("nat", "dstnat", "action=dst-nat protocol=tcp to-ports=90-80", SyntaxFault, "backwards", "to-ports"),
        ("nat", "srcnat", "action=netmap to-addresses=10.0.0.1-10.0.0.9", SyntaxFault, "a prefix", "to-addresses"),
        ("nat", "srcnat", "action=endpoint-independent-nat", Unmodelled, "endpoint-independent-nat", "action="),
        ("filter", "input", "action=tarpit", Unmodelled, "action=tarpit", "action="),
        ("filter", "input", "connection-mark=x new-connection-mark=y", SyntaxFault, "no property", "new-con"),
        ("raw", "prerouting", "connection-state=new", SyntaxFault, "no property", "connection-state"),
    ],
)
def test_refusals_have_a_place(menu, chain, words, kind, message, highlight):
    found = fault(words, menu=f"/ip firewall {menu}", chain=chain)
    assert type(found) is kind
    assert message in found.message
    assert found.span.line == 3
    assert found.text[found.span.column - 1 :].startswith(highlight)
