"""What the network is of the machine: one component, and the programs that check and watch it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.contract.components import Component, Finding, Machine, RenderedFile, Severity
from appliance.contract.programs import Program, Ready, State
from appliance.contract.refusals import RuleBroken
from appliance.services.network.balancing import BalanceOutcome, compile_intent
from appliance.services.network.describing import described
from appliance.services.network.filtering import Filter, compile_filter
from appliance.services.network.lockout import lockouts
from appliance.services.network.model import NetworkDescription
from appliance.services.network.plan import plan_of, write_plan
from appliance.services.network.rules import Problem, problems
from compiler.deploy.linux.records import FOLDER

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["CHECK", "KINDS", "PROGRAMS", "STANDING", "WATCH", "NetworkComponent", "NetworkWatch", "components"]

CHECK, STANDING, WATCH = "network.check", "network.standing", "network.watch"
_CHECKING = (sys.executable, "-m", "appliance.services.network.checking")

_TRYING = ("CAP_NET_ADMIN", "CAP_SYS_ADMIN")
"""nftables answers nobody else, not even who only lists (nfnetlink_rcv in net/netfilter/nfnetlink.c); and rules are
tried in a network namespace that the check makes for it (unshare(2))."""

PROGRAMS = (
    # These two end by themselves: they are only ever asked to check.
    Program(
        name=CHECK,
        command=(*_CHECKING, "files", "{files}"),
        check=(*_CHECKING, "files", "{files}"),
        capabilities=_TRYING,
    ),
    Program(
        name=STANDING,
        command=(*_CHECKING, "standing", "{files}"),
        check=(*_CHECKING, "standing", "{files}"),
        capabilities=_TRYING,
    ),
    Program(
        name=WATCH,
        command=(sys.executable, "-m", "compiler", "balance", "watch", "{files}/balance.yaml", "--format", "json"),
        ready=Ready(settle=1.0),
        reload="HUP",
        capabilities=("CAP_NET_ADMIN", "CAP_NET_RAW"),
        writable=(str(FOLDER),),
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
        """Change the kernel, for good."""
        machine.apply_network(before, after, 0)

    def act_guarded(self, before: Path | None, after: Path | None, machine: Machine, within: int) -> None:
        """Change the kernel; it changes itself back unless it is confirmed within so many seconds."""
        machine.apply_network(before, after, within)

    def confirm(self, files: Path, machine: Machine) -> None:
        """Keep the change. Raises RuntimeError when it has been taken back already."""
        if json.loads(machine.network_status())["waiting"]:
            machine.confirm_network()
        if said := machine.check(STANDING, files):
            raise RuntimeError(said)

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


@dataclass(frozen=True, slots=True)
class NetworkWatch:
    """The daemon that watches the uplinks of the balance and takes dead ones out."""

    balance: str
    """The intent, so that another one makes it act."""

    @property
    def name(self) -> str:
        """The program's name."""
        return WATCH

    @property
    def requires(self) -> tuple[str, ...]:
        """The routes that it changes."""
        return ("network",)

    @property
    def follows(self) -> tuple[str, ...]:
        """It reads the intent anew when the network has changed."""
        return ("network",)

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """The network verifies the intent."""
        return ()

    def render(self) -> Sequence[RenderedFile]:
        """The intent, its own copy."""
        return (RenderedFile(path="balance.yaml", content=f"{self.balance}\n".encode(), secret=True),)

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """The network's preflight has compiled it."""
        return ()

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        """Start, reload or stop it."""
        if after is None:
            machine.stop(WATCH)
        else:
            machine.start(WATCH, after)

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """Whether it runs."""
        if any(one.program == WATCH and one.state is State.READY for one in machine.status()):
            return ()
        return (Finding(component=WATCH, severity=Severity.ERROR, template="it is not running"),)


KINDS = (NetworkComponent, NetworkWatch)


def components(connection: Connection) -> tuple[Component, ...]:
    """The network as it is described now; nothing while nobody has described any of it."""
    whole = described(connection)
    if whole is None:
        return ()
    if not whole.settings.balance:
        return (NetworkComponent(whole),)
    return (NetworkComponent(whole), NetworkWatch(whole.settings.balance))
