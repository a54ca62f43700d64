"""Writes nftables rulesets: one file that replaces its tables as a whole, in one transaction.

``table X`` / ``delete table X`` / ``table X { … }`` loads again and again with
the same outcome (nft(8)). Every rule of the tree is one rule of the text; use
:func:`compiler.dialects.nftables.adapt.adapt` first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from compiler.addresses import AddressSet
from compiler.dialects.nftables import facts, phrases
from compiler.errors import UsageError
from compiler.fields import ICMP, Family
from compiler.policy.match import Match
from compiler.policy.ruleset import Chain, NamedSet, Rule, Ruleset, Verdict
from compiler.rendering import render

__all__ = ["write", "write_counted"]

_PORT_WORDS = {6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udplite"}
_MOST_PER_LINE = 8


def write(ruleset: Ruleset) -> str:
    """The text for ``nft -f``. Raises UsageError for a rule that is not one rule of nft."""
    return _written(ruleset, counted=False)


def write_counted(ruleset: Ruleset) -> str:
    """As :func:`write`; each rule counts its packets, and its comment begins with the place that it came from."""
    return _written(ruleset, counted=True)


def _written(ruleset: Ruleset, *, counted: bool) -> str:
    tables = []
    for table in dict.fromkeys(chain.table for chain in ruleset.chains):
        family = table.partition(" ")[0]
        if family not in facts.FAMILIES:
            raise UsageError(f"the table {table!r}: expected a name like 'ip gerbang'")
        blocks = ["\n".join(_set_block(one)) for one in ruleset.sets if one.table == table]
        blocks += ["\n".join(_chain_block(chain, family, counted)) for chain in ruleset.chains if chain.table == table]
        tables.append({"name": table, "blocks": blocks})
    return render("nftables/ruleset.nft.j2", header=ruleset.header, tables=tables).lstrip("\n")


def _set_block(one: NamedSet) -> Iterator[str]:
    yield f"\tset {one.name} {{"
    yield f"\t\ttype {'ipv4_addr' if one.addresses.width == 32 else 'ipv6_addr'}"
    yield "\t\tflags interval"
    if one.comment:
        yield f'\t\tcomment "{clean(one.comment, facts.COMMENT_BYTES)}"'
    elements = [phrases.address_range(low, high, one.addresses.width) for low, high in one.addresses.ranges]
    parts = [", ".join(elements[start : start + _MOST_PER_LINE]) for start in range(0, len(elements), _MOST_PER_LINE)]
    yield "\t\telements = { " + ",\n\t\t\t     ".join(parts) + " }"
    yield "\t}"


def _chain_block(chain: Chain, family: str, counted: bool) -> Iterator[str]:
    yield f"\tchain {chain.name} {{"
    if chain.comment:
        yield f'\t\tcomment "{clean(chain.comment, facts.COMMENT_BYTES)}"'
    if chain.hook is not None:
        policy = "drop" if chain.policy is Verdict.DROP else "accept"
        yield f"\t\ttype filter hook {chain.hook.value} priority {chain.priority}; policy {policy};"
    for rule in chain.rules:
        if not rule.disabled:
            yield from _rule(_placed(rule) if counted else rule, family, " counter" if counted else "")
    yield "\t}"


def _placed(rule: Rule) -> Rule:
    """The rule with the place of its line before its comment."""
    if not rule.span.line or rule.verdict is Verdict.CONTINUE:
        return rule
    place = f"{rule.span.source}:{rule.span.line}"
    return replace(rule, comment=f"{place} {rule.comment}" if rule.comment else place)


def _rule(rule: Rule, family: str, counter: str = "") -> Iterator[str]:
    match = rule.match
    if rule.unmodelled:
        raise UsageError(f"{rule.span}: a rule with {rule.unmodelled[0].text!r} cannot be written")
    parts = _conditions(match, family, rule.source_set, rule.destination_set)
    tail = ""
    if rule.log is not None:
        tail = f' log prefix "{clean(rule.log, facts.LOG_PREFIX_BYTES)}"' if rule.log else " log"
    verdict = _verdict(rule)
    if verdict:
        tail = f"{tail} {verdict}"
    tail = f"{counter}{tail}"
    if rule.comment:
        comment = clean(rule.comment, facts.COMMENT_BYTES)
        if comment != rule.comment:  # the whole remark, where nft has no room for it
            yield "\t\t# " + " ".join(rule.comment.split())
        tail = f'{tail} comment "{comment}"'
    for part in parts:
        text = f"{part}{tail}" if part else tail[1:]
        yield f"\t\t{text or 'continue'}"


def _verdict(rule: Rule) -> str:
    if rule.verdict is Verdict.REJECT:
        return f"reject with {_answer(rule.answer)}" if rule.answer else "reject"
    if rule.verdict is Verdict.CONTINUE:
        # A rule needs a statement; a comment alone is none.
        return "continue" if rule.comment and rule.log is None else ""
    return f"{rule.verdict.value} {rule.target}" if rule.target else rule.verdict.value


def _answer(answer: str) -> str:
    family, _, code = answer.partition(" ")
    return answer if family == "tcp" else f"{family} type {code}"


@lru_cache(maxsize=65536)
def clean(text: str, most: int) -> str:
    """Text that fits between quotes of nft: one line, no quotes, at most ``most`` bytes."""
    line = " ".join(text.replace('"', "'").replace("\\", "/").split()) if not _is_clean(text) else text
    encoded = line.encode()
    return line if len(encoded) <= most else encoded[:most].decode(errors="ignore")


def _is_clean(text: str) -> bool:
    return '"' not in text and "\\" not in text and text.isprintable()


def _conditions(match: Match, family: str, source_set: str, destination_set: str) -> tuple[str, ...]:
    """The left side of a rule; two of them where only two rules of nft say it."""
    _, source, destination = match[:3]
    parts = []
    if match.ingress is not None:
        parts.append(phrases.interfaces("iifname", match.ingress))
    if match.egress is not None:
        parts.append(phrases.interfaces("oifname", match.egress))
    if source is not None:
        parts.append(f"{_word(source)} saddr {'@' + source_set if source_set else phrases.addresses(source)}")
    if destination is not None:
        value = "@" + destination_set if destination_set else phrases.addresses(destination)
        parts.append(f"{_word(destination)} daddr {value}")
    # The rest recurs in long lists, so it is made once.
    text, doubled = _rest(Match._make((match[0], None, None, *match[3:14], None, None)), family)
    if family == "inet" and match.family is not None and source is None and destination is None:
        parts.append(f"meta nfproto ipv{match.family.value}")
    if text:
        parts.append(text)
    if doubled:
        return tuple(" ".join([*parts, header]) for header in ("exthdr frag missing", "frag frag-off 0"))
    return (" ".join(parts),)


def _word(addresses: AddressSet) -> str:
    return "ip" if addresses.width == 32 else "ip6"


@lru_cache(maxsize=65536)
def _rest(match: Match, family: str) -> tuple[str, bool]:
    """All but interfaces and addresses; whether the fragment header must be asked for in two rules."""
    word = family
    if family == "inet":
        word = "ip6" if match.family is Family.IPV6 else "ip"
    parts = _layer4(match)
    if match.traffic_class is not None:
        parts.append(phrases.traffic_class(match.traffic_class, word))
    if match.ttl is not None:
        parts.append(f"{'ip ttl' if word == 'ip' else 'ip6 hoplimit'} {phrases.numbers(match.ttl)}")
    doubled = False
    # A condition on layer 4 misses non-initial fragments by itself.
    if match.noninitial is not None and not match.looks_at_layer4:
        if word == "ip":
            parts.append(f"ip frag-off & 0x1fff {'!=' if match.noninitial else '=='} 0")
        elif match.noninitial:
            parts.append("frag frag-off != 0")
        else:
            doubled = True
    return " ".join(parts), doubled


def _layer4(match: Match) -> list[str]:
    """Protocol, ports, flags, type and code."""
    protocol = match.protocol
    if protocol is None:
        return []
    number = protocol.single()
    if not match.looks_at_layer4:
        return [f"meta l4proto {phrases.numbers(protocol)}"]
    if match.icmp_type is not None or match.icmp_code is not None:
        word = "icmp" if number == ICMP else "icmpv6"
        named = (("type", match.icmp_type), ("code", match.icmp_code))
    else:
        named = (("sport", match.source_port), ("dport", match.destination_port))
        word = _PORT_WORDS.get(-1 if number is None else number, "th")
    parts = [f"meta l4proto {phrases.numbers(protocol)}"] if word == "th" else []
    parts += [f"{word} {name} {phrases.numbers(value)}" for name, value in named if value is not None]
    if match.tcp_flags is not None:
        parts.append(f"tcp flags {phrases.flags(match.tcp_flags)}")
    return parts
