"""Accounts made to hold at once: a commit of them alone, by the postmaster, without an administrator.

Who may add an account may not change the network or the web server with the
same key. So this commit is refused as soon as something else waits too.
"""

from __future__ import annotations

from appliance.commit.audited import audited
from appliance.commit.results import Outcome, Plan
from appliance.contract.commands import query, work
from appliance.contract.context import Context
from appliance.contract.kinds import Line, YesNo
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.mail.model import POSTMASTERS

__all__ = ["OURS", "Waiting", "commit_accounts", "waiting"]

OURS = frozenset({"mail.accounts", "mail.addressbook", "mail.passwords", "mail.senders"})
"""The components that hold accounts, aliases, groups and what follows from them alone."""


@record
class Waiting:
    """What a commit would change."""

    accounts: YesNo
    """Accounts, aliases or groups."""
    others: tuple[Line, ...]
    """Components beside them: an administrator commits those, and the accounts with them."""


@query(*POSTMASTERS)
def waiting(context: Context) -> Waiting:
    """Say whether changed accounts wait to be committed, and what else does."""
    plan: Plan = context.appliance.commits.plan(context.appliance.components(context.connection))
    return Waiting(
        accounts=any(act.component in OURS for act in plan.acts), others=tuple(one[:200] for one in _others(plan))
    )


@work(*POSTMASTERS)
def commit_accounts(context: Context) -> Outcome:
    """Make the changed accounts, aliases and groups hold; refused when anything else waits to be committed."""
    with context.reading() as connection:
        components = context.appliance.components(connection)
    plan: Plan = context.appliance.commits.plan(components)
    if others := _others(plan):
        words = _("other changes wait too, and an administrator commits them: {others}")
        if any(act.reason == "upgrade" for act in plan.acts):
            words = _("the appliance was upgraded: an administrator commits that first, under Machine: {others}")
        raise RuleBroken(words, others=", ".join(others)[:2000])
    outcome: Outcome = context.appliance.commits.commit(components, context.person.name, "accounts", 0, context.tell)
    return audited(context, "commit-accounts", outcome, lambda: _write(context, outcome))


def _write(context: Context, outcome: Outcome) -> None:
    said = {"ending": outcome.ending.value, "generation": outcome.generation}
    with context.writing("commit-accounts", said) as writing:
        writing.publish(
            "committed",
            f"committed/{outcome.standing}",
            _("{person} has committed accounts: {ending}"),
            person=context.person.name,
            ending=outcome.ending.value,
        )


def _others(plan: Plan) -> tuple[str, ...]:
    """The components that would change by themselves and are not ours. One that only follows changes nothing."""
    changed = {change.component for change in plan.files}
    changed |= {act.component for act in plan.acts if act.reason != "follows"}
    return tuple(sorted(changed - OURS))
