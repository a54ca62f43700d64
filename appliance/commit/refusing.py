"""Why a commit, a confirmation or a rollback does not begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from appliance.commit.journal import Journal
from appliance.commit.planning import edited
from appliance.commit.results import Edit
from appliance.contract.components import Finding, Severity
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["NothingToConfirm", "NothingToRollBackTo", "Unconfirmed", "refused", "unconfirmed", "warnings"]


class Unconfirmed(Refused):
    """A generation waits to be confirmed; nothing else is committed until then."""

    code = "unconfirmed"


class NothingToConfirm(Refused):
    """No generation waits to be confirmed."""

    code = "nothing-to-confirm"


class NothingToRollBackTo(Refused):
    """There is no such generation, or none before the one that stands."""

    code = "nothing-to-roll-back-to"


def unconfirmed(journal: Journal) -> Unconfirmed:
    """Which generation waits, whose it is, and until when."""
    underway = journal.underway
    until = underway.deadline.wall.isoformat(timespec="seconds") if underway and underway.deadline else ""
    return Unconfirmed(
        _("generation {number} of {who} waits to be confirmed until {until}; confirm it or roll it back first"),
        number=underway.after if underway else 0,
        who=underway.who if underway else "",
        until=until,
    )


def warnings(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """What stops nothing."""
    return tuple(replace(finding, severity=Severity.WARNING) for finding in findings)


def refused(number: int, edits: Sequence[Edit]) -> tuple[Finding, ...]:
    """Edits by hand as what stops it."""
    return tuple(replace(edited(number, edit), severity=Severity.ERROR) for edit in edits)
