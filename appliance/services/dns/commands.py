"""What hostmasters do: zones and records, what is wrong with them, what is served, and questions to the servers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from appliance.contract.commands import query
from appliance.contract.components import Component
from appliance.contract.context import Context
from appliance.contract.listings import Listing, Order
from appliance.contract.refusals import RuleBroken
from appliance.services.dns.entries import records_add, records_change, records_get, records_remove
from appliance.services.dns.model import HOSTMASTERS, Answered, AnswerLine, Asked, EntryRow, ProblemLine, ServedLine
from appliance.services.dns.setting_up import BEFORE, export_zone, import_zone, set_up, set_up_reverse
from appliance.services.dns.tables import RECORDS

__all__ = [
    "BEFORE",
    "LISTINGS",
    "ask",
    "check",
    "export_zone",
    "import_zone",
    "records_add",
    "records_change",
    "records_get",
    "records_remove",
    "served",
    "set_up",
    "set_up_reverse",
]

LISTINGS = (
    Listing(
        name="records",
        row=EntryRow,
        see=HOSTMASTERS,
        key="number",
        order=(Order(column="zone"), Order(column="owner"), Order(column="type")),
        select=lambda _asking: select(RECORDS),
    ),
)


def _components(context: Context) -> Sequence[Component]:
    """What all services declare; nothing where there is no appliance behind the store."""
    return () if context.appliance is None else context.appliance.components(context.connection)


@query(*HOSTMASTERS)
def check(context: Context) -> tuple[ProblemLine, ...]:
    """Look at all zones as they would be served, with the records that other services declare."""
    from appliance.components.agreements import DnsRecords
    from appliance.contract.components import Severity
    from appliance.services.dns.components import NSD

    # The store may be empty, and a zone without anybody's wish is right too.
    components = {one.name: one for one in _components(context)} or {one.name: one for one in _own(context)}
    looked_at = (one for one in components.values() if one.name == NSD or isinstance(one, DnsRecords))
    found = [finding for one in looked_at for finding in one.verify(components)]
    lines = [
        ProblemLine(
            severity=one.severity.value,
            place=(one.place or one.component)[:200],
            text=one.template.format_map(dict(one.values))[:4000],
        )
        for one in found
    ]
    return tuple(sorted(lines, key=lambda one: one.severity != Severity.ERROR.value))


def _own(context: Context) -> Sequence[Component]:
    from appliance.services.dns.components import completing

    return completing(context.connection, ())


@query(*HOSTMASTERS)
def served(context: Context) -> tuple[ServedLine, ...]:
    """Show all records as they would be served, and who declares those that are not kept here."""
    from appliance.services.dns.components import served as all_served

    return tuple(
        ServedLine(zone=zone.zone.name, name=one.name, type=one.type, value=one.value, ttl=one.ttl, by=one.declared_by)
        for zone in all_served(context.connection, _components(context)).zones
        for one in zone.records
    )


@query(*HOSTMASTERS)
def ask(context: Context, asked: Asked) -> Answered:
    """Ask the appliance's name server or its resolver for a name."""
    from appliance.services.dns import asking
    from appliance.services.dns.probes import AUTHORITATIVE, RESOLVER

    server, port = AUTHORITATIVE if asked.server == "authoritative" else RESOLVER
    if asked.type == "AXFR":
        return Answered(code=asking.transfer_of(asked.name, server, port)[:200], lines=())
    try:
        said = asking.ask(asked.name, asked.type, server, port, recurse=asked.server == "resolver")
    except ValueError as error:
        raise RuleBroken("{reason}", field="name", reason=str(error)) from None
    head = AnswerLine(section="status", text=said.code[:4000])
    lines = [AnswerLine(section="answer", text=one[:4000]) for one in said.records]
    lines += [AnswerLine(section="authority", text=one[:4000]) for one in said.authority]
    return Answered(code=said.code[:200], authoritative=said.authoritative, lines=(head, *lines))
