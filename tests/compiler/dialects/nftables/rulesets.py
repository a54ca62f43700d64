"""Strategies and helpers for rulesets that nft can hold; shared by the tests of this folder."""

from __future__ import annotations

import re
import subprocess

from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.fields import Family
from compiler.integers import IntegerSet, full
from compiler.policy.match import InterfaceSet, Match, layer4
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict

WIDTHS = {"protocol": 8, "source_port": 16, "destination_port": 16, "icmp_type": 8, "icmp_code": 8, "ttl": 8}


def integer_sets(width: int) -> st.SearchStrategy[IntegerSet]:
    """Non-empty, not full."""
    top = (1 << width) - 1
    edges = st.sampled_from([0, 1, top - 1, top]) | st.integers(0, top)
    return (
        st.lists(st.tuples(edges, edges).map(lambda pair: (min(pair), max(pair))), min_size=1, max_size=4)
        .map(IntegerSet.of)
        .filter(lambda value: value != full(width))
    )


def address_sets(width: int) -> st.SearchStrategy[AddressSet]:
    """Prefixes, hosts, ranges, odd masks, and mixtures."""
    top = (1 << width) - 1
    numbers = st.integers(0, top) | st.sampled_from([0, top])
    prefixes = st.builds(lambda value, length: Wildcard.prefix(value, length, width), numbers, st.integers(1, width))
    odd = st.builds(lambda value, mask: Wildcard.of(value, mask, width), numbers, numbers)
    ranges = st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair)))
    return (
        st.builds(
            lambda pairs, wildcards: AddressSet.of(width, pairs, wildcards),
            st.lists(ranges, max_size=3),
            st.lists(prefixes | odd, max_size=2),
        )
        .filter(lambda value: not value.is_empty and not value.is_any)
        .filter(lambda value: all(wildcard.mask != top for wildcard in value.wildcards))
    )


names = st.sampled_from(["eth0", "eth1", "wan", "lan.10", "ppp*"])
interface_sets = st.builds(InterfaceSet, st.frozensets(names, min_size=1, max_size=3), st.booleans())


@st.composite
def matches(draw: st.DrawFn, family: Family) -> Match:
    """A match that some packet of the family may satisfy, under the law of carried fields."""
    fields: dict[str, object] = {}
    for name in ("source", "destination"):
        if draw(st.booleans()):
            fields[name] = draw(address_sets(family.width))
    if draw(st.booleans()):
        fields["ttl"] = draw(integer_sets(8))
    if draw(st.booleans()):
        whole = draw(integer_sets(6)).intervals
        dscp = IntegerSet.of((low << 2, high << 2 | 3) for low, high in whole)
        fields["traffic_class"] = draw(st.just(dscp) | integer_sets(8))
    for name in ("ingress", "egress"):
        if draw(st.integers(0, 3)) == 0:
            fields[name] = draw(interface_sets)
    kind = draw(st.sampled_from(["any", "protocol", "fragment", "ports", "tcp", "icmp"]))
    if kind == "protocol":
        fields["protocol"] = draw(integer_sets(8))
        fields["noninitial"] = draw(st.sampled_from([None, True]))
    elif kind == "fragment":
        fields["noninitial"] = draw(st.booleans())
    elif kind == "ports":
        protocols = draw(st.sampled_from([(6,), (17,), (132,), (6, 17), (6, 17, 33, 132, 136)]))
        fields["protocol"] = IntegerSet.values(*protocols)
        fields[draw(st.sampled_from(["source_port", "destination_port"]))] = draw(integer_sets(16))
    elif kind == "tcp":
        fields["tcp_flags"] = draw(integer_sets(8))
        if draw(st.booleans()):
            fields["destination_port"] = draw(integer_sets(16))
    elif kind == "icmp":
        fields["protocol"] = IntegerSet.values(draw(st.sampled_from([1, 58])))
        fields["icmp_type"] = draw(integer_sets(8))
        if draw(st.booleans()):
            fields["icmp_code"] = draw(integer_sets(8))
    return layer4(Match(**fields))  # type: ignore[arg-type]


comments = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='"\\'), max_size=30)


def rules(family: Family, targets: tuple[str, ...] = ()) -> st.SearchStrategy[Rule]:
    """Rules with and without logs, comments and answers."""
    verdicts = [(one, "") for one in (Verdict.ACCEPT, Verdict.DROP, Verdict.RETURN, Verdict.REJECT, Verdict.CONTINUE)]
    verdicts += [(one, target) for one in (Verdict.JUMP, Verdict.GOTO) for target in targets]
    return st.builds(
        lambda match, verdict, log, comment: Rule(match, *verdict, log=log, comment=comment),
        matches(family),
        st.sampled_from(verdicts),
        st.none() | st.sampled_from(["", "acl-101 deny "]),
        comments,
    )


@st.composite
def rulesets(draw: st.DrawFn, family: Family | None = None) -> Ruleset:
    """A called chain and two base chains in ``ip gerbang`` or ``ip6 gerbang``."""
    one = family or draw(st.sampled_from(list(Family)))
    table = "ip gerbang" if one is Family.IPV4 else "ip6 gerbang"
    families = frozenset({one})
    chains = (
        Chain(table, "acl-101", tuple(draw(st.lists(rules(one), max_size=6))), families),
        Chain(
            table,
            "early",
            tuple(draw(st.lists(rules(one, ("acl-101",)), max_size=4))),
            families,
            Hook.PREROUTING,
            draw(st.sampled_from([-450, -300, 0, 7])),
            draw(st.sampled_from([Verdict.ACCEPT, Verdict.DROP])),
        ),
        Chain(table, "forward", (), families, Hook.FORWARD),
    )
    return Ruleset("generated", "nftables", chains, header=("made by a test",))


def without_places(ruleset: Ruleset) -> object:
    """What two readings of one ruleset must agree in: all but spans, header and source."""
    chains = [
        (
            chain.key,
            chain.families,
            chain.hook,
            chain.priority,
            chain.policy,
            chain.sees_reassembled,
            chain.comment,
            [
                (
                    rule.match,
                    rule.verdict,
                    rule.target,
                    rule.log,
                    rule.answer,
                    rule.comment,
                    rule.source_set,
                    rule.destination_set,
                    [clause.text for clause in rule.unmodelled],
                )
                for rule in chain.rules
            ],
        )
        for chain in ruleset.chains
    ]
    sets = sorted((one.table, one.name, one.family, one.addresses, one.comment) for one in ruleset.sets)
    return chains, sets, [clause.text for clause in ruleset.features]


def nft(text: str, *arguments: str, times: int = 1) -> str:
    """What ``nft list ruleset`` prints after the text was loaded in a namespace of its own."""
    script = "; ".join(["set -e", *['nft -f /dev/fd/3 3<<<"$RULES"'] * times, "nft list ruleset"])
    done = subprocess.run(
        ("unshare", "-rn", "bash", "-c", script if not arguments else " ".join(arguments)),
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "RULES": text},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"nft refused: {done.stderr[:2000]}\n{text}")
    return done.stdout


def compiled(rule: str, family: str = "ip") -> str:
    """The netlink expressions of one rule."""
    text = f"table {family} t {{\nchain c {{\n{rule}\n}}\n}}\n"
    done = subprocess.run(
        ("unshare", "-rn", "nft", "-c", "--debug=netlink", "-f", "-"),
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(re.findall(r"\[ .* \]", done.stdout))


def code_number(name: str, family: str, protocol: str) -> int:
    """What the kernel is told of an ICMP code's name."""
    return int(re.findall(r"cmp eq reg 1 0x([0-9a-f]+)", compiled(f"{protocol} code {name} drop", family))[-1], 16)
