"""``gerbang lab``: run a lab in the simulator or in the kernel, draw it, check its file, list those there are."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    run = actions.add_parser("run", help="run it and judge its assertions", allow_abbrev=False)
    _add_lab(run)
    world = run.add_mutually_exclusive_group()
    world.add_argument("--kernel", action="store_true", help="in the Linux kernel's namespaces (needs root)")
    world.add_argument("--both", action="store_true", help="in both worlds, and compare them connection by connection")
    run.add_argument("--seed", type=_seed, metavar="N", help="the seed of all chance (default: the lab's)")
    run.add_argument(
        "--capture",
        action="append",
        default=[],
        metavar="LINK",
        help="capture links: a name or a pattern such as *; may be repeated",
    )
    run.add_argument("--captures", metavar="FOLDER", help="where captures are written (default: here)")
    run.add_argument(
        "--trace", action="append", default=[], metavar="TRAFFIC", help="follow an activity's packets in the simulator"
    )
    run.add_argument("--report", metavar="OUT", help="write a report: one HTML file")
    run.add_argument("--format", choices=("text", "json"), default="text", help="how the result is printed")
    run.add_argument("--verbose", action="store_true", help="also tell of every activity")
    every = run.add_argument("--all-variants", action="store_true", help="run every variant of the lab")
    assert every.dest == "all_variants"
    graph = actions.add_parser("graph", help="draw its nodes and links", allow_abbrev=False)
    _add_lab(graph)
    graph.add_argument("--format", choices=("text", "svg"), default="text", help="a tree of lines, or a picture")
    graph.add_argument("--output", metavar="OUT", help="the file to write (default: standard output)")
    check = actions.add_parser("check", help="read its file and say what is wrong with it", allow_abbrev=False)
    _add_lab(check)
    listing = actions.add_parser("list", help="list the labs below a folder", allow_abbrev=False)
    listing.add_argument(
        "folder", nargs="?", metavar="DIR", help="where to look (default: here, else those that come along)"
    )
    listing.add_argument("--format", choices=("text", "json"), default="text", help="how the list is printed")


def _add_lab(parser: ArgumentParser) -> None:
    parser.add_argument("lab", metavar="DIR", help="the lab's folder, or its file")
    parser.add_argument("--variant", default="", metavar="NAME", help="a variant that the lab names")
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


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 2**63):
        raise ArgumentTypeError(f"{text!r}: expected a whole number from 0")
    return int(text)


def _run(arguments: Namespace) -> int:
    from importlib import import_module

    module = {"run": "running", "graph": "drawing", "check": "checking", "list": "listing"}[arguments.action]
    code: int = import_module(f"labs.cli.{module}").run(arguments)
    return code


verb = Verb(
    "run a network lab in the simulator or in the kernel, draw it, check it, list those there are",
    _configure,
    _run,
    (
        "lab run labs/ftp-filter --report report.html",
        "lab run labs/two-isps --both --seed 7 --capture adsl1",
        "lab graph labs/hospital",
        "lab list",
    ),
)
