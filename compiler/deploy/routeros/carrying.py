"""Carrying out steps, in their order, as long as there is time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from compiler.deploy.routeros.menus import Menu, Values
from compiler.deploy.routeros.session import ApiSession, Refused
from compiler.deploy.routeros.steps import Step, Verb

__all__ = ["OutOfTime", "StepRefused", "carry_out"]


class OutOfTime(Exception):
    """The device will put things back soon: nothing may be changed under its hands."""


class StepRefused(Exception):
    """The device refuses a step; ``str`` says which, and its reason."""


def carry_out(session: ApiSession, steps: Sequence[Step], has_time: Callable[[], bool]) -> None:
    """Say each step to the device. Raises StepRefused, OutOfTime and Lost; what was done until then stays done."""
    ids: dict[tuple[Menu, int], str] = {}
    for step in steps:
        if not has_time():
            raise OutOfTime
        try:
            made = _say(session, step, step.anchor or ids.get((step.menu, step.anchor_number), ""))
        except Refused as trap:
            raise StepRefused(f"{step.change()}: the device says: {trap}") from None
        if made and step.number >= 0:
            ids[step.menu, step.number] = made


def _say(session: ApiSession, step: Step, anchor: str) -> str:
    path = step.menu.path
    match step.verb:
        case Verb.ADD:
            return session.add(path, _flagged(step.menu, step.values), anchor)
        case Verb.SET:
            session.set(path, step.id, _flagged(step.menu, step.values))
        case Verb.MOVE:
            session.move(path, step.id, anchor)
        case Verb.REMOVE:
            session.remove(path, step.id)
    return ""


def _flagged(menu: Menu, values: Values) -> dict[str, str]:
    """Flags stand without a value."""
    return {name: "" if name in menu.flags and value == "yes" else value for name, value in values.items()}
