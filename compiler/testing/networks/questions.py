"""What all questions about one network have in common: its packets, its failures, and how a question reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from compiler.errors import UsageError
from compiler.testing.answer import hides
from compiler.testing.headers import Headers, packets
from compiler.testing.networks.failures import failures, mortal
from compiler.testing.networks.model import NetworkModel

__all__ = ["Questions"]


__tracebackhide__ = hides


@dataclass(frozen=True, slots=True)
class Questions:
    """A network, how much of it may fail, and the packets that are asked about."""

    model: NetworkModel
    failing: int = 0
    among: tuple[str, ...] = ()
    headers: Headers | None = None

    def under(self, failures: int = 1, *, among: str | tuple[str, ...] = ()) -> Self:
        """The same questions while up to that many parts are dead: all but hosts and their cables, or those named.

        UsageError unless ``failures`` is a whole number, 0 or more.
        """
        if type(failures) is not int or failures < 0:
            raise UsageError(f"failures is {failures!r}: say how many parts may be dead at once, 0 or more")
        names = (among,) if isinstance(among, str) else tuple(among)
        mortal(self.model, names)
        return replace(self, failing=failures, among=names)

    def for_all(self, headers: Headers) -> Self:
        """The same questions for these packets only."""
        return replace(self, headers=headers)

    def failures(self) -> tuple[frozenset[str], ...]:
        """All that may be dead at once, with what always is; the small sets first."""
        parts = mortal(self.model, self.among)
        return tuple(dead | self.model.dead for dead in failures(parts, self.failing))

    def _headers(self, service: str) -> Headers:
        if self.headers is not None and service:
            raise UsageError("for_all says already which packets: leave the service out")
        return self.headers or packets(service=service)

    def _question(self, word: str, source: str, destination: str, service: str, more: str = "") -> str:
        what = f", {self.headers or service}" if self.headers or service else ""
        joined = "and" if word == "isolated" else "to"
        return f"{word}: {source} {joined} {destination}{what}{more}{self._under_text()}"

    def _under_text(self) -> str:
        return f", with up to {self.failing} dead" if self.failing else ""
