"""What a supervisor says when a wish cannot be fulfilled."""

from __future__ import annotations

from compiler.errors import GerbangError

__all__ = ["SupervisionFailed", "why_of"]


class SupervisionFailed(GerbangError):
    """A program that did not start, stop or reload. ``said`` is its last words, several lines."""

    exit_code = 1

    def __init__(self, program: str, why: str, said: str = "") -> None:
        super().__init__(f"{program}: {why}" + (f"\n{said}" if said else ""))
        self.program = program
        self.why = why
        self.said = said


def why_of(error: Exception) -> str:
    """Why a start failed, in one line, whatever was raised: a full disk, or an error of ours."""
    if isinstance(error, SupervisionFailed):
        return error.why
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
