"""Whatever is done in whatever order: the description is one that daemons can be configured from."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.contract.refusals import Refused
from appliance.services.mail.description import MailDescription, Senders
from appliance.services.mail.names import ROLES
from appliance.testing import Caller
from tests.appliance.services.mail.accounts.conftest import begun, described

PLACES = ("east", "west")
NAMES = ("ani", "budi", "citra", "abuse", "postmaster")
TARGETS = (*NAMES, "ani@rssulsel.com", "me@example.org")

name = st.sampled_from(NAMES)
place = st.sampled_from(PLACES)
names = st.lists(name, max_size=3, unique=True)
aliased = st.fixed_dictionaries({"name": name, "targets": st.lists(st.sampled_from(TARGETS), min_size=1, max_size=3)})
grouped = st.fixed_dictionaries(
    {
        "name": name,
        "title": st.just("T"),
        "members": names,
        "departments": st.lists(place, max_size=2, unique=True),
        "senders": st.sampled_from([one.value for one in Senders]),
    }
)
person = st.fixed_dictionaries(
    {"name": name, "full_name": st.just("X"), "department": st.none() | place, "active": st.booleans()}
)
located = st.fixed_dictionaries({"name": place, "title": st.just("T")})
rows: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "departments": located,
    "accounts": person,
    "aliases": aliased,
    "groups": grouped,
}


@st.composite
def steps(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A command, and what it is given without the version."""
    kind = draw(st.sampled_from((*rows, "accounts", "aliases")))
    row = draw(rows[kind])
    key = place if kind == "departments" else name
    command = draw(st.sampled_from(("add", "change", "remove")))
    if kind == "accounts" and command == "add":
        row = row | {"take_over": draw(st.booleans())}
    if kind == "accounts" and command == "change" and draw(st.booleans()):
        return draw(st.sampled_from(("accounts.suspend", "accounts.resume"))), {"name": row["name"]}
    if command == "add":
        return f"{kind}.add", row
    return f"{kind}.{command}", {"name": draw(key)} | ({"row": row} if command == "change" else {})


def done(siti: Caller, command: str, arguments: dict[str, Any]) -> bool:
    if not command.endswith(".add"):
        kind = command.partition(".")[0]
        try:
            version = siti(f"{kind}.get", name=arguments["name"])["version"]
        except Refused:
            return False
        arguments = arguments | {"version": version}
    try:
        siti(command, **arguments)
    except Refused:
        return False
    return True


def hold(found: MailDescription) -> None:
    accounts = [one.name for one in found.mailboxes]
    active = {one.name for one in found.mailboxes if one.active}
    addresses = [*accounts, *(one.name for one in found.aliases), *(one.name for one in found.groups)]
    assert len(set(addresses)) == len(addresses), "no address is twice"
    leads = {one.name: one.targets for one in found.aliases}
    for alias in found.aliases:
        for target in alias.targets:
            local, _at, domain = target.partition("@")
            assert domain != found.domain or local in {*accounts, *leads}, "each target of ours is there"
    for group in found.groups:
        assert set(group.members) <= active, "each member has an account that is not suspended"
        assert group.name not in ROLES or group.senders is Senders.ANYBODY
    for start in leads:
        reached, ahead = set[str](), [start]
        while ahead:
            for target in leads.get(ahead.pop(), ()):
                local, _at, domain = target.partition("@")
                if domain == found.domain and local not in reached:
                    reached.add(local)
                    ahead.append(local)
        assert start not in reached, "no alias leads to itself"
    if active:
        assert found.postmaster in active, "somebody reads the postmaster's mail"
        assert set(ROLES) <= set(addresses), "each role is somebody's"
    assert all(one.password_hash.startswith("{ARGON2ID}") for one in found.mailboxes)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from((None, "ani")), st.lists(steps(), min_size=4, max_size=25))
def test_any_sequence_of_commands_leaves_a_sound_description(
    postmaster: str | None, sequence: list[tuple[str, dict[str, Any]]]
) -> None:
    trial = begun(postmaster)
    try:
        siti = trial.person("siti", "postmaster")
        siti("departments.add", name="east", title="East")
        for one in ("ani", "budi", "citra"):
            siti("accounts.add", name=one, full_name="X", department="east")
        siti("aliases.add", name="abuse", targets=["budi"])
        siti("groups.add", name="all", title="All", members=["ani", "budi", "citra"])
        for command, arguments in sequence:
            if command == "accounts.remove":
                done(siti, "accounts.suspend", arguments)
            done(siti, command, arguments)
            found = described(trial)
            hold(found)
            accounts = {one.name for one in found.mailboxes}
            for row in siti.listing("groups"):
                assert set(row["members"]) <= accounts, "nobody comes back into a group by having a name"
    finally:
        trial.close()
