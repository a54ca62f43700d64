"""Words about the network itself, whatever traffic the lab makes: those of :mod:`compiler.testing`, asked of the lab.

Three of them are words about the run too (``sticky``, ``balanced``,
``recovers``). They mean the same: with ``from`` and ``to`` connections of their
own are opened in the simulator, else the run's are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from labs.observation import Observation
from labs.topology import Lab
from labs.words.word import ArgumentKind, Arguments, Judged, Parameter, Word

if TYPE_CHECKING:
    from compiler.testing.answer import Answer
    from compiler.testing.networks.model import NetworkModel
    from compiler.testing.networks.verification import Verification

__all__ = ["NEEDED", "OF_THE_RUN", "WORDS", "asked_too", "judged_of"]

Ask = Callable[["Verification", Arguments], "Answer"]

_UNDER = {"under": Parameter(ArgumentKind.FAILURES), "among": Parameter(ArgumentKind.TEXTS)}
_TEXT = Parameter(ArgumentKind.TEXT)
_ENDS = {
    "from": Parameter(ArgumentKind.TEXT, required=True),
    "to": Parameter(ArgumentKind.TEXT, required=True),
    "service": _TEXT,
}

_model: list[tuple[Lab, NetworkModel]] = []
"""The model of the lab that was asked about last: assertions of one lab come together."""


def _verification(lab: Lab, arguments: Arguments) -> Verification:
    from labs.testing.models import model_of

    if not _model or _model[0][0] is not lab:
        _model[:] = [(lab, model_of(lab))]
    found = _model[0][1].verify()
    failures = arguments.integer("under")
    if failures is not None:
        found = found.under(failures, among=arguments.texts("among"))
    return found


def _asked(ask: Ask) -> Callable[[Lab, Observation, Arguments], Judged]:
    def judge(lab: Lab, _: Observation, arguments: Arguments) -> Judged:
        return judged_of(ask(_verification(lab, arguments), arguments))

    return judge


def judged_of(answer: Answer) -> Judged:
    """An answer on one line: what was found, and of a failure the packet, its way with the rules, and the command."""
    parts = [f"{answer.sureness.value}: {answer.decided}"] if answer.held else []
    parts += [answer.said] if answer.said else []
    witness = answer.witness
    if witness is not None:
        way = [
            str(hop) + (f" [{'; '.join(str(rule) for rule in hop.rules)}]" if hop.rules else "") for hop in witness.path
        ]
        parts += [f"packet {witness.packet}", f"path {' > '.join(way)}"]
        parts += [f"repeat: {witness.command}"] if witness.command else []
    return Judged(answer.held, "; ".join(parts))


# -- asking --------------------------------------------------------------------------------------


def _ends(arguments: Arguments) -> tuple[str, str, str]:
    return arguments.text("from"), arguments.text("to"), arguments.text("service")


def _isolated(verification: Verification, arguments: Arguments) -> Answer:
    left, right, service = _ends(arguments)
    return verification.ask_isolated(left, right, service)


def _shadowed(verification: Verification, arguments: Arguments) -> Answer:
    name, model = arguments.text("node"), verification.model
    if name:
        own = tuple(router for router in model.routers if router.name == name)
        verification = replace(verification, model=replace(model, routers=own))
    return verification.ask_shadowed()


def _way(wanted: bool) -> Ask:
    def ask(verification: Verification, arguments: Arguments) -> Answer:
        source, destination, service = _ends(arguments)
        return verification.ask_way(source, destination, arguments.text("node"), service, wanted=wanted)

    return ask


def _balanced(verification: Verification, arguments: Arguments) -> Answer:
    return verification.ask_balanced(arguments.texts("links"), *_ends(arguments), within=arguments.number("within"))


def _sticky(verification: Verification, arguments: Arguments) -> Answer:
    key = arguments.text("key", "source")
    return verification.ask_sticky(key, *_ends(arguments), lines=arguments.texts("links"))


def _recovers(verification: Verification, arguments: Arguments) -> Answer:
    within = arguments.integer("within") or 0
    silent = arguments.text("carrier") == "kept"
    return verification.ask_recovers(arguments.texts("fault"), *_ends(arguments), within=within, silent=silent)


def _word(about: str, ask: Ask, parameters: dict[str, Parameter], main: str = "from") -> Word:
    return Word(about, main, parameters, _asked(ask))


_NODE = {"node": Parameter(ArgumentKind.TEXT, required=True)}

WORDS: dict[str, Word] = {
    "reachable": _word(
        "every first packet arrives", lambda asked, given: asked.ask_reachable(*_ends(given)), _ENDS | _UNDER
    ),
    "unreachable": _word(
        "no packet arrives", lambda asked, given: asked.ask_unreachable(*_ends(given)), _ENDS | _UNDER
    ),
    "isolated": _word("no packet arrives, either way", _isolated, _ENDS | _UNDER),
    "via": _word("what arrives has passed a node", _way(wanted=True), _ENDS | _NODE | _UNDER),
    "avoids": _word("what arrives has not passed a node", _way(wanted=False), _ENDS | _NODE | _UNDER),
    "returns": _word(
        "every first packet arrives, and its answer comes back",
        lambda asked, given: asked.ask_returns(*_ends(given)),
        _ENDS | _UNDER,
    ),
    "no_loop": _word("no packet goes round", lambda asked, _: asked.ask_loop(), _UNDER, "under"),
    "no_shadowed_rule": _word(
        "each rule of a router, or of all, decides some packet",
        _shadowed,
        {"node": Parameter(ArgumentKind.NODE)},
        "node",
    ),
}

_MORE: dict[str, tuple[Ask, dict[str, Parameter]]] = {
    "sticky": (_sticky, {"key": _TEXT, "links": Parameter(ArgumentKind.LINKS)}),
    "balanced": (_balanced, {}),
    "recovers": (
        _recovers,
        {
            "fault": Parameter(ArgumentKind.TEXTS),
            "carrier": Parameter(ArgumentKind.TEXT, choices=("lost", "kept")),
        },
    ),
}
"""Words about the run that may be asked of the network too, with what they are then told."""


OF_THE_RUN = frozenset({"traffic", "after", "before", "direction"})
"""Arguments that say which part of the run is looked at: with ``from`` there is nothing that they could mean."""

NEEDED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sticky": (("traffic",), ("to",)),
    "balanced": (("links", "within"), ("to", "links")),
    "recovers": (("traffic", "within"), ("to", "fault", "within")),
}
"""What these words need when the run is looked at, and when they are asked of the network."""


def asked_too(name: str, word: Word) -> Word:
    """The word, which with ``from`` is asked of the network."""
    if name not in _MORE:
        return word
    ask, more = _MORE[name]
    of_network = _asked(ask)

    def judge(lab: Lab, observation: Observation, arguments: Arguments) -> Judged:
        chosen = of_network if "from" in arguments.values else word.judge
        return chosen(lab, observation, arguments)

    ends = {key: parameter._replace(required=False) for key, parameter in _ENDS.items()}
    own = {key: parameter._replace(required=False) for key, parameter in word.parameters.items()}
    return replace(word, parameters=own | ends | _UNDER | more, judge=judge)
