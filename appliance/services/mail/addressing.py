"""Who may write to an address: a group says it of itself, and of every alias that leads to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from appliance.services.mail.description import Alias, Group, Senders
from appliance.services.mail.names import local_of

__all__ = ["Guard", "circles", "guards"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """An address that not everybody may write to."""

    name: str
    """The local part."""
    logins: tuple[str, ...] | None
    """Who may; None: whoever has logged in."""


def guards(aliases: tuple[Alias, ...], groups: tuple[Group, ...], domain: str, postmaster: str) -> Iterator[Guard]:
    """One for each address from which a group is reached that does not take mail from anybody.

    Through an alias to two such groups, those may write who may write to both.
    """
    named = {group.name: group for group in groups}
    leads = {alias.name: _own(alias, domain) for alias in aliases}
    for name in sorted({*named, *leads}):
        reached = [named[one] for one in sorted(_reached(name, leads)) if one in named]
        narrow = [group for group in reached if group.senders is not Senders.ANYBODY]
        if not narrow:
            continue
        allowed = [_logins(group, postmaster) for group in narrow if group.senders is not Senders.ACCOUNTS]
        yield Guard(name=name, logins=tuple(sorted(frozenset.intersection(*allowed))) if allowed else None)


def circles(aliases: tuple[Alias, ...], domain: str) -> Iterator[str]:
    """Aliases that lead to themselves. One may name itself: then it is the mailbox of that name beside others."""
    leads = {alias.name: _own(alias, domain) - {alias.name} for alias in aliases}
    for name, targets in leads.items():
        if any(name in _reached(target, leads) for target in targets):
            yield name


def _own(alias: Alias, domain: str) -> frozenset[str]:
    return frozenset(local for target in alias.targets if (local := local_of(target, domain)) is not None)


def _reached(name: str, leads: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What a name leads to, itself among it."""
    reached, ahead = {name}, [name]
    while ahead:
        fresh = leads.get(ahead.pop(), frozenset()) - reached
        reached |= fresh
        ahead += sorted(fresh)
    return frozenset(reached)


def _logins(group: Group, postmaster: str) -> frozenset[str]:
    members = group.members if group.senders is Senders.MEMBERS else ()
    return frozenset((*members, postmaster))
