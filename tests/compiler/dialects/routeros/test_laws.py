"""Laws that hold for every ruleset: judged by a plain first-match interpreter over packets."""

import os
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.dialects.routeros.adapt import adapt
from compiler.dialects.routeros.reader import read
from compiler.dialects.routeros.script import parse
from compiler.dialects.routeros.writer import write
from compiler.errors import CannotSay
from compiler.fields import PORT_PROTOCOLS, Family, flags_all, flags_any
from compiler.integers import IntegerSet
from compiler.lowering.options import Deny, Fragments, Options
from compiler.policy.match import ANY, InterfaceSet, Match, layer4
from compiler.policy.packet import Packet, matches
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict

IPV4 = frozenset({Family.IPV4})
BASE, INNER, DEEP = "prerouting", "list", "deep"


def passes(ruleset, packet, table="ip raw", base=BASE):
    """What one base chain decides: the first rule that ends it, else accept."""

    def run(name, depth):
        chain = ruleset.chain(table, name)
        assert depth < 8
        for rule in chain.rules if chain else ():
            if rule.disabled or not matches(rule.match, packet):
                continue
            if rule.verdict is Verdict.ACCEPT:
                return True
            if rule.verdict in (Verdict.DROP, Verdict.REJECT):
                return False
            if rule.verdict is Verdict.RETURN:
                return None
            if rule.verdict in (Verdict.JUMP, Verdict.GOTO):
                decided = run(rule.target, depth + 1)
                if decided is not None or rule.verdict is Verdict.GOTO:
                    return decided
        return None

    return run(base, 0) is not False


ports = st.sampled_from([0, 1, 22, 53, 80, 443, 1023, 1024, 8080, 65534, 65535])


def integers(values, *, most=3):
    bounds = st.tuples(values, values).map(lambda pair: (min(pair), max(pair)))
    singles = values.map(lambda value: (value, value))
    return st.lists(st.one_of(bounds, singles), min_size=1, max_size=most).map(IntegerSet.of)


def maybe(strategy):
    return st.none() | strategy


HOSTS = [0, 1, 0x0A000001, 0x0A000005, 0x0A0000FF, 0x0A000100, 0xAC100004, 0xFFFFFFFF]
wildcards = st.builds(
    lambda value, mask: AddressSet.wildcard(Wildcard.of(value, mask)),
    st.sampled_from(HOSTS),
    st.sampled_from([0, 0xFF, 0x00000302, 0x00000102, 0x01000004, 0x05]),
)
ranges = integers(st.sampled_from(HOSTS)).map(lambda found: AddressSet.of(32, found.intervals))
sets = st.one_of(ranges, wildcards, st.builds(AddressSet.union, ranges, wildcards)).filter(
    lambda found: not found.is_any
)
many_ports = st.lists(st.integers(0, 300), min_size=10, max_size=40).map(
    lambda found: IntegerSet.of((2 * port, 2 * port + port % 2) for port in found)
)
flags = st.one_of(
    st.builds(flags_any, st.integers(1, 255), st.integers(0, 255)),
    st.builds(flags_all, st.integers(0, 255), st.integers(0, 255)).filter(lambda found: found.intervals),
    st.sets(st.integers(0, 255), min_size=1, max_size=6).map(lambda found: IntegerSet.values(*found)),
)
dscp = st.sets(st.integers(0, 63), min_size=1, max_size=5).map(
    lambda found: IntegerSet.of((4 * value, 4 * value + 3) for value in found)
)
interfaces = maybe(
    st.one_of(
        st.sampled_from([InterfaceSet.only("ether1"), InterfaceSet.only("ether1", "my wan")]),
        st.just(InterfaceSet(frozenset({"ether2"}), True)),
    )
)


@st.composite
def match_values(draw):
    kind = draw(st.sampled_from(["any", "ports", "flags", "icmp", "fragment"]))
    fields = {
        "source": draw(maybe(sets)),
        "destination": draw(maybe(sets)),
        "ingress": draw(interfaces),
        "ttl": draw(maybe(integers(st.sampled_from([0, 1, 2, 5, 20, 254, 255]), most=1))),
        "traffic_class": draw(maybe(dscp)),
    }
    protocols = st.sampled_from([1, 6, 17, 47, 132])
    if kind == "any":
        fields["protocol"] = draw(maybe(integers(protocols)))
    elif kind == "fragment":
        fields |= {"protocol": draw(maybe(integers(protocols))), "noninitial": draw(st.booleans())}
    elif kind == "ports":
        fields["protocol"] = draw(st.sampled_from([IntegerSet.values(6), IntegerSet.values(6, 17), PORT_PROTOCOLS]))
        fields["source_port"] = draw(maybe(integers(ports)))
        fields["destination_port"] = draw(st.one_of(integers(ports), many_ports))
    elif kind == "flags":
        fields |= {"protocol": IntegerSet.values(6), "tcp_flags": draw(flags)}
    else:
        fields |= {"protocol": IntegerSet.values(1), "icmp_type": draw(integers(st.integers(0, 18), most=2))}
        fields["icmp_code"] = draw(maybe(integers(st.integers(0, 15), most=2)))
    full = {
        name: None if value in (IntegerSet.range(0, 255), IntegerSet.range(0, 65535)) else value
        for name, value in fields.items()
    }
    return layer4(Match(**full))


packets = st.builds(
    Packet,
    family=st.just(Family.IPV4),
    source=st.sampled_from(HOSTS) | st.integers(0, 2**32 - 1),
    destination=st.sampled_from(HOSTS),
    protocol=st.sampled_from([1, 2, 6, 17, 33, 47, 132, 255]),
    source_port=ports,
    destination_port=ports | st.integers(0, 700),
    tcp_flags=st.integers(0, 255),
    icmp_type=st.integers(0, 20),
    icmp_code=st.integers(0, 16),
    traffic_class=st.integers(0, 255),
    ttl=st.sampled_from([0, 1, 2, 3, 19, 20, 21, 64, 253, 254, 255]),
    noninitial=st.booleans(),
    ingress=st.sampled_from(["ether1", "ether2", "my wan"]),
    egress=st.just("ether9"),
)

comments = st.sampled_from(["", "web", 'he said "no" for $5', "two\nlines", "gerbang: kept"])


@st.composite
def rules(draw, targets=(), verdicts=(Verdict.RETURN, Verdict.DROP)):
    verdict = draw(st.sampled_from([*verdicts, Verdict.CONTINUE]))
    target = ""
    if targets and draw(st.booleans()):
        verdict, target = draw(st.sampled_from([Verdict.JUMP, Verdict.GOTO])), draw(st.sampled_from(targets))
    log = draw(maybe(st.sampled_from(["", "list 101 "])))
    return Rule(
        draw(match_values()), verdict, target, log, comment=draw(comments), disabled=draw(st.integers(0, 9)) == 9
    )


@st.composite
def rulesets(draw, verdicts=(Verdict.RETURN, Verdict.DROP)):
    dispatch = [
        Rule(Match(ingress=InterfaceSet.only(name)), Verdict.JUMP, INNER)
        for name in draw(st.sets(st.sampled_from(["ether1", "ether2"])))
    ]
    inner = draw(st.lists(rules((DEEP,), verdicts), max_size=4))
    deep = draw(st.lists(rules((), verdicts), max_size=3))
    ending = [Rule(ANY, Verdict.DROP, comment="implicit deny")]
    chains = (
        Chain("ip raw", BASE, tuple(dispatch), IPV4, Hook.PREROUTING, -300),
        Chain("ip raw", INNER, tuple(inner + ending), IPV4),
        Chain("ip raw", DEEP, tuple(deep), IPV4),
    )
    return Ruleset("t", "ios", chains)


def said(ruleset, options=None):
    """What adapt makes of it; None when something cannot be said."""
    adapted, refusals = adapt(ruleset, options or Options())
    return None if refusals else adapted


ALL = (Verdict.RETURN, Verdict.DROP, Verdict.ACCEPT)


@given(rulesets(ALL), st.lists(packets, min_size=1, max_size=20))
def test_splitting_keeps_the_meaning(ruleset, sample):
    adapted = said(ruleset)
    if adapted is not None:
        assert [passes(adapted, packet) for packet in sample] == [passes(ruleset, packet) for packet in sample]


@given(rulesets(ALL), st.lists(packets, min_size=1, max_size=20))
def test_a_bound_is_never_wider(ruleset, sample):
    lists_only = replace(
        ruleset,
        chains=tuple(
            replace(chain, rules=tuple(rule for rule in chain.rules if rule.verdict is not Verdict.ACCEPT))
            for chain in ruleset.chains
        ),
    )
    try:
        adapted, _ = adapt(lists_only, Options(bound=True, address_limit=4))
    except CannotSay:
        return  # a jump has no bound
    for packet in sample:
        assert passes(lists_only, packet) or not passes(adapted, packet)


def canonical(match):
    """Address sets as their runs: a union of ranges and odd wildcards may be written in several ways."""
    return [*(addresses and addresses.runs() for addresses in match[1:3]), *match[3:]]


def meaning(ruleset):
    """All that counts of a ruleset, without places and without owners in comments."""
    return {
        chain.key: (
            chain.hook,
            chain.priority,
            chain.policy,
            chain.sees_reassembled,
            [
                (
                    canonical(rule.match),
                    rule.verdict,
                    rule.target,
                    rule.log,
                    rule.answer,
                    rule.disabled,
                    rule.source_set,
                )
                for rule in chain.rules
            ],
        )
        for chain in ruleset.chains
        if chain.rules
    }


@given(rulesets(ALL))
def test_what_is_written_is_read_back(ruleset):
    adapted = said(ruleset)
    if adapted is None:
        return
    text = write(adapted)
    once, twice = read(text, "t"), read(text + text, "t")
    assert meaning(once) == meaning(adapted)
    assert meaning(twice) == meaning(adapted)
    assert {one.name: one.addresses.runs() for one in once.sets} == {
        one.name: one.addresses.runs() for one in adapted.sets
    }
    texts = [rule.comment for chain in once.chains for rule in chain.rules]
    assert all(text.startswith("gerbang:") for text in texts)
    assert write(adapted) == text


LONG = bool(os.environ.get("GERBANG_LONG"))
"""Every moment of many loads; else the moments where a load turns, and some between."""

BETWEEN = 6


def prefixes_of(text):
    """The script cut after each of its statements; without LONG, not after each of a row of like ones."""
    statements = parse(text, "t").statements
    ends = [statement.start for statement in statements[1:]] + [len(text)]
    if LONG:
        return [text[:end] for end in ends]
    kinds = [(statement.path, statement.command) for statement in statements]
    turns = {place for place, (kind, then) in enumerate(zip(kinds, [*kinds[1:], None], strict=True)) if kind != then}
    # A remove is told from what stands around it; of added rows the first is a moment of its own.
    turns |= {place + 1 for place in turns if place + 1 < len(ends)}
    turns |= set(range(0, len(ends), max(1, len(ends) // BETWEEN)))
    paths = {place for place in turns if not kinds[place][1]}  # a path alone changes nothing
    return [text[: ends[place]] for place in sorted(turns - paths)]


@settings(max_examples=200 if LONG else 10)
@given(rulesets(ALL), rulesets(ALL), st.lists(packets, min_size=1, max_size=12))
def test_no_moment_of_a_load_is_wider_than_before_and_after(old, new, sample):
    old, new = said(old), said(new)
    if old is None or new is None:
        return
    installed, script = write(old), write(new)
    before = [passes(old, packet) for packet in sample]
    after = [passes(new, packet) for packet in sample]
    for part in prefixes_of(script):
        now = read(installed + part, "t")
        for packet, was, will in zip(sample, before, after, strict=True):
            assert was or will or not passes(now, packet)
    assert [passes(read(installed + script, "t"), packet) for packet in sample] == after


@given(rulesets(), st.sampled_from(list(Deny)), st.sampled_from(list(Fragments)), st.booleans())
def test_every_option_gives_a_text_that_is_read(ruleset, deny, fragments, filtered):
    if deny is Deny.REJECT:
        ruleset = replace(
            ruleset,
            chains=tuple(
                replace(
                    chain,
                    rules=tuple(
                        replace(rule, verdict=Verdict.REJECT) if rule.verdict is Verdict.DROP else rule
                        for rule in chain.rules
                    ),
                )
                for chain in ruleset.chains
            ),
        )
    if filtered:
        chains = tuple(
            replace(chain, table="ip filter", name="forward", hook=Hook.FORWARD, priority=0)
            if chain.hook
            else replace(chain, table="ip filter")
            for chain in ruleset.chains
        )
        ruleset = replace(ruleset, chains=chains)
    options = Options(deny=deny, fragments=fragments)
    adapted = said(ruleset, options)
    if adapted is not None:
        assert meaning(read(write(adapted, options), "t")) == meaning(adapted)
