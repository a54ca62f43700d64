"""Changes of a hospital's network, each in another phase of its life."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from appliance.contract.context import Context
from appliance.services.machine.project import ChangeSeen, NewChange, Phase, Step
from appliance.services.machine.projects import add_change, finish_change

__all__ = ["load"]

SWITCH = NewChange(
    title="Wireless clients of the wards behind the central switch",
    phase=Phase.OPERATE,
    description="Access points of wards 1 to 3 are joined to the central switch, each on a port of its own.",
    reference="floor plan B, sheet 2",
    steps=(
        Step(
            description="Label the cables and write down the ports",
            minutes=40,
            rollback="nothing is changed yet",
            reference="floor plan B, sheet 2",
        ),
        Step(
            description="Join the access points to the ports 5 to 7",
            minutes=30,
            rollback="put the cables back to the switch of the ward",
            reference="manual of the access point, chapter 2",
        ),
    ),
)
MAIL = NewChange(
    title="Mail of the hospital on the appliance",
    phase=Phase.IMPLEMENT,
    description="Accounts, lists and mailboxes move from the old server to the appliance.",
    rollback="The MX record names the old server again; its queue is kept for a week.",
    reference="RFC 5321, section 5",
    steps=(
        Step(description="Make the accounts of the wards", minutes=60, rollback="remove the accounts"),
        Step(
            description="Let the MX record name the appliance",
            minutes=10,
            rollback="name the old server again and commit",
            reference="RFC 1035, section 3.3.9",
        ),
    ),
)
SECOND = NewChange(title="A second central switch", phase=Phase.PREPARE, description="When the centre fails all stop.")


def load(context: Context) -> None:
    """Fill an empty project."""
    ago = replace(context, now=context.now - timedelta(days=40))
    done = add_change.function(ago, SWITCH)
    finish_change.function(context, ChangeSeen(number=done.row.number, version=done.version))
    add_change.function(context, MAIL)
    add_change.function(context, SECOND)
