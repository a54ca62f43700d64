"""What does not fit together about programs and commands: stand-ins for nothing, words that judge the wrong thing."""

from __future__ import annotations

from fnmatch import fnmatchcase

from compiler.placed.complaints import Complaints, near
from labs.topology import Lab, Traffic, TrafficKind
from labs.words.commands import WORDS

__all__ = ["check_programs"]


def check_programs(lab: Lab, complaints: Complaints) -> None:
    """Complain about stand-ins of programs that a node has not, and about words that judge the wrong thing."""
    for node in lab.nodes:
        names = [program.name for program in node.programs]
        for service in node.services:
            if service.stands_for and service.stands_for not in names:
                complaints.error(
                    f"{node.name} has no program {service.stands_for!r}{near(service.stands_for, names)}", service.span
                )
    for assertion in lab.assertions:
        pattern = dict(assertion.arguments).get("traffic")
        if not isinstance(pattern, str):
            continue
        wrong = _misjudged(assertion.word, [one for one in lab.traffic if fnmatchcase(one.name, pattern)])
        if wrong is not None:
            complaints.error(_why(assertion.word, wrong), assertion.span)


def _misjudged(word: str, traffic: list[Traffic]) -> Traffic | None:
    """The first activity that the word cannot judge."""
    is_of_commands = word in WORDS
    return next((one for one in traffic if (one.kind is TrafficKind.RUN) != is_of_commands), None)


def _why(word: str, traffic: Traffic) -> str:
    if word in WORDS:
        return f"{word} is about commands, and {traffic.name} is {traffic.kind.value!r}"
    return f"{traffic.name} is a command, and {word} is not about those: expected one of {', '.join(WORDS)}"
