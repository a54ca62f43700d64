"""The rows that a device has, read back: as wanted, and proved like a compiled script."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from compiler.balancing.plan import Plan
from compiler.balancing.proof import BalanceProof
from compiler.balancing.proof import prove as prove_plan
from compiler.balancing.view import view_routeros
from compiler.deploy.routeros.before import is_satisfied, key_of
from compiler.deploy.routeros.difference import Tables
from compiler.deploy.routeros.menus import SCRIPTS, Menu, Row, Values, menus_of, settled
from compiler.deploy.routeros.wanted import Wanted
from compiler.dialects.routeros.quoting import quote

__all__ = ["digest_of", "prove_rows", "text_of", "wanted_digest"]


def text_of(tables: Tables, wanted: Wanted, version: int) -> str:
    """Our rows, and those of others that stand for ours, as a script.

    What a lease has filled in since then stands there as it was before the lease.
    """
    lines = [f"# by RouterOS {version}"]
    for menu in menus_of(version):
        if menu is SCRIPTS:
            continue
        if menu.is_settings:
            values = tables[menu][0].values if tables[menu] else {}
            held = {name: values.get(name, "") for name in wanted.settings.get(menu, {})}
            lines += [f"{menu.name} set {_words(menu, held)}"] if held else []
            continue
        spare = {one["comment"]: one for one in wanted.rows[menu] if settled(one) is not one}
        lent = {key_of(menu, one): one for one in wanted.rows[menu]} if menu.key else {}
        for row in tables[menu]:
            same = lent.get(key_of(menu, row.values))
            if same is not None and is_satisfied(menu, row, same):
                lines.append(f"{menu.name} add {_words(menu, {**row.values, **same})}")
            elif row.is_ours:
                own = {**spare.get(row.values["comment"], {}), **settled(row.values)}
                lines.append(f"{menu.name} add {_words(menu, own)}")
    return "\n".join(lines) + "\n"


def _words(menu: Menu, values: Values) -> str:
    return " ".join(f"{name}={_value(value)}" for name, value in values.items() if value)


def _value(value: str) -> str:
    return f"!{quote(value[1:])}" if value.startswith("!") else quote(value)


def prove_rows(plan: Plan, tables: Tables, wanted: Wanted, version: int) -> BalanceProof:
    """The theorem of :mod:`compiler.balancing.proof` about the device's own rows. Raises InputErrors."""
    return prove_plan(plan, view_routeros(text_of(tables, wanted, version), "the device"))


def digest_of(tables: Tables, version: int) -> str:
    """What tells whether our rows are still those that were applied."""
    return _digest({menu: [row.values for row in tables[menu] if row.is_ours] for menu in menus_of(version)})


def wanted_digest(tables: Tables, wanted: Wanted, version: int) -> str:
    """The digest of a device that is as wanted. ``tables`` are those before: what others have there is not ours."""
    return _digest({menu: list(_to_be_ours(menu, tables[menu], wanted)) for menu in menus_of(version)})


def _to_be_ours(menu: Menu, rows: Sequence[Row], wanted: Wanted) -> Iterator[Values]:
    theirs = {key_of(menu, row.values): row for row in rows if menu.key and not row.is_ours and not row.is_dynamic}
    for values in wanted.rows.get(menu, ()):
        row = theirs.get(key_of(menu, values))
        if row is None or not is_satisfied(menu, row, values):
            yield values


def _digest(rows: Mapping[Menu, list[Values]]) -> str:
    parts = []
    for menu, several in rows.items():
        if menu.is_settings:
            continue
        # Of an open menu's rows the balance decides some values only, and which ones the rows do not tell.
        kept = {*menu.key, "comment"} if menu.is_open else None
        texts = [
            repr(sorted((name, value) for name, value in settled(values).items() if kept is None or name in kept))
            for values in several
        ]
        parts.append((menu.name, texts if menu.is_ordered else sorted(texts)))
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]
