"""``--set NAME=VALUE``: other values for the parameters of a lab."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError

__all__ = ["add_settings"]


def add_settings(parser: ArgumentParser) -> None:
    """``--set``, as often as there are parameters."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=_setting,
        metavar="NAME=VALUE",
        dest="settings",
        help="another value for a parameter of the lab; may be repeated",
    )


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ArgumentTypeError(f"{text!r}: expected NAME=VALUE")
    return name, value
