"""What names are of the machine: NSD with the zones, and Unbound, the resolver.

NSD answers for the zones at 127.0.0.1 port 5300, and publicly where the
settings say so. Unbound asks it for them, and the Internet for everything else.
Both are made by ``completing``, since the zones hold what other services
declare (``DnsRecords``) beside the records of the table.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.components.agreements import Declared, DnsRecord, DnsRecords, dns_record
from appliance.components.config_files import ConfigFile
from appliance.components.daemon import Daemon
from appliance.components.finding import error
from appliance.components.own_addresses import addresses_elsewhere
from appliance.components.probing import until_well
from appliance.contract.components import Component, Finding, Machine, RenderedFile
from appliance.contract.programs import RUN, STATE, Program, Ready, State
from appliance.language import _
from appliance.services.dns.content import Broken, Served, ServedZone, Wanted, with_declared
from appliance.services.dns.described import described, settings_now
from appliance.services.dns.model import Settings
from appliance.services.dns.probes import probe_resolver, wrong_answers
from appliance.services.dns.rules import problems
from appliance.services.dns.versions import UNBOUND_SERIES, nsd_series
from appliance.services.dns.zone_text import write_zone

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = [
    "DISPLACED",
    "KINDS",
    "NSD",
    "PACKAGES",
    "PROGRAMS",
    "UNBOUND",
    "NameServer",
    "completing",
    "served",
    "wanted_by",
]

NSD, UNBOUND = "dns.nsd", "dns.unbound"
PACKAGES = ("nsd", "unbound", "bind9-utils")
DISPLACED = ("nsd.service", "unbound.service")
"""With which Debian would start the same daemons at the next boot."""
_OURS = (sys.executable, "-I", "-m")

_NSD = Program(
    name=NSD,
    # As root, as NSD is made to start: it binds, and drops its rights to the user nsd before it answers anybody.
    command=(*_OURS, f"{__package__}.serving", "start", "{files}", "{state}"),
    check=(*_OURS, f"{__package__}.checking", "{files}"),
    reload=(*_OURS, f"{__package__}.serving", "reload", "{files}", "{state}"),
    readers="nsd",
    passable=True,
    ready=Ready(tcp=("127.0.0.1", 5300)),
)
_UNBOUND = Program(
    name=UNBOUND,
    command=("/usr/sbin/unbound", "-d", "-p", "-c", "{files}/unbound.conf"),
    user="unbound",
    check=("/usr/sbin/unbound-checkconf", "{files}/unbound.conf"),
    # It opens its addresses once; its configuration says which zones there are, and changes seldom.
    reload="restart",
    capabilities=("CAP_NET_BIND_SERVICE",),
    ready=Ready(tcp=("127.0.0.1", 53)),
)
PROGRAMS = (_NSD, _UNBOUND)


@dataclass(frozen=True, kw_only=True)
class NameServer:
    """NSD with its zones."""

    zones: tuple[ServedZone, ...]
    settings: Settings
    series: str
    provides: tuple[Declared, ...] = ()
    broken: tuple[Broken, ...] = ()

    @property
    def name(self) -> str:
        """``dns.nsd``."""
        return NSD

    @property
    def requires(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    @property
    def program(self) -> Program:
        """NSD."""
        return _NSD

    @property
    def _daemon(self) -> Daemon:
        public = self.settings.public_addresses
        values = {
            "series": self.series,
            "state": str(STATE / NSD),
            "run": str(RUN / NSD),
            "zones": [one.zone.name for one in self.zones],
            "public_addresses": list(public),
            "transfer_partners": list(self.settings.transfer_partners),
            "answers_per_second": self.settings.answers_per_second,
        }
        template = f"dns/nsd-{self.series}/nsd.conf.j2"
        return Daemon(program=_NSD, files=(ConfigFile(template=template, path="nsd.conf"),), values=values)

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """What is wrong with the zones, and with what others declare in them."""
        found = [
            Finding(component=NSD, severity=severity, template=template, values=values, place=place)
            for place, severity, template, values in problems(self.zones)
        ]
        found += [
            error(
                one.wanted.component,
                _("a record of the type {type} cannot be this: {reason}"),
                f"dns.records/{one.wanted.record.name} {one.wanted.record.type}",
                type=one.wanted.record.type,
                reason=one.reason,
            )
            for one in self.broken
        ]
        return (*self._daemon.verify(all_components), *found)

    def render(self) -> Sequence[RenderedFile]:
        """The configuration, and each zone with the least serial that it may have (``serials``)."""
        texts = (
            RenderedFile(path=f"zones/{one.zone.name}.zone", content=write_zone(one).encode(), mode=0o644)
            for one in self.zones
        )
        return (*self._daemon.render(), *texts)

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """The validators, a line each; then a shadow start."""
        if said := machine.check(NSD, files):
            return tuple(error(NSD, "{said}", said=line) for line in said.splitlines() if line.strip())
        if said := machine.shadow(NSD, files):
            return (error(NSD, _("it does not start on this configuration: {said}"), said=said),)
        return ()

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        """Start, reload or stop it. It opens its addresses once: for others it starts anew."""
        if before is None or after is None or _addresses(before) == _addresses(after):
            self._daemon.act(before, after, machine)
            return
        ran = [one.program for one in machine.status() if one.state is State.READY]
        machine.stop(NSD)
        self._daemon.act(before, after, machine)
        # Stopping it has stopped who requires it.
        stopped = {one.program for one in machine.status() if one.state is State.STOPPED}
        for name in ran:
            if name in stopped and (after.parent / name).is_dir():
                machine.start(name, after.parent / name)

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """Whether it runs, and answers what the zones say."""
        if found := self._daemon.probe(files, machine):
            return found
        return until_well((self._answers,), files, machine, 5.0)

    def _answers(self, files: Path, machine: Machine) -> Sequence[Finding]:
        return (
            *wrong_answers(NSD, self.zones, self.settings.transfer_partners),
            *addresses_elsewhere(NSD, "dns/public_addresses", self.settings.public_addresses),
        )


def _addresses(files: Path) -> list[str]:
    """Where it listens; nothing when nobody can say, so that it starts anew."""
    try:
        lines = (files / "nsd.conf").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return sorted(line.strip() for line in lines if line.strip().startswith("ip-address:"))


KINDS = (NameServer,)


def wanted_by(components: Sequence[Component]) -> tuple[Wanted, ...]:
    """The records that others declare."""
    return tuple(
        Wanted(component=one.name, record=record)
        for one in components
        if isinstance(one, DnsRecords)
        for record in one.records
    )


def served(connection: Connection, components: Sequence[Component]) -> Served:
    """The zones of the store, with what the components declare in them."""
    return with_declared(described(connection), wanted_by(components))


def completing(connection: Connection, components: Sequence[Component]) -> tuple[Component, ...]:
    """The name server when there are zones, and the resolver when there are zones or somebody has set it up."""
    found, settings = served(connection, components), settings_now(connection)
    if not found.zones:
        return () if settings == Settings() else (_resolver(settings, ()),)
    server = NameServer(
        zones=found.zones,
        settings=settings,
        series=nsd_series(),
        provides=_provided(found),
        broken=found.broken,
    )
    return server, _resolver(settings, tuple(one.zone.name for one in found.zones))


def _provided(found: Served) -> tuple[Declared, ...]:
    """All that is served, and once more each declared record in the spelling of who declared it."""
    own = (
        DnsRecord(name=one.name, type=one.type, value=one.value)
        for zone in found.zones
        for one in zone.records
        if not one.declared_by
    )
    return tuple(dict.fromkeys(dns_record(one) for one in (*own, *found.fulfilled)))


def _resolver(settings: Settings, zones: tuple[str, ...]) -> Daemon:
    return Daemon(
        program=_UNBOUND,
        files=(
            ConfigFile(template=f"dns/unbound-{UNBOUND_SERIES}/unbound.conf.j2", path="unbound.conf"),
            ConfigFile(template="dns/probe.json.j2", path="probe.json", mode=0o644),
        ),
        values={
            "run": str(RUN / UNBOUND),
            "addresses": list(settings.addresses),
            "networks": list(settings.networks),
            "forwarders": list(settings.forwarders),
            "validate_answers": settings.validate_answers,
            "asks_per_second": settings.asks_per_second,
            "zones": list(zones),
        },
        after=(NSD,) if zones else (),
        probes=(probe_resolver,),
        probe_within=10.0,
    )
