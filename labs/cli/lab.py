"""``gerbang lab``: run a lab in the simulator or in the kernel, trace packets, draw and check it, list labs."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace, _SubParsersAction

from compiler.cli.verb import Verb
from labs.cli.settings import add_settings

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
        "--outputs", metavar="FOLDER", help="keep what programs and commands say, a file each (in the kernel)"
    )
    run.add_argument(
        "--trace", action="append", default=[], metavar="TRAFFIC", help="follow an activity's packets in the simulator"
    )
    run.add_argument("--report", metavar="OUT", help="write a report: one HTML file")
    run.add_argument("--format", choices=("text", "json"), default="text", help="how the result is printed")
    run.add_argument("--verbose", action="store_true", help="also tell of every activity")
    every = run.add_argument("--all-variants", action="store_true", help="run every variant of the lab")
    assert every.dest == "all_variants"
    _add_compare(actions)
    _add_published(actions)
    graph = actions.add_parser("graph", help="draw its nodes and links", allow_abbrev=False)
    _add_lab(graph)
    graph.add_argument("--format", choices=("text", "svg"), default="text", help="a tree of lines, or a picture")
    graph.add_argument("--output", metavar="OUT", help="the file to write (default: standard output)")
    check = actions.add_parser("check", help="read its file and say what is wrong with it", allow_abbrev=False)
    _add_lab(check)
    trace = actions.add_parser("trace", help="follow one packet through its network", allow_abbrev=False)
    _add_lab(trace)
    trace.add_argument("sender", metavar="FROM", help="the host that sends it; or ROUTER:PORT, for who is beyond it")
    trace.add_argument("packet", metavar="PACKET", help="for example 'tcp 10.0.0.2:1025 > 10.0.1.9:80 flags=syn'")
    trace.add_argument(
        "--dead", action="append", default=[], metavar="NAME", help="a node or link that is dead; may be repeated"
    )
    trace.add_argument("--format", choices=("text", "json"), default="text", help="how the way is printed")
    listing = actions.add_parser("list", help="list the labs below a folder", allow_abbrev=False)
    listing.add_argument(
        "folder", nargs="?", metavar="DIR", help="where to look (default: here, else those that come along)"
    )
    listing.add_argument("--format", choices=("text", "json"), default="text", help="how the list is printed")
    _add_router(actions)


def _add_router(actions: _SubParsersAction[ArgumentParser]) -> None:
    router = actions.add_parser("router", help="run a virtual RouterOS on loopback, until Ctrl-C", allow_abbrev=False)
    router.add_argument("file", nargs="?", metavar="FILE.rsc", help="what it begins with (default: nothing)")
    router.add_argument("--version", default="7.18.2", metavar="VERSION", help="of RouterOS: 6.x or 7.x")
    router.add_argument("--port", type=_port, metavar="N", help="of the API (default: 8728, with TLS 8729; 0 is any)")
    router.add_argument("--tls", action="store_true", help="with TLS, and a certificate made for this run")
    router.add_argument("--user", default="admin", metavar="U", help="who may log in (default: admin)")
    router.add_argument("--password-file", metavar="F", help="its first line is the password (default: none)")
    router.add_argument(
        "--interfaces",
        type=_interfaces,
        default=("ether1", "ether2", "ether3", "ether4", "ether5"),
        metavar="NAME,NAME…",
        help="its ports (default: ether1 to ether5)",
    )
    router.add_argument("--export", metavar="OUT", help="write its tables to this file at the end")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 1 << 16):
        raise ArgumentTypeError(f"{text!r}: expected a port from 0 to 65535")
    return int(text)


def _interfaces(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise ArgumentTypeError(f"{text!r}: expected names with commas in between, each once")
    return names


def _add_published(actions: _SubParsersAction[ArgumentParser]) -> None:
    published = actions.add_parser(
        "published", help="what a paper says of the network, beside what the lab gives", allow_abbrev=False
    )
    published.add_argument("lab", metavar="DIR", help="the lab's folder, with a published.yaml")
    published.add_argument(
        "--world", choices=("simulated", "kernel", "both"), default="simulated", help="where (the kernel needs root)"
    )
    published.add_argument("--rows", action="store_true", help="only the paper's rows, not the methods compared")
    published.add_argument("--report", metavar="OUT", help="write tables and plots to one HTML file")
    published.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="how the result is printed"
    )


def _add_compare(actions: _SubParsersAction[ArgumentParser]) -> None:
    compare = actions.add_parser("compare", help="run its variants and measure them in one table", allow_abbrev=False)
    compare.add_argument("lab", metavar="DIR", help="the lab's folder, or its file")
    compare.add_argument(
        "--world", choices=("simulated", "kernel", "both"), default="simulated", help="where (the kernel needs root)"
    )
    compare.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="NAME",
        dest="variants",
        help="only this variant; may be repeated",
    )
    compare.add_argument("--plain", action="store_true", help="also the lab as it stands, without a variant")
    compare.add_argument("--seed", type=_seed, metavar="N", help="the seed of all chance (default: the lab's)")
    compare.add_argument("--report", metavar="OUT", help="write the tables to one HTML file")
    compare.add_argument("--format", choices=("text", "json"), default="text", help="how the result is printed")
    add_settings(compare)


def _add_lab(parser: ArgumentParser) -> None:
    parser.add_argument("lab", metavar="DIR", help="the lab's folder, or its file")
    parser.add_argument("--variant", default="", metavar="NAME", help="a variant that the lab names")
    add_settings(parser)


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 2**63):
        raise ArgumentTypeError(f"{text!r}: expected a whole number from 0")
    return int(text)


def _run(arguments: Namespace) -> int:
    from importlib import import_module

    modules = {"run": "running", "graph": "drawing", "check": "checking", "list": "listing", "trace": "tracing"}
    modules |= {"compare": "comparing", "published": "publishing", "router": "routing"}
    code: int = import_module(f"labs.cli.{modules[arguments.action]}").run(arguments)
    return code


verb = Verb(
    "run a network lab in the simulator or in the kernel, compare its variants, trace, draw, check and list labs",
    _configure,
    _run,
    (
        "lab run labs/ftp-filter --report report.html",
        "lab run labs/two-isps --both --seed 7 --capture adsl1",
        "lab compare labs/two-isps --report comparison.html",
        "lab router --version 7.18.2 --export after.rsc",
        "lab run labs/hospital/mail.yaml --kernel",
        "lab graph labs/hospital",
        "lab trace labs/ios-edge odd 'tcp 10.0.0.3:1025 > 203.0.113.9:80 flags=syn'",
        "lab list",
    ),
)
