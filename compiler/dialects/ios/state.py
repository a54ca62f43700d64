"""What is known of a configuration while its lines are read."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from compiler.dialects.ios.clock import TimeRangeDraft
from compiler.dialects.ios.facts import list_kind
from compiler.dialects.ios.groups import GroupDraft
from compiler.dialects.ios.lists import ListDraft
from compiler.dialects.ios.words import Fault, locate
from compiler.errors import InputError
from compiler.fields import Family
from compiler.integers import is_number
from compiler.policy.access_list import Binding, Clause, Direction, ListKind, ListUse
from compiler.source import Span

__all__ = ["State"]


class State:
    """The drafts of everything, the current line, and the block that reads it first.

    ``block`` takes the words of a line and says whether it is one of its own.
    """

    def __init__(self, text: str, source: str, *, bound: bool, simulate: bool = False) -> None:
        self.source = source
        self.bound = bound
        self.simulate = simulate
        self.lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.number = 0
        self.text = ""
        self.block: Callable[[list[str]], bool] | None = None
        self.indent = 0
        self.indented = False
        self.interface = ""
        self.header: list[str] = []
        self.errors: list[InputError] = []
        self.lists: dict[tuple[Family, str], ListDraft] = {}
        self.network_groups: dict[str, GroupDraft] = {}
        self.service_groups: dict[str, GroupDraft] = {}
        self.time_ranges: dict[str, TimeRangeDraft] = {}
        self.bindings: dict[tuple[str, Direction, Family], Binding] = {}
        self.uses: list[ListUse] = []
        self.features: list[Clause] = []
        self.interfaces: dict[str, None] = {}
        self.skipped = 0
        self.hostname = ""
        self.reflexive_timeout: int | None = None

    def fault(self, fault: Fault) -> None:
        """Keep an error of the current line."""
        self.errors.append(fault.as_error(self.source, self.number, self.text))

    def span(self, index: int = 0, count: int = 1) -> Span:
        """The place of words of the current line."""
        return locate(self.source, self.number, self.text, index, count)

    def depth(self) -> int:
        """How far the current line is indented."""
        return len(self.text) - len(self.text.lstrip())

    def inside(self) -> bool:
        """Whether the current line stands deeper than the header of the current block."""
        if self.depth() > self.indent:
            self.indented = True
            return True
        return False

    def enter(self, block: Callable[[list[str]], bool] | None) -> None:
        """The current line is a block's header; the lines that follow are offered to ``block``."""
        self.block = block
        self.indent = self.depth()
        self.indented = False
        self.interface = ""

    def leave(self) -> None:
        """The block is over."""
        self.block = None
        self.indented = False

    def list_draft(self, name: str, family: Family, kind: ListKind, index: int) -> ListDraft:
        """The list of that name, new or known. Fault when name and kind contradict each other."""
        if family is Family.IPV4 and is_number(name):
            name = str(int(name))
        key = (family, name)
        draft = self.lists.get(key)
        if draft is None:
            if family is Family.IPV4 and is_number(name):
                wanted = list_kind(int(name)) if len(name) < 6 else None
                if wanted is not kind:
                    ranges = "1-99, 1300-1999" if kind is ListKind.STANDARD else "100-199, 2000-2699"
                    raise Fault(f"'{name}' is not the number of {kind.value} lists: expected {ranges} or a name", index)
            draft = self.lists[key] = ListDraft(name, family, kind, self.span(index))
        elif draft.kind is not kind:
            raise Fault(f"the list {name} is {draft.kind.value} on line {draft.span.line}, not {kind.value}", index)
        return draft

    def known_list(self, name: str, family: Family, index: int) -> ListDraft:
        """The list of that name; Fault when there is none."""
        draft = self.lists.get((family, name))
        if draft is None:
            near = get_close_matches(name, [known for _, known in self.lists], 1)
            raise Fault(f"there is no list {name}" + (f"; did you mean {near[0]}?" if near else ""), index)
        return draft
