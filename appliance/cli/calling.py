"""What ``gerbang call`` does: the options of a command come from the daemon's own OpenAPI document."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.cli.asking import add_question, show_rows, with_order
from appliance.cli.connecting import add_connection, connected
from appliance.cli.following import followed
from appliance.cli.keeping import completed
from appliance.cli.options import Option, arguments_from, options_of
from appliance.cli.tables import as_csv, is_table, table_of
from appliance.cli.uploads import sent
from appliance.client.errors import LoginNeeded
from compiler.errors import UsageError

if TYPE_CHECKING:
    from appliance.client.blocking import Client

__all__ = ["call"]

MEDIA = {"html": "text/html", "pdf": "application/pdf", "text": "text/plain"}


def call(arguments: Namespace) -> int:
    """Find the command, read its options, do it, show the answer."""
    with connected(_everywhere(arguments)) as client:
        try:
            return _called(client, arguments)
        except LoginNeeded as error:
            error.add_note("gerbang login keeps a token for you")
            raise


def _everywhere(arguments: Namespace) -> Namespace:
    """``--socket`` may stand behind the command too."""
    finder = ArgumentParser(add_help=False, allow_abbrev=False)
    add_connection(finder)
    behind, _rest = finder.parse_known_args(arguments.rest)
    merged = {name: value or getattr(arguments, name) for name, value in vars(behind).items()}
    return Namespace(**merged)


def _called(client: Client, arguments: Namespace) -> int:
    document = client.openapi()
    if not arguments.target:
        _list(document, client.services())
        return 0
    service, _, name = arguments.target.partition(".")
    command = document["paths"].get(f"/v1/commands/{service}/{name}")
    listing = document["paths"].get(f"/v1/listings/{service}/{name}")
    if command is None and listing is None:
        raise UsageError(_unknown(arguments.target, document))
    said = (command or listing)["post"]
    parser = ArgumentParser(
        prog=f"gerbang call {arguments.target}",
        description=f"{said['summary']} {said['description']}",
        allow_abbrev=False,
    )
    if command is None:
        add_question(parser)
        add_connection(parser)
        given = parser.parse_args(with_order(arguments.rest))
        return show_rows(client, service, name, said["x-columns"], given)
    options = options_of(said, document)
    taken = frozenset(one.name for one in options)
    add_connection(parser, taken)
    _add_common(parser, taken, documents="application/pdf" in said["responses"].get("200", {}).get("content", {}))
    for option in options:
        option.add_to(parser)
    given = parser.parse_args(arguments.rest)
    present = document["paths"].get(f"/v1/commands/{service}/{name.removesuffix('.change')}.get")
    return _do(client, service, name, said, options, given, keeps=name.endswith(".change") and present is not None)


def _add_common(parser: ArgumentParser, taken: frozenset[str], *, documents: bool) -> None:
    if "json" not in taken:
        parser.add_argument(
            "--json", dest="json_file", metavar="FILE", help="all arguments as JSON; - is standard input"
        )
    if "upload" not in taken:
        parser.add_argument(
            "--upload",
            dest="uploads",
            metavar="NAME=FILE",
            action="append",
            default=[],
            help="send a file first, and give its number as the option NAME, such as file=./x.pdf",
        )
    if "output" not in taken:
        parser.add_argument(
            "--output", dest="output_file", metavar="FILE", help="write the answer, or the file that it is, there"
        )
    choices = ("text", "json", "html", "pdf") if documents else ("text", "json", "csv")
    parser.add_argument(
        "--format", dest="output_format", choices=choices, default="text", help="how the answer is shown"
    )


def _do(
    client: Client,
    service: str,
    name: str,
    said: Mapping[str, Any],
    options: tuple[Option, ...],
    given: Namespace,
    *,
    keeps: bool,
) -> int:
    values: Mapping[str, Any] = arguments_from(options, given)
    if file := getattr(given, "json_file", None):
        values = {**_read(file), **values}
    if keeps and any(one.place[0] == "row" for one in options):
        values = completed(client, service, name, options, values)
    values = sent(client, options, getattr(given, "uploads", []), values)
    form = given.output_format
    output = Path(given.output_file) if getattr(given, "output_file", None) else None
    # A listing's name may be a command's too; a document is printed as it was rendered.
    if form != "json" and "application/pdf" in said["responses"].get("200", {}).get("content", {}):
        _write(client.document(service, name, values, MEDIA[form]), output)
        return 0
    answer = client.call(service, name, values)
    if said["x-effect"] == "work":
        return _watched(client, str(answer["work"]), form, output)
    if output is not None and form == "csv":
        _write(as_csv(answer).encode(), output)
    elif output is not None:
        _write((json.dumps(answer, indent=2, ensure_ascii=False) + "\n").encode(), output)
    else:
        _show(answer, form)
    return 0


def _write(octets: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(octets)
        sys.stdout.flush()
        return
    from appliance.client.protocol import whole

    with whole(output) as file:
        file.write(octets)


def _watched(client: Client, identity: str, form: str, output: Path | None) -> int:
    work = followed(client, identity)
    if work is None:
        return 1
    if output is not None:
        client.result(identity, output)
    else:
        _show(work.result, form)
    return 0


def _read(file: str) -> Mapping[str, Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from None
    try:
        said = json.loads(text)
    except ValueError as error:
        place = f"{file}:{getattr(error, 'lineno', 1)}:{getattr(error, 'colno', 1)}"
        raise UsageError(f"{place}: {getattr(error, 'msg', error)}") from None
    if not isinstance(said, dict):
        raise UsageError(f"{file}: the arguments are an object, {{…}}")
    return said


def _show(answer: Any, form: str) -> None:
    if form == "json":
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    elif form == "csv":
        sys.stdout.write(as_csv(answer))
    elif answer is not None:
        print("\n".join(_lines(answer)))


def _lines(value: Any, before: str = "") -> list[str]:
    """``row.name: Lotus``, one a line; records of one kind as a table under their name."""
    if is_table(value):
        return [*([f"{before}:"] if before else []), *(f"{'  ' if before else ''}{line}" for line in table_of(value))]
    if isinstance(value, Mapping):
        return [line for name, one in value.items() for line in _lines(one, f"{before}.{name}" if before else name)]
    if isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        return [line for place, one in enumerate(value) for line in _lines(one, f"{before}.{place}")]
    text = ", ".join(map(_word, value)) if isinstance(value, list) else _word(value)
    return [f"{before}: {text}" if before else text]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    # What others have written must not move the cursor of who reads it.
    text = "" if value is None else str(value)
    return "".join(one if one.isprintable() or one in "\n\t" else f"\\x{ord(one):02x}" for one in text)


def _list(document: Mapping[str, Any], services: Sequence[Mapping[str, Any]]) -> None:
    """What this person may use: the document tells of everything that there is."""
    allowed = {
        f"/v1/{kind}/{service['name']}/{one['name']}"
        for service in services
        for kind in ("commands", "listings")
        for one in service[kind]
    }
    operations = [one["post"] for path, one in document["paths"].items() if path in allowed]
    width = max((len(one["operationId"]) for one in operations), default=0)
    for one in sorted(operations, key=lambda one: str(one["operationId"])):
        print(f"{one['operationId']:{width}}  {one['summary']}")


def _unknown(target: str, document: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    known = [one["post"]["operationId"] for one in document["paths"].values() if "post" in one]
    near = get_close_matches(target, known, 1)
    return f"there is no {target}" + (f": did you mean {near[0]}?" if near else "; gerbang call lists them")
