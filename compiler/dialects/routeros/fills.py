"""What other menus put into address lists and interface lists while the router runs.

A list that PPP, DHCP, DNS, a hotspot, detect-internet or a script adds to
cannot be known from its rows. Properties that only use a list are left alone.
Source: MikroTik documentation ("PPP", "DHCP", "DNS", "Detect Internet",
"Scheduler", "Neighbor discovery", "MAC server").
"""

from __future__ import annotations

import re

from compiler.dialects.routeros.script import Opaque, Path, Script, Statement
from compiler.errors import Unmodelled

__all__ = ["Fills"]

_FILLS = re.compile(r"(?:.*[.-])?(address|interface)-lists?")
_ONLY_USES = frozenset(
    {
        "src-address-list",
        "dst-address-list",
        "in-interface-list",
        "out-interface-list",
        "discover-interface-list",
        "allowed-interface-list",
        "detect-interface-list",
    }
)
_SCRIPTS = re.compile(r"source|on-.*|.*-?script")
"""Properties that hold commands for later."""
_CHANGES = {
    "address": re.compile(r"address-list"),
    "interface": re.compile(r"interface[\s/]+list\b"),
}
_ASKS = frozenset({"print", "find", "export", "get", "remove", "unset", "reset-counters", "reset-counters-all"})


class Fills:
    """The lists that something adds to, each with the reason, by the kind of the list."""

    def __init__(self) -> None:
        self._filled: dict[tuple[str, str], str] = {}
        self._disabled: dict[Path, dict[tuple[str, str], str]] = {}
        self._scripts: list[str] = []
        self._said: str | None = None

    def by_rules(self, name: str) -> None:
        """Note an address list that firewall rules add to."""
        self._filled.setdefault(("address", name), f"rules fill the address list {name} while the router runs")

    def note(self, script: Script, statement: Statement) -> None:
        """Note what a statement of a skipped menu fills. Raises InputError where its list cannot be known."""
        command, path = statement.command, statement.path
        if command in _ASKS:
            return
        arguments = dict(statement.arguments)
        if command == "enable" or (command == "set" and arguments.get("disabled") in ("no", "false")):
            # Which row it is does not matter: all that the menu's disabled rows name is in doubt then.
            self._filled |= self._disabled.pop(path, {})
        disabled = command == "add" and arguments.get("disabled") in ("yes", "true")
        into = self._disabled.setdefault(path, {}) if disabled else self._filled
        for index, (name, value) in enumerate(statement.arguments):
            text = value.text if isinstance(value, Opaque) else value
            if _SCRIPTS.fullmatch(name):
                self._scripts.append(text)
                continue
            fills = _FILLS.fullmatch(name)
            if fills is None or name in _ONLY_USES:
                continue
            if isinstance(value, Opaque):
                why = f"{name}={text[:40]} can only be known on a running router: not modelled"
                raise script.fault_at(why, statement, index, Unmodelled)
            kind = fills[1]
            rules = path[1:2] == ("firewall",)
            who = "rules fill" if rules else f"/{' '.join(path)} fills"
            for part in text.split(","):
                listed = part.strip()
                into.setdefault((kind, listed), f"{who} the {kind} list {listed} while the router runs")

    def address_list(self, name: str) -> str:
        """Why an address list may hold more than its rows, or ``""``."""
        return self._why("address", name)

    def interface_list(self, name: str) -> str:
        """Why an interface list may hold more than its members, or ``""``."""
        return self._why("interface", name)

    def _why(self, kind: str, name: str) -> str:
        why = self._filled.get((kind, name), "")
        if why or not self._scripts:
            return why
        if self._said is None:
            self._said = "\n".join(self._scripts)
        # The name may reach the command through a variable: any word of any script counts.
        word = rf"(?<![\w.-]){re.escape(name)}(?![\w.-])"
        if _CHANGES[kind].search(self._said) and re.search(word, self._said):
            return f"a script names the {kind} list {name} and may change it"
        return ""
