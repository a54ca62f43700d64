"""Properties written without Python: ``properties.yaml``, from its text to questions.

::

    policies:
      edge: {file: edge.cfg, list: "101"}
    properties:
      - policy: edge
        reachable: {from: 172.16.6.4/31, to: 10.0.0.2, service: tcp/21}
        because: students fetch their work
      - {policy: edge, no_shadowed_rule: yes}
      - {policy: edge, no_wider_than: old/edge.cfg}

Words and what they mean are those of :mod:`compiler.testing.policies` and
:mod:`compiler.testing.networks.verification`. Files are looked for beside this
one. Whatever is not known is an error with its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from compiler.errors import GerbangError, InputErrors, UsageError
from compiler.placed.complaints import Complaints, near
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedScalar, PlacedValue, compose
from compiler.placed.source_text import read_source
from compiler.source import Span
from compiler.testing.answer import Answer, PropertyFailed
from compiler.testing.headers import Headers, packets
from compiler.testing.networks.verification import Verification
from compiler.testing.policies import Policy, read_policy
from compiler.testing.properties.drawn import read_network

__all__ = ["FILE_NAME", "Property", "read_properties"]

FILE_NAME = "properties.yaml"

_THROUGH = ("list", "ingress", "egress")
_FIELDS = ("protocol", "source_port", "destination_port", "icmp", "flags")
_NAMED = {"from": "source", "to": "destination"}
"""Fields that Python calls otherwise."""
_PASSING = ("reachable", "unreachable", "isolated", "no_shadowed_rule")
_OF_POLICY = (*_PASSING, "equivalent_to", "no_wider_than", "permits", "denies")
_OF_NETWORK = (*_PASSING, "via", "avoids", "returns", "no_loop")


class Property(NamedTuple):
    """One question: a word of its subject, with its arguments."""

    span: Span
    subject: Policy | Verification
    word: str
    arguments: tuple[object, ...]
    because: str = ""

    def ask(self) -> Answer:
        """The answer, whether it holds or not. Raises GerbangError for a question that cannot be asked."""
        word = getattr(self.subject, self.word)
        try:
            answer: Answer = word(*self.arguments)
        except PropertyFailed as failed:
            return failed.answer
        return answer


def read_properties(path: str | Path) -> tuple[Property, ...]:
    """The properties of a file, in their order. Raises InputErrors with every place that is wrong, and UsageError."""
    text = read_source(str(path))
    complaints = Complaints(tuple(text.text.split("\n")))
    reader = _Reader(Path(path).parent, complaints)
    found = tuple(reader.file(compose(text.text, text.name)))
    complaints.raise_all()
    return found


class _Reader:
    def __init__(self, folder: Path, complaints: Complaints) -> None:
        self._folder = folder
        self._complaints = complaints
        self._policies: dict[str, Policy | None] = {}
        self._networks: dict[str, Verification | None] = {}
        self._read: dict[tuple[str, str | None, bool], Policy | None] = {}

    def file(self, root: PlacedValue) -> Iterator[Property]:
        fields = Fields(root, "the file", self._complaints)
        for key, value in self._named(fields, "policies", "a policy"):
            self._policies[key.text] = self._policy(value, f"policy {key.text!r}")
        for key, value in self._named(fields, "networks", "a network"):
            model = read_network(value, f"network {key.text!r}", self._folder, self._complaints)
            self._networks[key.text] = model.verify() if model is not None else None
        properties = fields.take("properties")
        fields.done()
        if not as_items(properties):
            self._complaints.error("there are no properties: expected a list of them", fields.place("properties"))
        for item in as_items(properties):
            found = self._property(item)
            if found is not None:
                yield found

    def _named(self, fields: Fields, key: str, what: str) -> list[tuple[PlacedScalar, PlacedValue]]:
        value = fields.take(key)
        return Fields(value, f"{key}: {what} a name", self._complaints).take_any() if value is not None else []

    # -- what is asked about -------------------------------------------------------------------

    def _policy(self, value: PlacedValue, what: str) -> Policy | None:
        """``FILE``, or ``{file: FILE, list: …, ingress: …, egress: …, dialect: …, unmodelled: bound}``."""
        if isinstance(value, PlacedScalar):
            return self._file(value.text, None, False, value.span)
        fields = Fields(value, what, self._complaints)
        name = fields.required("file")
        dialect = fields.optional("dialect", str)
        bound = fields.choice("unmodelled", ("refuse", "bound"), "refuse") == "bound"
        through = {key: fields.optional(key, str) for key in _THROUGH}
        fields.done()
        held = self._file(name, dialect, bound, fields.place("file")) if name else None
        return self._through(held, through, fields.span)

    def _through(self, held: Policy | None, through: dict[str, str | None], span: Span) -> Policy | None:
        if held is None or not any(through.values()):
            return held
        try:
            return held.through(through["list"], ingress=through["ingress"], egress=through["egress"])
        except GerbangError as error:
            self._complaints.error(str(error), span)
            return None

    def _file(self, name: str, dialect: str | None, bound: bool, span: Span) -> Policy | None:
        """A configuration, read once however often it is named."""
        key = (name, dialect, bound)
        if key not in self._read:
            self._read[key] = None
            try:
                mode = "bound" if bound else "refuse"
                self._read[key] = read_policy(self._folder / name, dialect=dialect, unmodelled=mode)  # type: ignore[arg-type]
            except InputErrors as errors:
                self._complaints.adopt(errors.errors)
            except GerbangError as error:
                self._complaints.error(str(error), span)
        return self._read[key]

    def _called(self, value: PlacedValue) -> Policy | None:
        """A policy by its name in this file, or a configuration by its file's."""
        name = parse(value, str, self._complaints)
        if name is None or name in self._policies:
            return self._policies.get(name or "")
        if not (self._folder / name).is_file():
            self._complaints.error(
                f"{name!r} is neither a policy of this file{near(name, self._policies)} nor a file beside it",
                value.span,
            )
            return None
        return self._file(name, None, False, value.span)

    # -- one property --------------------------------------------------------------------------

    def _property(self, item: PlacedValue) -> Property | None:
        fields = Fields(item, "the property", self._complaints)
        policy, network = fields.take("policy"), fields.take("network")
        because = fields.text("because")
        if (policy is None) == (network is None):
            self._complaints.error("a property is about one 'policy' or about one 'network'", item.span)
            return None
        subject: Policy | Verification | None
        if policy is not None:
            subject = self._through(
                self._called(policy), {key: fields.optional(key, str) for key in _THROUGH}, item.span
            )
        else:
            assert network is not None
            subject = self._modified(network, fields)
        words = _OF_POLICY if policy is not None else _OF_NETWORK
        asked = [(word, value) for word in words if (value := fields.take(word)) is not None]
        fields.done()
        if len(asked) != 1:
            said = "no word" if not asked else " and ".join(repr(word) for word, _ in asked)
            self._complaints.error(f"a property has one word, and this has {said}: {', '.join(words)}", item.span)
            return None
        word, value = asked[0]
        arguments = self._arguments(word, value, of_policy=policy is not None)
        if subject is None or arguments is None:
            return None
        return Property(item.span, subject, word, arguments, because)

    def _modified(self, network: PlacedValue, fields: Fields) -> Verification | None:
        name = parse(network, str, self._complaints)
        if name is not None and name not in self._networks:
            self._complaints.error(f"no network is called {name!r}{near(name, self._networks)}", network.span)
        subject = self._networks.get(name or "")
        under, for_all = fields.take("under"), fields.take("for_all")
        if for_all is not None:
            headers = self._headers(for_all, "for_all")
            subject = subject.for_all(headers) if subject is not None and headers is not None else None
        if under is not None:
            inner = Fields(under, "under", self._complaints)
            failures = inner.integer("failures", 1, 1, 8)
            among = tuple(text for one in as_items(inner.take("among")) if (text := parse(one, str, self._complaints)))
            inner.done()
            try:
                subject = subject.under(failures, among=among) if subject is not None else None
            except UsageError as error:
                self._complaints.error(str(error), under.span)
        return subject

    def _arguments(self, word: str, value: PlacedValue, *, of_policy: bool) -> tuple[object, ...] | None:
        """What the word is called with; None after a complaint."""
        if word in ("no_shadowed_rule", "no_loop"):
            return self._wanted(word, value)
        if word in ("equivalent_to", "no_wider_than"):
            other = self._called(value)
            return (other,) if other is not None else None
        if word in ("permits", "denies"):
            packet = parse(value, str, self._complaints)
            return (packet,) if packet is not None else None
        if word == "isolated":
            return self._between(value)
        if of_policy:
            headers = self._headers(value, word)
            return (headers,) if headers is not None else None
        fields = Fields(value, word, self._complaints)
        ends = [fields.required("from"), fields.required("to")]
        ends += [fields.required("node")] if word in ("via", "avoids") else []
        arguments = (*ends, self._service(fields))
        fields.done()
        return arguments if all(ends) else None

    def _wanted(self, word: str, value: PlacedValue) -> tuple[object, ...] | None:
        from compiler.placed.fields import truth

        wanted = parse(value, truth, self._complaints)
        if wanted is False:
            self._complaints.error(f"{word}: only 'yes' asks something; leave the property out instead", value.span)
        return () if wanted else None

    def _between(self, value: PlacedValue) -> tuple[object, ...] | None:
        fields = Fields(value, "isolated", self._complaints)
        sides = [parse(one, str, self._complaints) for one in as_items(fields.take("between"))]
        service = self._service(fields)
        fields.done()
        if len(sides) != 2 or not all(sides):
            self._complaints.error("isolated: expected between: [ONE, OTHER]", value.span)
            return None
        return (*sides, service)

    def _headers(self, value: PlacedValue, what: str) -> Headers | None:
        """``{from: …, to: …, service: …, opening: yes, but_not: {…}}``; ``but_not`` may be a list."""
        fields = Fields(value, what, self._complaints)
        texts = {key: fields.text(key) for key in ("from", "to", "service", *_FIELDS)}
        words: dict[str, Any] = {_NAMED.get(key, key): text for key, text in texts.items() if text}
        words["opening"] = fields.truth("opening", False)
        without = [self._headers(one, "but_not") for one in as_items(fields.take("but_not"))]
        fields.done()
        try:
            found = packets(**words)
            for one in without:
                found = found - one if one is not None else found
        except UsageError as error:
            key = _to_blame(words, str(error))
            place = fields.take(next((ours for ours, name in _NAMED.items() if name == key), key)) if key else None
            self._complaints.error(str(error), place.span if place is not None else value.span)
            return None
        return found

    def _service(self, fields: Fields) -> str:
        """The service of a question whose ends are names, after a complaint where it is not understood."""
        service = fields.text("service")
        try:
            packets(service=service)
        except UsageError as error:
            place = fields.take("service")
            self._complaints.error(str(error), place.span if place is not None else fields.span)
        return service


def _to_blame(words: dict[str, Any], message: str) -> str:
    """The last of the words without which nobody would say so; empty where there is none."""
    blamed = ""
    for key in words:
        try:
            packets(**{name: value for name, value in words.items() if name != key})
        except UsageError as error:
            if str(error) == message:
                continue
        blamed = key
    return blamed
