"""The tree of a RouterOS firewall -> a script that puts it on a router.

The script is staged so that no moment of the load admits a packet that neither
the old nor the new configuration admits:

1. a hold (``drop``) is added behind each base chain that the new lists are bound in;
2. what an earlier script of Gerbang left is removed, found by its comment;
3. address lists and chains are added: nothing jumps to them yet;
4. the base chains' rules are added, behind the holds;
5. the holds are removed, and the new rules decide.

After step 1 the old rules still decide first. From step 2 to 4 whatever comes
back from them, or passes the base chain without them, meets a hold on the
interfaces that the new configuration is bound to; on others the new one
admits everything.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.dialects.routeros.facts import ADDRESS_LISTS, RULE_MENUS
from compiler.dialects.routeros.quoting import quote
from compiler.dialects.routeros.wording import NotOneRule, address_entry, interface_words, rule_words
from compiler.errors import CannotSay, Refusal
from compiler.fields import Family
from compiler.lowering.options import Fragments, Options
from compiler.policy.match import ANY
from compiler.policy.ruleset import Chain, NamedSet, Rule, Ruleset
from compiler.rendering import render

__all__ = ["HOLD", "OWNER", "write"]

OWNER = "gerbang:"
"""What the comment of every row that Gerbang owns begins with."""

HOLD = "hold while gerbang loads"
"""The comment of the holds."""

_FAMILIES = {family: " ".join(path) for path, family in ADDRESS_LISTS.items()}


def write(ruleset: Ruleset, options: Options | None = None) -> str:
    """The script. Raises CannotSay for rules that did not come through ``adapt``.

    For RouterOS 6 the menus of IPv6 are named only when the ruleset uses
    them: there they belong to a package that may be missing.
    """
    options = options or Options()
    by_table = {
        (path, family): [chain for chain in ruleset.chains if chain.table == table]
        for path, (table, family) in RULE_MENUS.items()
    }
    families = [Family.IPV4]
    used = any(chains for (_, family), chains in by_table.items() if family is Family.IPV6)
    if options.routeros >= 7 or used or any(named.family is Family.IPV6 for named in ruleset.sets):
        families.append(Family.IPV6)
    menus = [
        {
            "path": " ".join(path),
            "holds": [line for chain in chains for line in _holds(chain)],
            "chains": [line for chain in chains if chain.hook is None for line in _rules(chain, family)],
            "bases": [line for chain in chains if chain.hook is not None for line in _rules(chain, family)],
        }
        for (path, family), chains in by_table.items()
        if family in families
    ]
    address_lists = [
        {
            "path": _FAMILIES[family],
            "entries": [line for named in ruleset.sets if named.family is family for line in _entries(named)],
        }
        for family in families
    ]
    # Left on auto, connection tracking would begin with the first filter rule, and reassemble.
    filters = any(chain.table.endswith("filter") for chain in ruleset.chains)
    return render(
        "routeros/load.rsc.j2",
        header=[_comment(line) for line in ruleset.header],
        menus=menus,
        address_lists=address_lists,
        untracked=filters and options.fragments is Fragments.UNTRACKED,
        owner=OWNER,
        hold=HOLD,
    )


def _comment(line: str) -> str:
    return "".join(character if character.isprintable() else " " for character in line)


def _holds(chain: Chain) -> Iterator[str]:
    """Drops for all that the base chain's rules may look at."""
    if chain.hook is None:
        return
    wanted = dict.fromkeys((rule.match.ingress, rule.match.egress) for rule in chain.rules if not rule.disabled)
    if (None, None) in wanted:
        wanted = {(None, None): None}
    for ingress, egress in wanted:
        words = interface_words(ANY._replace(ingress=ingress, egress=egress))
        yield f"add chain={quote(chain.name)} action=drop{words} comment={quote(HOLD)}"


def _owned(comment: str) -> str:
    """The comment of a row of ours; a comment that already names the owner stays."""
    if not comment:
        return f'"{OWNER}"'
    return quote(comment if comment.startswith(OWNER) else f"{OWNER} {comment}")


def _entries(named: NamedSet) -> Iterator[str]:
    head, tail = f"add list={quote(named.name)} address=", f" comment={_owned(named.comment)}"
    addresses = named.addresses
    if named.family is Family.IPV4:
        runs: Iterator[tuple[int, int]] = iter(addresses.runs())
    else:  # ranges are for IPv4 only
        runs = ((prefix.value, prefix.value | prefix.mask) for prefix in addresses.prefixes())
    for low, high in runs:
        yield f"{head}{address_entry(low, high, addresses.width)}{tail}"


def _rules(chain: Chain, family: Family) -> Iterator[str]:
    head = f"add chain={quote(chain.name)}"
    for rule in chain.rules:
        yield f"{head}{_words(rule, family)} comment={_owned(rule.comment)}"


def _words(rule: Rule, family: Family) -> str:
    try:
        return rule_words(rule, family)
    except NotOneRule as reason:
        raise CannotSay("RouterOS", (Refusal(rule.comment or "a rule", str(reason), rule.span),)) from None
