"""The tables of a text as its commands leave them: what adds, flushes and deletes, in order."""

from __future__ import annotations

from dataclasses import dataclass, field

from compiler.dialects.nftables import facts
from compiler.dialects.nftables.elements import SetState
from compiler.policy.ruleset import Hook, Verdict
from compiler.source import NOWHERE, Span

__all__ = ["ChainState", "State", "TableState"]


@dataclass(slots=True)
class ChainState:
    """A chain while the text is read; rules are the indexes of their first tokens."""

    name: str
    kind: str = ""
    hook: Hook | None = None
    priority: int = 0
    policy: Verdict = Verdict.ACCEPT
    comment: str = ""
    rules: list[int] = field(default_factory=list)
    span: Span = NOWHERE


@dataclass(slots=True)
class TableState:
    """A table while the text is read."""

    family: str
    name: str
    chains: dict[str, ChainState] = field(default_factory=dict)
    sets: dict[str, SetState] = field(default_factory=dict)
    """Counters, quotas, helpers: they decide nothing by themselves."""
    tracks: bool = False
    """Whether a set or object of it has the kernel track connections (``ct count``, ``ct helper``)."""
    dormant: bool = False
    helpers: dict[str, tuple[str, int]] = field(default_factory=dict)
    """``ct helper`` objects: what helps, and the protocol whose connections it takes."""
    simulate: bool = False
    """Whether sets that rules fill, and maps to values, are kept for the simulator."""
    span: Span = NOWHERE

    @property
    def key(self) -> tuple[str, str]:
        """Family and name."""
        return self.family, self.name

    @property
    def is_foreign(self) -> bool:
        """Whether the table belongs to a family outside the model."""
        return self.family in facts.FOREIGN_FAMILIES


@dataclass(slots=True)
class State:
    """All tables, in the order in which they were made."""

    tables: dict[tuple[str, str], TableState] = field(default_factory=dict)
    simulate: bool = False
    discarded: list[tuple[TableState, int]] = field(default_factory=list)
    """Rules that a later command removed: they must be well formed all the same."""

    def flush(self, family: str = "") -> None:
        """``flush ruleset``: every table goes."""
        for key in [key for key in self.tables if family in ("", key[0])]:
            self.delete_table(key)

    def delete_table(self, key: tuple[str, str]) -> None:
        """The table goes with all that it holds."""
        table = self.tables.pop(key)
        for chain in table.chains.values():
            self.flush_chain(table, chain)

    def flush_chain(self, table: TableState, chain: ChainState) -> None:
        """The chain stays, its rules go."""
        self.discarded.extend((table, rule) for rule in chain.rules)
        chain.rules.clear()
