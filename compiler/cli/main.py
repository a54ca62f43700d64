"""The entry of the command: find the verb, parse its arguments, run it, turn what happened into an exit code."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from compiler.cli.verbs import Registered, all_verbs, find, load

if TYPE_CHECKING:
    from typing import TextIO

    from _typeshed import SupportsWrite

    from compiler.cli.verb import Verb
    from compiler.errors import GerbangError

__all__ = ["build_parser", "main"]

INTERRUPTED = 130
PIPE_CLOSED = 141
"""What a shell reports for SIGINT and SIGPIPE: 128 and the signal's number."""

DESCRIPTION = "A network policy compiler that proves its output."

ENDING = """\
"gerbang VERB --help" tells more about one verb. FILE may be "-" for standard input.
Exit codes: 0 fine; 1 a finding, a difference, a failed proof, or the target refuses; 2 wrong use or wrong input.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``gerbang`` with these arguments (those of the process when None) and return its exit code."""
    if arguments is None:
        # A process of a few seconds makes hundreds of thousands of values and hardly a cycle:
        # looking for cycles costs a fifth of a large compile.
        gc.disable()
    words = list(sys.argv[1:] if arguments is None else arguments)
    _open_outputs()
    try:
        try:
            code = _dispatch(words)
        except SystemExit as leaving:  # argparse: 0 after --help, 2 after an error
            code = leaving.code if isinstance(leaving.code, int) else 2
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone, as in "gerbang … | head". Nothing more can be said to it,
        # and the interpreter must not try when it flushes at exit.
        _silence(sys.stdout)
        code = PIPE_CLOSED
    except OSError as error:
        code = _lost(error, words)
    return code


class _ClosedOutput(io.TextIOBase):
    """Stands for a standard output that the caller has closed: what was written is lost, and a flush says so."""

    def __init__(self) -> None:
        super().__init__()
        self._lost = False

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._lost = self._lost or bool(text)
        return len(text)

    def flush(self) -> None:
        if self._lost:
            self._lost = False
            raise OSError(errno.EBADF, "it is closed")


def _open_outputs() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A configuration has the same bytes on a terminal, in a pipe and in a file.
        sys.stdout.reconfigure(encoding="utf-8")
    elif sys.stdout is None:
        sys.stdout = _ClosedOutput()
    if sys.stderr is None:
        sys.stderr = io.StringIO()  # "print" would take standard output instead


def _lost(error: OSError, words: list[str]) -> int:
    """A full disk or a closed descriptor: say so where that is possible, and leave nothing for the exit to flush."""
    name = [word for word in words[:1] if find(word) is not None]
    what = f"cannot use {error.filename!r}" if error.filename else "cannot write the output"
    _silence(sys.stdout)
    try:
        print(f"{' '.join(['gerbang', *name])}: {what}: {error.strerror or error}", file=sys.stderr)
    except OSError:
        _silence(sys.stderr)
    return 2


def _silence(stream: TextIO) -> None:
    """Send what the stream still holds nowhere: the interpreter flushes it at exit. No-op without a descriptor."""
    with contextlib.suppress(io.UnsupportedOperation):
        descriptor = stream.fileno()
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _dispatch(words: list[str]) -> int:
    if not words:
        sys.stderr.write(_help())
        return 2
    if words[0] in ("-h", "--help"):
        sys.stdout.write(_help())
        return 0
    if words[0] == "--version":
        print(f"gerbang {_version()}")
        return 0
    return _run(words[0], words[1:])


def _run(name: str, rest: list[str]) -> int:
    registered = find(name)
    if registered is None:
        return _complain(f"gerbang: {_unknown(name)}")
    from compiler.errors import GerbangError

    try:
        verb = load(registered)
        return verb.run(_parsed(build_parser(registered, verb), rest))
    except GerbangError as error:
        _complain(_said(error, name))
        for advice in getattr(error, "__notes__", ()):
            _complain(f"gerbang {name}: {advice}")
        return error.exit_code
    except RecursionError:
        return _complain(f"gerbang {name}: the input nests too deeply")


class _Parser(ArgumentParser):
    """A parser that does not swallow what goes wrong when it prints its help."""

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        (file or sys.stdout).write(self.format_help())


def _parsed(parser: ArgumentParser, words: Sequence[str]) -> Namespace:
    """Options may stand between files too, where a verb takes any number of files."""
    if any(not action.option_strings and action.nargs in ("*", "+") for action in parser._actions):
        return parser.parse_intermixed_args(words)
    return parser.parse_args(words)


def build_parser(registered: Registered, verb: Verb) -> ArgumentParser:
    """The verb's own parser, as it runs and as shell completion reads it."""
    examples = "".join(f"  gerbang {example}\n" for example in verb.examples)
    parser = _Parser(
        prog=f"gerbang {registered.name}",
        description=verb.summary,
        epilog=f"examples:\n{examples}" if examples else None,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verb.configure(parser)
    return parser


def _complain(text: str) -> int:
    print(text, file=sys.stderr)
    return 2


def _said(error: GerbangError, verb: str) -> str:
    """Errors with a place begin with that place, as compilers' do; the others with our name."""
    from compiler.errors import InputError, InputErrors

    text = error.render()
    return text if isinstance(error, InputError | InputErrors) else f"gerbang {verb}: {text}"


def _unknown(name: str) -> str:
    if name.startswith("-"):
        return f"unknown option {name!r}: a verb comes first (see gerbang --help)"
    from difflib import get_close_matches

    near = get_close_matches(name, [verb.name for verb in all_verbs()], 1)
    hint = f"did you mean {near[0]!r}?" if near else "see gerbang --help"
    return f"unknown verb {name!r}: {hint}"


def _help() -> str:
    verbs = all_verbs()
    width = max(len(verb.name) for verb in verbs)
    lines = [f"  {verb.name:{width}}  {_summary(verb)}\n" for verb in verbs]
    return (
        "usage: gerbang [--help] [--version] VERB …\n\n"
        f"{DESCRIPTION}\n\nverbs:\n{''.join(lines)}\n"
        "options:\n  -h, --help   this text\n  --version    the version of gerbang\n\n" + ENDING
    )


def _summary(registered: Registered) -> str:
    try:
        return load(registered).summary
    except Exception as error:
        from compiler.errors import GerbangError  # here, because --help must not wait for it

        if not isinstance(error, GerbangError):
            raise
        return f"({error})"


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gerbang")
    except PackageNotFoundError:
        return "(not installed)"
