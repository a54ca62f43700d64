"""Arguments that several verbs share, so that the same thing is called the same everywhere."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable

__all__ = [
    "DIALECT_NAMES",
    "FILE",
    "add_dialect",
    "add_file",
    "add_format",
    "add_fragments",
    "add_interfaces",
    "add_pairs",
    "add_unmodelled",
    "add_verbose",
    "mapping",
    "positive",
]

DIALECT_NAMES = ("ios", "nftables", "routeros")
"""The same as ``compiler.dialects.DIALECTS``, without the import; a test holds them together."""

FILE = "FILE"
"""The metavar by which shell completion knows that a file name is expected."""


def add_file(parser: ArgumentParser, name: str = "file", text: str = "a configuration") -> None:
    """A positional argument that names a file."""
    parser.add_argument(name, metavar=FILE if name == "file" else name.upper(), help=f'{text}, "-" for standard input')


def add_format(parser: ArgumentParser, *more: str) -> None:
    """``--format``: text, json, and what else the verb can write."""
    parser.add_argument(
        "--format", choices=("text", "json", *more), default="text", help="how the result is written (default: text)"
    )


def add_dialect(parser: ArgumentParser, flag: str = "--from", whose: str = "the configuration") -> None:
    """The dialect of an input; looked for in the text when not given."""
    parser.add_argument(
        flag,
        dest=f"{flag.lstrip('-')}_dialect",
        choices=DIALECT_NAMES,
        help=f"dialect of {whose} (default: seen from the text)",
    )


def add_unmodelled(parser: ArgumentParser) -> None:
    """``--unmodelled``: what to do with clauses that are known and not modelled."""
    parser.add_argument(
        "--unmodelled",
        choices=("refuse", "bound"),
        default="refuse",
        help="clauses that are not modelled: an error (default), or a bound that is never wider than the source",
    )


def add_interfaces(parser: ArgumentParser, left: str = "source", right: str = "target") -> None:
    """``--interface A=B``, as often as there are interfaces."""
    parser.add_argument(
        "--interface",
        action="append",
        default=[],
        type=_pair,
        metavar="A=B",
        dest="interfaces",
        help=f"interface A of the {left} is interface B of the {right}; may be repeated",
    )


def add_fragments(parser: ArgumentParser) -> None:
    """``--fragments``: whether later fragments are compared too."""
    parser.add_argument(
        "--fragments",
        choices=("exact", "reassembled"),
        default="exact",
        help="compare later fragments too (exact, the default), or whole packets only (reassembled)",
    )


def add_verbose(parser: ArgumentParser) -> None:
    """``--verbose``."""
    parser.add_argument("--verbose", action="store_true", help="also tell what was skipped")


def mapping(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The pairs as a mapping. Raises UsageError when one name is given two partners."""
    found: dict[str, str] = {}
    for left, right in pairs:
        if found.setdefault(left, right) != right:
            from compiler.errors import UsageError

            raise UsageError(f"--interface {left} is given twice, as {found[left]!r} and as {right!r}")
    return found


def positive(text: str) -> int:
    """A whole number above zero, as argparse wants it."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r}: expected a whole number above zero")
    return int(text)


def add_pairs(parser: ArgumentParser) -> None:
    """``--list A=B``, as often as lists have partners of another name; ``--list A`` is ``--list A=A``."""
    parser.add_argument(
        "--list",
        action="append",
        default=[],
        type=_pair_or_name,
        metavar="A=B",
        dest="lists",
        help="compare list A of the first with list B of the second; may be repeated "
        "(default: paired by binding, then by name)",
    )


def _pair(text: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not (left and equals and right):
        raise ArgumentTypeError(f"{text!r}: expected A=B")
    return left, right


def _pair_or_name(text: str) -> tuple[str, str]:
    return _pair(text) if "=" in text else (text, text)
