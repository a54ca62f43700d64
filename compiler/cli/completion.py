"""``gerbang completion``: scripts for bash, zsh and fish, made from the parsers themselves."""

from __future__ import annotations

from argparse import Action, ArgumentParser, Namespace, _HelpAction
from collections.abc import Iterator
from typing import NamedTuple

from compiler.cli.output import emit
from compiler.cli.verb import Verb
from compiler.cli.verbs import all_verbs, load

__all__ = ["verb"]

FILE_METAVARS = frozenset({"FILE", "A", "B", "OLD", "NEW", "OUT"})
"""Arguments that stand for a file name say so by their metavar."""


class Option(NamedTuple):
    """One option of a verb, as completion sees it."""

    flags: tuple[str, ...]
    summary: str
    takes_value: bool
    choices: tuple[str, ...]
    takes_file: bool
    repeats: bool


class Completed(NamedTuple):
    """One verb, as completion sees it. ``words`` are the choices of its positional argument, if it has any."""

    name: str
    summary: str
    options: tuple[Option, ...]
    words: tuple[str, ...]
    takes_file: bool


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(_SHELLS), help="the shell to write a script for")


def _run(options: Namespace) -> int:
    emit("\n".join(_SHELLS[options.shell](tuple(_verbs()))))
    return 0


def _verbs() -> Iterator[Completed]:
    from compiler.cli.main import build_parser
    from compiler.errors import UsageError

    for registered in all_verbs():
        try:
            loaded = load(registered)
        except UsageError:  # a stranger's broken verb: --help names it
            continue
        parser = build_parser(registered, loaded)
        positional = [action for action in parser._actions if not action.option_strings]
        yield Completed(
            registered.name,
            loaded.summary,
            tuple(_option(action) for action in parser._actions if action.option_strings),
            tuple(str(word) for action in positional for word in action.choices or ()),
            any(action.metavar in FILE_METAVARS for action in positional),
        )


def _option(action: Action) -> Option:
    return Option(
        tuple(action.option_strings),
        "this text" if isinstance(action, _HelpAction) else (action.help or "").partition(";")[0],
        action.nargs != 0,
        tuple(str(choice) for choice in action.choices or ()),
        action.metavar in FILE_METAVARS,
        type(action).__name__ == "_AppendAction",
    )


def _bash(verbs: tuple[Completed, ...]) -> Iterator[str]:
    yield "# bash completion for gerbang: source it, or put it into /etc/bash_completion.d/gerbang"
    yield "_gerbang() {"
    yield '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" verb="${COMP_WORDS[1]}"'
    yield "    COMPREPLY=()"
    yield '    if [ "$COMP_CWORD" -eq 1 ]; then'
    names = " ".join(verb.name for verb in verbs)
    yield f"        COMPREPLY=($(compgen -W '{names} --help --version' -- \"$word\"))"
    yield "        return"
    yield "    fi"
    yield '    case "$verb $before" in'
    for verb in verbs:
        for option in verb.options:
            if not option.takes_value:
                continue
            pattern = "|".join(f"'{verb.name} {flag}'" for flag in option.flags)
            if option.choices:
                reply = f"COMPREPLY=($(compgen -W '{' '.join(option.choices)}' -- \"$word\"))"
            elif option.takes_file:
                reply = 'COMPREPLY=($(compgen -f -- "$word"))'
            else:
                reply = ":"
            yield f"        {pattern}) {reply}; return ;;"
    yield "    esac"
    yield '    case "$verb" in'
    for verb in verbs:
        flags = " ".join(flag for option in verb.options for flag in option.flags)
        words = " ".join(verb.words)
        yield f"        {verb.name})"
        yield '            if [[ "$word" == -* ]]; then'
        yield f"                COMPREPLY=($(compgen -W '{flags}' -- \"$word\"))"
        if verb.takes_file:
            yield "            else"
            yield '                COMPREPLY=($(compgen -f -- "$word"))'
        elif words:
            yield "            else"
            yield f"                COMPREPLY=($(compgen -W '{words}' -- \"$word\"))"
        yield "            fi ;;"
    yield "    esac"
    yield "}"
    yield "complete -o filenames -F _gerbang gerbang"


def _zsh(verbs: tuple[Completed, ...]) -> Iterator[str]:
    yield "#compdef gerbang"
    yield "# zsh completion for gerbang: save it as _gerbang in a folder of $fpath"
    yield "_gerbang() {"
    yield "    local -a verbs"
    yield "    if (( CURRENT == 2 )); then"
    yield "        verbs=("
    for verb in verbs:
        yield f"            {_quoted(verb.name + ':' + verb.summary)}"
    yield "        )"
    yield "        _describe verb verbs"
    yield "        return"
    yield "    fi"
    yield "    local verb=$words[2]"
    yield "    shift words"
    yield "    (( CURRENT-- ))"
    yield "    case $verb in"
    for verb in verbs:
        yield f"        {verb.name})"
        yield "            _arguments \\"
        for option in verb.options:
            for flag in option.flags:
                yield f"                {_quoted(_zsh_option(option, flag))} \\"
        rest = f"*:word:({' '.join(verb.words)})" if verb.words else "*:file:_files" if verb.takes_file else "*: :"
        yield f"                {_quoted(rest)} ;;"
    yield "    esac"
    yield "}"
    yield 'if [ "$funcstack[1]" = _gerbang ]; then _gerbang "$@"; else compdef _gerbang gerbang; fi'


def _zsh_option(option: Option, flag: str) -> str:
    summary = option.summary.replace("[", "(").replace("]", ")").replace(":", "")
    text = f"{'*' if option.repeats else ''}{flag}[{summary}]"
    if not option.takes_value:
        return text
    if option.choices:
        return f"{text}:value:({' '.join(option.choices)})"
    return f"{text}:file:_files" if option.takes_file else f"{text}:value: "


def _fish(verbs: tuple[Completed, ...]) -> Iterator[str]:
    yield "# fish completion for gerbang: save it as ~/.config/fish/completions/gerbang.fish"
    yield "complete -c gerbang -f"
    yield "complete -c gerbang -n __fish_use_subcommand -l help -d 'the verbs'"
    yield "complete -c gerbang -n __fish_use_subcommand -l version -d 'the version of gerbang'"
    for verb in verbs:
        yield f"complete -c gerbang -n __fish_use_subcommand -a {verb.name} -d {_quoted(verb.summary)}"
        begin = f"complete -c gerbang -n '__fish_seen_subcommand_from {verb.name}'"
        if verb.takes_file:
            yield f"{begin} -F"
        elif verb.words:
            yield f"{begin} -a {_quoted(' '.join(verb.words))}"
        for option in verb.options:
            yield f"{begin} {_fish_option(option)}"


def _fish_option(option: Option) -> str:
    names = (f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)
    text = f"{' '.join(names)} -d {_quoted(option.summary)}"
    if not option.takes_value:
        return text
    if option.choices:
        return f"{text} -x -a {_quoted(' '.join(option.choices))}"
    return f"{text} -r -F" if option.takes_file else f"{text} -x"


def _quoted(text: str) -> str:
    """In single quotes; apostrophes are left out, because the three shells escape them differently."""
    return "'" + text.replace("'", "") + "'"


_SHELLS = {"bash": _bash, "zsh": _zsh, "fish": _fish}

verb = Verb(
    "write a completion script for bash, zsh or fish",
    _configure,
    _run,
    ("completion bash > /etc/bash_completion.d/gerbang", "completion fish > ~/.config/fish/completions/gerbang.fish"),
)
