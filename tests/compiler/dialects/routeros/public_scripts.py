"""The scripts after public ones, with what was written down of each by hand; and what to ask of any text."""

import os
from dataclasses import replace
from pathlib import Path

import yaml

from compiler.dialects.routeros.network import read_network
from compiler.dialects.routeros.quoting import quote
from compiler.dialects.routeros.reader import read
from compiler.dialects.routeros.script import Opaque, parse
from compiler.errors import GerbangError, InputError, InputErrors
from compiler.source import NOWHERE

ROOT = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "corpus" / "routeros" / "public"
EXPECTED = yaml.safe_load((ROOT / "expected.yaml").read_text("utf-8"))
NAMES = sorted(EXPECTED)

OWN = os.environ.get("GERBANG_PUBLIC_SCRIPTS", "")
"""A folder of scripts that may not be kept here, to be read too."""
OWN_PATHS = sorted(Path(OWN).rglob("*.rsc")) if OWN else []


def text_of(path):
    """A script with its own line ends."""
    return path.read_bytes().decode("utf-8", "surrogateescape")


def script(name):
    return text_of(ROOT / "after" / name)


def rules_of(text, name):
    return read(text, name, unmodelled="simulate")


READERS = {"rules": rules_of, "network": read_network}


def refusals(reader, text, name):
    """The errors of one reading, in order; none where it is read."""
    try:
        READERS[reader](text, name)
    except InputErrors as several:
        return several.errors
    except InputError as error:
        return (error,)
    return ()


def misplaced(text, name):
    """What is wrong with the errors that a text is refused with: nothing, where each has its right place."""
    lines = text.split("\n")
    wrong = []
    for reader in READERS:
        try:
            errors = refusals(reader, text, name)
        except GerbangError as error:
            wrong.append((reader, "no place", str(error)))
            continue
        for error in errors:
            line, column = error.span.line, error.span.column
            there = 1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1
            shown = error.render().startswith(f"{name}:{line}:{column}: ")
            if not (there and shown and error.message and error.span.source == name):
                wrong.append((reader, error.span, error.message))
    return wrong


def written_out(text, name):
    """The same script with one statement a line, each with its whole path, and every value quoted anew."""
    lines = []
    for statement in parse(text, name).statements:
        words = ["/" + " ".join(statement.path)] if not statement.command.startswith(":") else []
        words += [statement.command] if statement.command else []
        for argument, value in statement.arguments:
            shown = value.text if isinstance(value, Opaque) else quote(value)
            if argument == "!":
                shown = f"!{value}"
            elif argument:
                shown = f"{argument}={shown}"
            elif isinstance(value, str):
                shown = value
            words.append(shown)
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def meant(ruleset):
    """A firewall without its places and its text."""
    chains = [
        replace(
            chain,
            span=NOWHERE,
            rules=tuple(
                replace(
                    rule,
                    span=NOWHERE,
                    unmodelled=tuple((clause.text, clause.meaning) for clause in rule.unmodelled),
                )
                for rule in chain.rules
            ),
        )
        for chain in ruleset.chains
    ]
    return chains, [replace(named, span=NOWHERE) for named in ruleset.sets]


def led(network):
    """A network without its places and its text."""
    return (
        network.version,
        network.hostname,
        network.tables,
        [replace(one, span=NOWHERE) for one in network.interfaces],
        [replace(one, span=NOWHERE) for one in network.routes],
        [replace(one, span=NOWHERE) for one in network.rules],
        network.name_servers,
        network.multipath_policy,
    )
