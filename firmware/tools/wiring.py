"""wiring/*.csv -> wiring/*.svg, and the tables between the markers in README.md. ``--check`` writes nothing."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[1]
BOARDS = {"irrigation": "Rice-field irrigation: ATmega8535", "lamps": "House lamps: ATmega328P (Arduino Uno)"}
ROW, TOP, WIDTH = 24, 60, 980
CHIP_LEFT, CHIP_RIGHT, LABEL = 130, 330, 400
COLOURS = {"in": "#1b6ca8", "out": "#b3471b", "analogue": "#2e7d32", "power": "#6a1b9a", "": "#9e9e9e"}


def rows(board: str) -> list[dict[str, str]]:
    """The one table of a board's pins."""
    with (ROOT / "wiring" / f"{board}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(board: str) -> str:
    """As Markdown."""
    lines = ["| pin | port | direction | connects to | note |", "|---|---|---|---|---|"]
    lines += ["| " + " | ".join(row[name] for name in row) + " |" for row in rows(board)]
    return "\n".join(lines)


def picture(board: str) -> str:
    """The chip as a box, one line a pin: its name inside, the wire, what is at its end."""
    pins = rows(board)
    height = TOP + ROW * len(pins) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="20" y="30" font-size="18">{escape(BOARDS[board])}</text>',
        f'<rect x="{CHIP_LEFT}" y="{TOP - 12}" width="{CHIP_RIGHT - CHIP_LEFT}" height="{ROW * len(pins) + 12}" '
        'fill="#f5f5f5" stroke="black"/>',
    ]
    for place, row in enumerate(pins):
        y = TOP + ROW * place + ROW // 2
        colour = COLOURS[row["direction"]]
        text = row["connects to"] + (f" ({row['note']})" if row["note"] and row["connects to"] else row["note"])
        parts += [
            f'<text x="{CHIP_LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(row["pin"])}</text>',
            f'<text x="{CHIP_LEFT + 10}" y="{y + 4}">{escape(row["port"])}</text>',
            f'<line x1="{CHIP_RIGHT}" y1="{y}" x2="{LABEL - 10}" y2="{y}" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{LABEL}" y="{y + 4}" fill="{colour}">{escape(text)}</text>',
        ]
        if row["direction"] in {"in", "analogue"}:
            parts.append(f'<path d="M{CHIP_RIGHT + 2} {y} l9 -4 v8 z" fill="{colour}"/>')
        elif row["direction"] == "out":
            parts.append(f'<path d="M{LABEL - 10} {y} l-9 -4 v8 z" fill="{colour}"/>')
    return "\n".join([*parts, "</svg>", ""])


def between(text: str, name: str, content: str) -> str:
    """The text with what stands between two markers replaced."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    head, _, rest = text.partition(start)
    _, _, tail = rest.partition(end)
    return f"{head}{start}\n{content}\n{end}{tail}"


def main(arguments: list[str]) -> int:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    wanted = readme
    files = {}
    for board in BOARDS:
        wanted = between(wanted, f"wiring of {board}", table(board))
        files[ROOT / "wiring" / f"{board}.svg"] = picture(board)
    files[ROOT / "README.md"] = wanted
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"not current: {path.relative_to(ROOT)}; run make wiring", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(files[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
