"""Values of rows, with faults at their places."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.addresses import parse_address
from compiler.dialects.routeros.script import Script
from compiler.dialects.routeros.tables import Item
from compiler.errors import InputError, SyntaxFault
from compiler.fields import Family
from compiler.policy.network import Prefix

__all__ = ["RowReader"]


class RowReader:
    """Reads properties of rows and keeps what is wrong with them in ``faults``."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.faults: list[InputError] = []

    def fault(self, item: Item, message: str, name: str = "", kind: type[InputError] = SyntaxFault) -> None:
        """Keep a fault at a property, or at the row."""
        self.faults.append(item.fault(self.script, message, name, kind))

    def near(self, word: str, known: Iterable[str]) -> str:
        """A hint at the known word that looks most alike, or nothing."""
        from difflib import get_close_matches  # only for messages: it costs start-up time

        near = get_close_matches(word, sorted(known), 1)
        return f"; did you mean {near[0]}?" if near else ""

    def yes(self, item: Item, name: str, usual: str = "no") -> bool:
        """``yes`` or ``no``."""
        text = item.properties.get(name) or usual
        if text not in ("yes", "no", "true", "false"):
            self.fault(item, f"{name}={text}: expected yes or no", name)
        return text in ("yes", "true")

    def number(self, item: Item, name: str, usual: int, low: int, high: int) -> int:
        """A number from ``low`` to ``high``."""
        text = item.properties.get(name) or str(usual)
        if text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high:
            return int(text)
        self.fault(item, f"{name}={text}: expected a number from {low} to {high}", name)
        return usual

    def word(self, item: Item, name: str, usual: str, known: Iterable[str]) -> str:
        """One of the known words."""
        text = item.properties.get(name) or usual
        words = list(known)
        if text in words:
            return text
        hint = self.near(text, words) or f": expected {', '.join(words)}"
        self.fault(item, f"{name}={text} is none of its values{hint}", name)
        return usual

    def address(self, item: Item, text: str, family: Family, name: str) -> int | None:
        """An address of the family."""
        try:
            value, width = parse_address(text)
        except ValueError as error:
            self.fault(item, f"{name}: {error}", name)
            return None
        if width != family.width:
            self.fault(item, f"{name}: {text} is of the other address family", name)
            return None
        return value

    def length(self, item: Item, text: str, family: Family, name: str) -> int | None:
        """A prefix length, or for IPv4 a netmask."""
        if family is Family.IPV4 and "." in text:
            mask = self.address(item, text, family, name)
            if mask is None:
                return None
            inverse = mask ^ 0xFFFFFFFF
            if not inverse & (inverse + 1):
                return 32 - inverse.bit_length()
        elif text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= family.width:
            return int(text)
        self.fault(item, f"{name}: {text!r} is no prefix length: expected 0 to {family.width}", name)
        return None

    def prefix(self, item: Item, name: str, text: str, family: Family) -> Prefix | None:
        """A network; host bits are ignored, as the console does."""
        base, slash, tail = text.partition("/")
        address = self.address(item, base, family, name)
        length = self.length(item, tail, family, name) if slash else family.width
        if address is None or length is None:
            return None
        mask = (1 << (family.width - length)) - 1
        return Prefix(family, address & ~mask, length)
