"""Accounts."""

from __future__ import annotations

from appliance.contract.kinds import Code, Count, Day, Decimals, Line, Moment, Name, Note, Rupiah, Secret, YesNo
from appliance.contract.master_data import MasterData
from appliance.contract.records import record


@record(title="account")
class Account:
    """An account with its balance."""

    code: Code
    title: Name
    balance: Rupiah = 0
    note: Note = ""


@record
class Deposit:
    """Money that comes."""

    account: Code
    amount: Rupiah


@record
class Balance:
    """What an account has."""

    balance: Rupiah


@record
class Everything:
    """One of each kind."""

    day: Day
    moment: Moment
    decimals: Decimals
    note: Note
    secret: Secret = ""
    names: tuple[Name, ...] = ()
    within: Balance | None = None


@record
class Steps:
    """How many steps the long work has."""

    steps: Count


@record
class Evidence:
    """A file that was sent."""

    file: Line
    refuse: YesNo = False


MASTER_DATA = (
    MasterData(
        name="accounts",
        record=Account,
        key="code",
        see=frozenset({"clerk", "manager"}),
        change=frozenset({"manager"}),
    ),
)
