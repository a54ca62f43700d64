"""What the network is of the machine: one component, and the programs that check and watch it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from appliance.contract.components import Component, Finding, Machine, RenderedFile, Severity
from appliance.contract.programs import Program, Ready
from appliance.contract.refusals import RuleBroken
from appliance.services.network.balancing import BalanceOutcome, compile_intent
from appliance.services.network.filtering import Filter, compile_filter
from appliance.services.network.lockout import lockouts
from appliance.services.network.model import NetworkDescription
from appliance.services.network.plan import plan_of, write_plan
from appliance.services.network.rules import Problem, problems

__all__ = ["CHECK", "PROGRAMS", "STANDING", "WATCH", "NetworkComponent"]

CHECK, STANDING, WATCH = "network.check", "network.standing", "network.watch"
_CHECKING = (sys.executable, "-m", "appliance.services.network.checking")

PROGRAMS = (
    # These two end by themselves: they are only ever asked to check.
    Program(name=CHECK, command=(*_CHECKING, "files", "{files}"), check=(*_CHECKING, "files", "{files}")),
    Program(name=STANDING, command=(*_CHECKING, "standing", "{files}"), check=(*_CHECKING, "standing", "{files}")),
    Program(
        name=WATCH,
        command=(sys.executable, "-m", "compiler", "balance", "watch", "{files}/balance.yaml", "--format", "json"),
        ready=Ready(settle=1.0),
        reload="HUP",
        capabilities=("CAP_NET_ADMIN", "CAP_NET_RAW"),
        writable=("/run/gerbang",),
    ),
)


@lru_cache(maxsize=4)
def _compiled(whole: NetworkDescription) -> tuple[Filter, BalanceOutcome, tuple[Problem, ...]]:
    """Compiled once for verify and render. What is wrong in the records hides what would follow from it."""
    found = list(problems(whole))
    if any(one.severity is Severity.ERROR for one in found):
        return Filter("", None, ()), BalanceOutcome(None, ()), tuple(found)
    filtered, balanced = compile_filter(whole), compile_intent(whole)
    found += [*filtered.problems, *balanced.problems, *_fragments(whole, filtered), *lockouts(whole, filtered.text)]
    return filtered, balanced, tuple(found)


def _fragments(whole: NetworkDescription, filtered: Filter) -> Iterator[Problem]:
    """Whether the promise about fragments can hold: the balance tracks connections, nothing else of ours does."""
    promise = whole.settings.fragments
    if not filtered.text or promise == "exact":
        return
    place = "network.settings/fragments"
    if promise == "untracked" and whole.settings.balance:
        text = "the balance tracks connections, so fragments are put together: 'untracked' cannot hold"
        yield Problem(place, Severity.ERROR, text, {})
    if promise == "reassembled" and not whole.settings.balance:
        text = "nothing here tracks connections, so nothing puts fragments together: 'untracked' would hold"
        yield Problem(place, Severity.WARNING, text, {})


@dataclass(frozen=True, slots=True)
class NetworkComponent:
    """Addresses, routes, filter and balance, as one: they are applied together and taken back together."""

    description: NetworkDescription

    @property
    def name(self) -> str:
        """``network``."""
        return "network"

    @property
    def requires(self) -> tuple[str, ...]:
        """Nothing: it is what others require."""
        return ()

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """The rules, the proof of the filter, the balance, and whether it locks out who looks after the appliance."""
        return tuple(
            Finding(component=self.name, severity=severity, template=template, values=values, place=place)
            for place, severity, template, values in _compiled(self.description)[2]
        )

    def render(self) -> Sequence[RenderedFile]:
        """The plan for netlink, the filter for nft, and the balance. RuleBroken for what does not verify."""
        filtered, balanced, found = _compiled(self.description)
        for one in found:
            if one.severity is Severity.ERROR:
                raise RuleBroken("{place}: {what}", place=one.place, what=one.template.format_map(one.values))
        files = [RenderedFile(path="plan.json", content=write_plan(plan_of(self.description)))]
        if filtered.text:
            files.append(RenderedFile(path="filter.nft", content=filtered.text.encode()))
        if balanced.done is not None:
            secret = any(one.password for one in balanced.done.plan.balance.uplinks)
            text = self.description.settings.balance
            files.append(RenderedFile(path="balance.yaml", content=f"{text}\n".encode(), secret=secret))
            # The helper compiles the intent itself; these are for the reader of a difference.
            files += [
                RenderedFile(path=f"balance{suffix or '.nft'}", content=written.encode())
                for suffix, written in balanced.done.files
            ]
        return tuple(files)

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """The helper's own reading of the files, and nft's, in a namespace where no packet goes."""
        return self._said(machine.check(CHECK, files))

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        """Change the kernel; it changes itself back unless it is confirmed in time."""
        machine.apply_network(before, after, self.description.settings.confirm_within)

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """Whether addresses, routes and rulesets, read back from the kernel, are what the files say."""
        return self._said(machine.check(STANDING, files))

    def _said(self, text: str) -> tuple[Finding, ...]:
        """A finding for each line."""
        return tuple(
            Finding(component=self.name, severity=Severity.ERROR, template="{what}", values={"what": line})
            for line in text.splitlines()
            if line.strip()
        )
