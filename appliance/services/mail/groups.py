"""Groups and departments: what is narrowed of their master data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import update

from appliance.contract.commands import change
from appliance.contract.context import Context
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.mail.directory import directory_of
from appliance.services.mail.kept import kept_of
from appliance.services.mail.model import MASTER_DATA, POSTMASTERS, Department, Group
from appliance.services.mail.tables import DEPARTMENTS, GROUPS
from appliance.store.rows import add_row, change_row, remove_row, values_of

__all__ = ["add_group", "change_department", "change_group", "leave_groups", "remove_department"]

DEPARTMENT, GROUP = (next(one for one in MASTER_DATA if one.name == name) for name in ("departments", "groups"))
if TYPE_CHECKING:
    DepartmentChanged: TypeAlias = Any
    DepartmentKept: TypeAlias = Any
    DepartmentRemoved: TypeAlias = Any
    GroupChanged: TypeAlias = Any
    GroupKept: TypeAlias = Any
else:
    DepartmentChanged, DepartmentKept, DepartmentRemoved = DEPARTMENT.changed, DEPARTMENT.kept, DEPARTMENT.removed
    GroupChanged, GroupKept = GROUP.changed, GROUP.kept


@change(*POSTMASTERS, name="groups.add")
def add_group(context: Context, group: Group) -> GroupKept:
    """Add a group."""
    known = directory_of(context)
    known.refuse_taken(group.name)
    known.refuse_group(group)
    add_row(context, GROUPS, "name", values_of(group), GROUP.title)
    context.publish("added", f"groups/{group.name}")
    return kept_of(context, GROUP, GROUPS, group.name)


@change(*POSTMASTERS, name="groups.change")
def change_group(context: Context, arguments: GroupChanged) -> GroupKept:
    """Change a group."""
    group: Group = arguments.row
    known = directory_of(context)
    known.refuse_taken(group.name, besides=arguments.name)
    known.refuse_group(group)
    values = values_of(group)
    change_row(context, GROUPS, "name", arguments.name, arguments.version, values, GROUP.title, number=arguments.id)
    context.publish("changed", f"groups/{group.name}")
    return kept_of(context, GROUP, GROUPS, group.name)


@change(*POSTMASTERS, name="departments.change")
def change_department(context: Context, arguments: DepartmentChanged) -> DepartmentKept:
    """Change a department."""
    wanted: Department = arguments.row
    values = values_of(wanted)
    change_row(
        context, DEPARTMENTS, "name", arguments.name, arguments.version, values, DEPARTMENT.title, number=arguments.id
    )
    if wanted.name != arguments.name:
        # The accounts are carried along by the database.
        _rename_in_groups(context, arguments.name, wanted.name)
    context.publish("changed", f"departments/{wanted.name}")
    return kept_of(context, DEPARTMENT, DEPARTMENTS, wanted.name)


@change(*POSTMASTERS, name="departments.remove")
def remove_department(context: Context, arguments: DepartmentRemoved) -> None:
    """Remove a department."""
    using = [one.name for one in directory_of(context).groups.values() if arguments.name in one.departments]
    if using:
        raise RuleBroken(
            _("the department {name} is part of {others}"),
            field="name",
            name=arguments.name,
            others=", ".join(using),
        )
    remove_row(context, DEPARTMENTS, "name", arguments.name, arguments.version, DEPARTMENT.title, number=arguments.id)
    context.publish("removed", f"departments/{arguments.name}")


def leave_groups(context: Context, account: str) -> None:
    """Take an account that goes out of the groups that name it."""
    for group in directory_of(context).groups.values():
        if account in group.members:
            _write(context, group.name, members=tuple(one for one in group.members if one != account))


def _rename_in_groups(context: Context, old: str, new: str) -> None:
    for group in directory_of(context).groups.values():
        if old in group.departments:
            _write(context, group.name, departments=tuple(new if one == old else one for one in group.departments))


def _write(context: Context, name: str, **values: Any) -> None:
    """A change that follows from another one: who has looked at the group looks again."""
    changed = {"version": GROUPS.c.version + 1, "changed_by": context.person.name, "changed_at": context.now}
    context.connection.execute(update(GROUPS).where(GROUPS.c.name == name).values(**values, **changed))
    context.publish("changed", f"groups/{name}")
