"""The line of the audit log that a commit has when it has ended; the machine is another one already, whatever the store
does then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from appliance.commit.results import Outcome
from appliance.contract.components import Finding, Severity
from appliance.contract.context import Context
from appliance.language import _
from appliance.store.failures import StoreFault

__all__ = ["audited"]


def audited(context: Context, command: str, outcome: Outcome, write: Callable[[], None]) -> Outcome:
    """The outcome, once ``write`` has put its line into the audit log; or the journal, which tells it as ``command`` of
    the context's service when the store is there again."""
    try:
        write()
    except StoreFault as fault:
        context.appliance.commits.owe(command, context.person.name, outcome, service=context.service)
        words = _("the audit log has no line of this yet, and gets it when the store is there again: {why}")
        said = Finding(component="", severity=Severity.WARNING, template=words, values={"why": str(fault)})
        return replace(outcome, findings=(*outcome.findings, said))
    return outcome
