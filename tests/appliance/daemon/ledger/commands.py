"""Commands of every effect and audience."""

from __future__ import annotations

import time

from sqlalchemy import select, update

from appliance.contract.commands import change, query, work
from appliance.contract.context import Context, Progress
from appliance.contract.documents import Document
from appliance.contract.kinds import Line, Whole
from appliance.contract.people import ANYONE, VISITOR
from appliance.contract.refusals import NotFound, RuleBroken
from appliance.contract.results import KeptFile
from tests.appliance.daemon.ledger.model import Balance, Deposit, Everything, Evidence, Steps
from tests.appliance.daemon.ledger.tables import MASTER

ACCOUNTS = MASTER["accounts"]


@change("clerk")
def deposit(context: Context, deposit: Deposit) -> Balance:
    """Add to an account."""
    held = context.connection.execute(
        select(ACCOUNTS.c.balance).where(ACCOUNTS.c.code == deposit.account)
    ).scalar_one_or_none()
    if held is None:
        raise NotFound("account", deposit.account)
    if abs(held + deposit.amount) > 10**15:
        raise RuleBroken("an account holds at most a thousand billion", field="amount")
    # Read, then written: two at a time would lose one.
    changed = {"balance": held + deposit.amount, "version": ACCOUNTS.c.version + 1}
    context.connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.code == deposit.account).values(changed))
    context.publish("changed", f"accounts/{deposit.account}", "{amount} came in", amount=deposit.amount)
    return Balance(balance=held + deposit.amount)


@query("clerk", "manager")
def echo(_context: Context, everything: Everything) -> Everything:
    """Answer what was asked."""
    return everything


@query("clerk")
def slip(_context: Context) -> Document:
    """A paper."""
    return Document(template="ledger/slip", title="Slip 7", values=Balance(balance=1500), copies=("guest", "cashier"))


@query(VISITOR)
def greet(context: Context) -> str:
    """Greet everybody."""
    return f"hello {context.person.name or 'visitor'}"


@query(ANYONE)
def whoami(context: Context) -> str:
    """Greet who has logged in."""
    return context.person.name


@work("manager")
def count_up(context: Context, steps: Steps) -> Whole:
    """Count slowly, and add an account at the end."""
    for step in range(steps.steps):
        context.tell(Progress(done=step, total=steps.steps, doing="counting"))
        time.sleep(0.002)
    with context.writing("counted", {"steps": steps.steps}) as inner:
        inner.publish("counted", "accounts")
    return steps.steps


@query("manager")
def fail(_context: Context) -> None:
    """Fail as no command should."""
    raise RuntimeError("a secret detail")


@change(VISITOR)
def attach(context: Context, evidence: Evidence) -> Line:
    """Take a file."""
    claimed = context.claim_file(evidence.file)
    assert claimed.content()
    if evidence.refuse:
        raise RuleBroken("it is not wanted", field="file")
    return f"{claimed.name} {claimed.media_type} {claimed.size}"


@work("manager")
def statement(context: Context) -> KeptFile:
    """Write a statement down."""
    path = context.appliance.state_folder / "statement.txt"
    path.write_text("all is well\n")
    return KeptFile(path=path, name="statement.txt", media_type="text/plain")
