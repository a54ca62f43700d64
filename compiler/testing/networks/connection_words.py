"""The words about connections: only networks that run, in the simulator, can say how they fare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from compiler.errors import UsageError
from compiler.testing.answer import Answer, demand, hides
from compiler.testing.networks.claims import begins
from compiler.testing.networks.ends import places
from compiler.testing.networks.questions import Questions

if TYPE_CHECKING:
    from compiler.testing.dynamic.asked import Asked

__all__ = ["ConnectionWords"]


__tracebackhide__ = hides


@dataclass(frozen=True, slots=True)
class ConnectionWords(Questions):
    """How connections are answered, shared out, kept together and taken up again."""

    # -- words ---------------------------------------------------------------------------------

    def returns(self, source: str, destination: str, service: str = "") -> Answer:
        """Every first packet arrives, and the answer to it reaches the sender, through translations and state."""
        return demand(self.ask_returns(source, destination, service))

    def balanced(
        self,
        lines: Sequence[str] | Mapping[str, int],
        source: str,
        destination: str,
        service: str = "",
        *,
        within: float | None = None,
        connections: int = 240,
    ) -> Answer:
        """New connections share the lines (cables, nodes, ``router:port``) evenly, or by weights.

        ``within`` is how far a line may be off what is due to it, as a share of that: 0.05 for five per cent. Where
        routers choose in turn it is exact; where they choose by a hash, chance is granted what so many keys explain.
        """
        return demand(self.ask_balanced(lines, source, destination, service, within=within, connections=connections))

    def sticky(
        self,
        key: str,
        source: str,
        destination: str,
        service: str = "",
        *,
        lines: Sequence[str] = (),
        connections: int = 120,
    ) -> Answer:
        """Connections that agree in the key (``source``, ``source, destination`` …) leave by one of the lines, and
        show one address."""
        return demand(self.ask_sticky(key, source, destination, service, lines=lines, connections=connections))

    def recovers(
        self,
        fault: str | Sequence[str],
        source: str,
        destination: str,
        service: str = "",
        *,
        within: str | int,
        silent: bool = False,
        connections: int = 40,
    ) -> Answer:
        """Connections begun ``within`` (``5 s``, or nanoseconds) after the fault work, and so long after it is mended.

        ``fault`` names nodes, cables and lines (``router:port``) that die together; ``silent`` where their ends see
        no carrier go. A line that was used before must be used again.
        """
        return demand(
            self.ask_recovers(
                fault, source, destination, service, within=within, silent=silent, connections=connections
            )
        )

    # -- answers -------------------------------------------------------------------------------

    def ask_returns(self, source: str, destination: str, service: str = "") -> Answer:
        """Whether all are answered: proved by asking both ways where nothing on the way keeps state, else tried."""
        from compiler.testing.dynamic.returning import ask_returning

        headers = self._headers(service)
        beginnings = tuple(begins(headers, places(self.model, source), places(self.model, destination)))
        question = self._question("returns", source, destination, service)
        cases = tuple(begin._replace(dead=dead) for dead in self.failures() for begin in beginnings)
        return ask_returning(self.model, question, headers, cases)

    def ask_balanced(
        self,
        lines: Sequence[str] | Mapping[str, int],
        source: str,
        destination: str,
        service: str = "",
        *,
        within: float | None = None,
        connections: int = 240,
    ) -> Answer:
        """Whether the lines share them."""
        from compiler.testing.dynamic.spreading import ask_balance

        weights = dict(lines) if isinstance(lines, Mapping) else dict.fromkeys(lines, 1)
        shown = ", ".join(name if weight == 1 else f"{weight} times {name}" for name, weight in weights.items())
        more = f", over {shown}" + (f", within {within:.1%}" if within is not None else "")
        asked = self._connections("balanced", source, destination, service, more, connections)
        return ask_balance(asked, weights, within)

    def ask_sticky(
        self,
        key: str,
        source: str,
        destination: str,
        service: str = "",
        *,
        lines: Sequence[str] = (),
        connections: int = 120,
    ) -> Answer:
        """Whether what agrees in the key goes one way."""
        from compiler.testing.dynamic.spreading import ask_stickiness

        more = f", by {key}" + (f", over {', '.join(lines)}" if lines else "")
        return ask_stickiness(self._connections("sticky", source, destination, service, more, connections), key, lines)

    def ask_recovers(
        self,
        fault: str | Sequence[str],
        source: str,
        destination: str,
        service: str = "",
        *,
        within: str | int,
        silent: bool = False,
        connections: int = 40,
    ) -> Answer:
        """Whether connections work again."""
        from compiler.placed.quantities import duration, format_duration
        from compiler.testing.dynamic.recovering import Fault, ask_recovery

        dies = Fault((fault,) if isinstance(fault, str) else tuple(fault), silent)
        try:
            time = duration(within) if isinstance(within, str) else within
        except ValueError as error:
            raise UsageError(f"within: {error}") from error
        more = f", {format_duration(time)} after {dies} dies"
        return ask_recovery(self._connections("recovers", source, destination, service, more, connections), dies, time)

    def _connections(
        self, word: str, source: str, destination: str, service: str, more: str, connections: int
    ) -> Asked:
        from compiler.testing.dynamic.asked import Asked

        if connections < 1:
            raise UsageError("ask for one connection or more")
        headers = self._headers(service)
        beginnings = tuple(begins(headers, places(self.model, source), places(self.model, destination)))
        question = self._question(word, source, destination, service, more)
        return Asked(self.model, question, headers, beginnings, self.failures(), connections)
