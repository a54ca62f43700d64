"""Which supervisor this machine has."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.contract.programs import Program
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from appliance.supervisor.systemd import SystemdSupervisor, systemd_runs

__all__ = ["supervisor_of_this_machine"]


def supervisor_of_this_machine(
    places: Places, programs: Mapping[str, Program] | None = None
) -> SystemdSupervisor | OwnSupervisor:
    """systemd's where it is process 1, else our own. Raises SupervisionFailed."""
    return SystemdSupervisor(places, programs) if systemd_runs() else OwnSupervisor(places, programs)
