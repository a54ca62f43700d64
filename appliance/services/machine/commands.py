"""Plan, commit, confirm, roll back, and look: the commit engine as commands.

Commits are work: they take long, can be cancelled, and leave their line in the
audit log when they have ended, with how they ended.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from appliance.commit.audited import audited
from appliance.commit.results import CommitStatus, Diagnosis, Outcome, Plan
from appliance.contract.commands import query, work
from appliance.contract.context import Context, Progress
from appliance.contract.refusals import NotFound, Refused
from appliance.language import _
from appliance.services.machine.model import (
    KEEPERS,
    WATCHERS,
    Back,
    GenerationRow,
    Installed,
    LogAsked,
    PackagesOf,
    ProgramRow,
    Wish,
)
from appliance.services.machine.projects import (
    LISTINGS,
    add_change,
    change_change,
    finish_change,
    get_change,
    link_change,
    link_noted,
    print_change,
    print_changes,
)
from compiler.errors import GerbangError

__all__ = [
    "LISTINGS",
    "add_change",
    "change_change",
    "commit",
    "confirm",
    "diagnose",
    "finish_change",
    "generations",
    "get_change",
    "install",
    "link_change",
    "log",
    "plan",
    "print_change",
    "print_changes",
    "programs",
    "recover",
    "resume",
    "rollback",
    "status",
]
SAID = 40
"""Lines of apt's output that are answered."""


@query(*WATCHERS)
def plan(context: Context) -> Plan:
    """Show what a commit would do, and all that is wrong with it."""
    planned: Plan = context.appliance.commits.plan(context.appliance.components(context.connection))
    return planned


@work(*KEEPERS)
def commit(context: Context, wish: Wish) -> Outcome:
    """Make the machine what the services want, or leave it as it was."""
    with context.reading() as connection:
        components = context.appliance.components(connection)
    outcome: Outcome = context.appliance.commits.commit(
        components, context.person.name, wish.note, wish.confirm_within, context.tell, overwrite=wish.overwrite
    )
    return _told(context, "commit", wish, outcome)


@work(*KEEPERS)
def confirm(context: Context) -> Outcome:
    """Keep the generation that waits."""
    outcome: Outcome = context.appliance.commits.confirm(context.person.name)
    return _told(context, "confirm", None, outcome)


@work(*KEEPERS)
def rollback(context: Context, back: Back) -> Outcome:
    """Take back the generation that waits, or go to an older one."""
    outcome: Outcome = context.appliance.commits.rollback(back.to, who=context.person.name, progress=context.tell)
    return _told(context, "rollback", back, outcome)


@work(*KEEPERS)
def resume(context: Context) -> Outcome:
    """Make the components of the current generation act that do not serve, such as a program that failed too often."""
    outcome: Outcome = context.appliance.commits.resume(context.person.name, context.tell)
    return _told(context, "resume", None, outcome)


@work(*KEEPERS)
def recover(context: Context) -> Outcome:
    """Begin another journal of the commits in the place of one that is spoilt or gone; the machine is not touched."""
    return _told(context, "recover", None, context.appliance.commits.rescue(context.person.name))


@work(*KEEPERS)
def install(context: Context, asked: PackagesOf) -> Installed:
    """Install the Debian packages that a service needs."""
    packages = _packages_of(context, asked.service)
    context.tell(Progress(done=0, total=len(packages), doing=" ".join(packages)))
    try:
        said = context.appliance.machine.install_packages(asked.service)
    except GerbangError as error:
        _note_installed(context, asked.service, packages, failed=True)
        raise Refused(_("not installed: {why}"), why=str(error)) from error
    _note_installed(context, asked.service, packages, failed=False)
    return Installed(service=asked.service, packages=packages, said=tuple(said.splitlines()[-SAID:]))


def _packages_of(context: Context, name: str) -> tuple[str, ...]:
    """As the code that is installed here says; the helper reads that for itself. Raises Refused."""
    offered = context.appliance.registry.services.get(name)
    if offered is None:
        raise NotFound("service", name)
    module = offered.service.module("components")
    packages = tuple(getattr(module, "PACKAGES", ()))
    if not packages:
        raise Refused(_("the service {service} needs no packages"), field="service", service=name)
    return packages


def _note_installed(context: Context, service: str, packages: tuple[str, ...], *, failed: bool) -> None:
    said = {"service": service, "packages": list(packages), "ending": "failed" if failed else "installed"}
    with context.writing("install", said) as writing:
        if not failed:
            writing.publish(
                "packages",
                f"packages/{service}",
                _("{person} installed the packages of {service}"),
                person=context.person.name,
                service=service,
            )


@query(*WATCHERS)
def status(context: Context) -> CommitStatus:
    """Show which generation the machine runs, and whether one waits for its confirmation."""
    found: CommitStatus = context.appliance.commits.status()
    return found


@query(*WATCHERS)
def generations(context: Context) -> tuple[GenerationRow, ...]:
    """List the generations that are kept, newest first."""
    return tuple(
        GenerationRow(
            number=line.number,
            standing=line.standing,
            current=line.current,
            who=line.who,
            when=line.when.astimezone(context.zone),
            note=line.note,
            components=line.components,
        )
        for line in context.appliance.commits.generations()
    )


@work(*WATCHERS)
def diagnose(context: Context) -> Diagnosis:
    """Probe every component, and look for files that were edited by hand."""
    found: Diagnosis = context.appliance.commits.diagnose()
    return found


@query(*WATCHERS)
def programs(context: Context) -> tuple[ProgramRow, ...]:
    """List the daemons that are supervised."""
    return tuple(
        ProgramRow(
            program=one.program,
            state=one.state,
            process=one.process,
            since=datetime.fromtimestamp(one.since, UTC).astimezone(context.zone) if one.since else None,
            restarts=one.restarts,
            said=one.said[-200:],
        )
        for one in context.appliance.machine.status()
    )


@query(*WATCHERS)
def log(context: Context, asked: LogAsked) -> tuple[str, ...]:
    """Show the last lines that a daemon has said."""
    lines: tuple[str, ...] = context.appliance.machine.log(asked.program, asked.lines)
    return lines


def _told(context: Context, command: str, arguments: Any, outcome: Outcome) -> Outcome:
    return audited(context, command, outcome, lambda: _write(context, command, arguments, outcome))


def _write(context: Context, command: str, arguments: Any, outcome: Outcome) -> None:
    from appliance.contract.redaction import redacted

    said = {**redacted(arguments), "ending": outcome.ending.value, "generation": outcome.generation}
    with context.writing(command, said) as writing:
        if isinstance(arguments, Wish) and outcome.generation and outcome.standing == outcome.generation:
            link_noted(writing, arguments.note, outcome.generation)
        deadline = outcome.deadline.isoformat() if outcome.deadline else ""
        writing.publish(
            "generation",
            f"generations/{outcome.standing}",
            _("{person}: {command} ended {ending}; generation {standing} runs"),
            person=context.person.name,
            command=command,
            ending=outcome.ending.value,
            standing=outcome.standing,
            deadline=deadline,
            # The clock of who looks may be another one.
            seconds=max(0, round((outcome.deadline - datetime.now(UTC)).total_seconds())) if outcome.deadline else 0,
        )
