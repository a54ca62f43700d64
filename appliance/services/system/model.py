"""People, their sessions and the audit log, as records; the settings of the appliance itself."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from annotated_types import Ge, Le, MaxLen
from pydantic import StringConstraints

from appliance.contract.kinds import Count, Entry, Line, Moment, Name, Note, Number, Phone, Secret, Unit
from appliance.contract.master_data import MasterData
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _

__all__ = [
    "MASTER_DATA",
    "AuditRow",
    "Language",
    "NewPassword",
    "OneTime",
    "OwnSession",
    "PersonRecord",
    "SessionEnded",
    "SessionRow",
    "Settings",
    "WhosePassword",
]

LoginName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]*$", max_length=32), MaxLen(32), Entry("line")]
"""How a person is named at the login: small letters, digits, and ``. _ -``."""
RoleName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$", max_length=100), MaxLen(100), Entry("line")
]
"""``hotel.receptionist``."""
Language = Literal["en", "id"]
Minutes = Annotated[int, Ge(1), Le(7 * 24 * 60), Unit("minutes")]
Hours = Annotated[int, Ge(1), Le(31 * 24), Unit("hours")]
Attempts = Annotated[int, Ge(1), Le(100)]
ADMINISTRATORS = frozenset({"administrator"})


@record(title=_("person"))
class PersonRecord:
    """One who may log in."""

    name: LoginName
    full_name: Name
    language: Language = "en"
    roles: Annotated[tuple[RoleName, ...], MaxLen(100)] = ()
    active: bool = True

    def __post_init__(self) -> None:
        if len(set(self.roles)) != len(self.roles):
            raise RuleBroken(_("a role is given twice"), field="roles")


@record
class OneTime:
    """The password with which a person logs in once, and then chooses another."""

    name: LoginName
    password: Secret
    version: Count


@record
class WhosePassword:
    """Whose password is made new."""

    name: LoginName


@record
class NewPassword:
    """The change of one's own password."""

    old: Secret
    new: Secret


@record(title=_("session"))
class SessionRow:
    """One login that has not ended."""

    person: LoginName
    peer: Line
    began: Moment
    last_seen: Moment
    expires: Moment


@record(title=_("session"))
class OwnSession:
    """A login of one's own that has not ended."""

    session: Count
    peer: Line
    began: Moment
    last_seen: Moment
    expires: Moment


@record
class SessionEnded:
    """Which session is ended, by its number in the listing."""

    session: Count


@record(title=_("audit line"))
class AuditRow:
    """One line of the audit log."""

    number: Number
    at: Moment
    person: Line
    service: Line
    command: Line
    outcome: Literal["done", "refused", "begun"]
    """A login is refused, a lockout begins; everything else is done, or is no line."""
    arguments: Note


@record(
    help={
        "zone": _("The time zone, as Asia/Makassar; empty: as the machine has it."),
        "session_idle": _("Who does nothing for so long logs in again."),
        "session_longest": _("After so long everybody logs in again."),
        "login_attempts": _("So many wrong passwords, and the account has to wait."),
    },
)
class Settings:
    """The appliance itself: whose it is, and how long logins last."""

    organisation: Line = ""
    address: Note = ""
    phone: Phone | None = None
    zone: Line = ""
    """Of the IANA database: ``Asia/Jakarta``. Empty: as the daemon was started."""
    session_idle: Minutes = 30
    session_longest: Hours = 12
    login_attempts: Attempts = 5
    lockout_longest: Minutes = 15

    def __post_init__(self) -> None:
        if not self.zone:
            return
        try:
            ZoneInfo(self.zone)
        except (OSError, ValueError) as error:  # also ZoneInfoNotFoundError, a KeyError with its own words
            raise RuleBroken(_("there is no time zone {zone}"), field="zone", zone=self.zone) from error
        except KeyError as error:
            raise RuleBroken(_("there is no time zone {zone}"), field="zone", zone=self.zone) from error


MASTER_DATA = (MasterData(name="people", record=PersonRecord, key="name", see=ADMINISTRATORS, change=ADMINISTRATORS),)
