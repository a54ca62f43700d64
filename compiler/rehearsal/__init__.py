"""Balancing, rehearsed: a script or an intent runs in the simulator, under load and through failures."""

from __future__ import annotations

from compiler.rehearsal.options import Failing, RehearsalOptions, WayToFail
from compiler.rehearsal.rehearsing import rehearse_intent, rehearse_script
from compiler.rehearsal.result import Rehearsal

__all__ = ["Failing", "Rehearsal", "RehearsalOptions", "WayToFail", "rehearse_intent", "rehearse_script"]
