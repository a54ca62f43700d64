"""Looking at the network: what is wrong with its description, and how it stands."""

from __future__ import annotations

from pydantic import TypeAdapter

from appliance.contract.commands import query
from appliance.contract.context import Context
from appliance.contract.kinds import Line, Note
from appliance.contract.records import record
from appliance.services.network.describing import described
from appliance.services.network.reading import NetworkStatus

__all__ = ["ProblemLine", "check", "status"]


@record
class ProblemLine:
    """Something that is wrong, or worth a look."""

    severity: Line
    place: Line
    text: Note


@query("administrator", "observer")
def check(context: Context) -> tuple[ProblemLine, ...]:
    """Compile and prove the filter, and check addresses, routes, balance and the way in."""
    from appliance.services.network.components import NetworkComponent  # brings the compiler's analysis along

    whole = described(context.connection)
    if whole is None:
        return ()
    return tuple(
        ProblemLine(severity=one.severity.value, place=one.place, text=one.template.format_map(dict(one.values))[:4000])
        for one in NetworkComponent(whole).verify({})
    )


@query("administrator", "observer")
def status(context: Context) -> NetworkStatus:
    """Show interfaces, routes, uplinks, and what each line of a policy has counted."""
    told: NetworkStatus = TypeAdapter(NetworkStatus).validate_json(context.appliance.machine.network_status())
    return told
