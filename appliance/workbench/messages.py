"""What parts of the workbench ask of its screen. The screen answers by calling their ``show``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.message import Message

from appliance.workbench.compiling import Choice
from appliance.workbench.running import Chosen
from appliance.workbench.tracing import Asked

__all__ = [
    "Answered",
    "CompareWanted",
    "CompileWanted",
    "CopyWanted",
    "GoTo",
    "OpenWanted",
    "RunWanted",
    "SaveWanted",
    "StopWanted",
    "Told",
    "TraceThis",
    "TraceWanted",
]


@dataclass
class GoTo(Message):
    """Show this place of the text that the answer is about. ``name`` is its tab's; empty for the one looked at."""

    line: int
    column: int = 1
    name: str = ""


@dataclass
class CompileWanted(Message):
    """Compile the text that is looked at."""

    choice: Choice


@dataclass
class CompareWanted(Message):
    """Compare two open texts, by the names of their tabs."""

    old: str
    new: str
    interfaces: tuple[tuple[str, str], ...]


@dataclass
class TraceWanted(Message):
    """Follow this packet through the text that is looked at."""

    asked: Asked


@dataclass
class TraceThis(Message):
    """Put a packet that is given in words into the form, and follow it."""

    packet: str
    name: str = ""


@dataclass
class RunWanted(Message):
    """Run this lab."""

    chosen: Chosen


@dataclass
class StopWanted(Message):
    """End the work of this group: ``compile``, ``compare``, ``lab``."""

    group: str


@dataclass
class OpenWanted(Message):
    """Open a text that is no file yet in a tab of its own."""

    name: str
    text: str


@dataclass
class SaveWanted(Message):
    """Keep texts under a name that is asked for; each with the end of its name."""

    name: str
    files: tuple[tuple[str, str], ...]


@dataclass
class CopyWanted(Message):
    """Put a text into the clipboard."""

    text: str


@dataclass
class Told(Message):
    """How far work is. ``ticket`` tells one piece of work of a group from the next."""

    group: str
    ticket: int
    value: Any


@dataclass
class Answered(Message):
    """What came of work; ``error`` when nothing did."""

    group: str
    ticket: int
    result: Any
    error: str = ""
