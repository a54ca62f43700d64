"""``balance:`` of a router: an intent, compiled with proof when the lab is read, gives the router's configuration."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from compiler.balancing.compilation import BalanceCompilation, compile_balance
from compiler.balancing.line_health import Probing
from compiler.balancing.view import view_linux, view_routeros
from compiler.errors import CannotSay, GerbangError, InputErrors
from compiler.placed.complaints import Complaints
from compiler.placed.fields import Fields, parse, truth
from compiler.placed.places import PlacedMapping, PlacedValue
from compiler.policy.network import Interface, Network
from labs.reading.configurations import Addresses, beside, text_of
from labs.topology import Balanced, Configuration

__all__ = ["TARGETS", "balanced"]

TARGETS = ("linux", "routeros6", "routeros7")


def balanced(
    value: PlacedValue, fields: Fields, folder: Path, interfaces: Addresses
) -> tuple[Configuration, Balanced] | None:
    """The configuration of a router with ``balance: {intent, target, watch}``; None after a complaint.

    What stands beside it in the lab file (``fields`` is the node) is joined to it.
    """
    complaints = fields.complaints
    inner = Fields(value, f"{fields.what}, balance", complaints)
    if "intent" not in inner:
        complaints.error(f"{inner.what} has no 'intent': the file that says who goes by which uplink", value.span)
    path = inner.file("intent", folder)
    place = inner.take("intent") or value
    target = inner.choice("target", TARGETS, "linux")
    watch = inner.take("watch")
    probing = _probing(watch, complaints)
    if watch is not None and target != "linux":
        complaints.error("'watch' is for Linux: RouterOS checks its gateways itself", inner.place("watch"))
    inner.done()
    for key in ("configuration", "dialect"):
        if key in fields:
            complaints.error(f"{fields.what}: 'balance' and {key!r} exclude each other", fields.place(key))
            fields.take(key)
    done = None if path is None else _compiled(path, target, place, complaints)
    if done is None or path is None:
        beside(Network(fields.what, "nftables"), fields, fields.what, interfaces)
        return None
    made = _configuration(done, path)
    if target != "linux" or (watch is None and len(done.plan.balance.uplinks) == 1):
        probing = None
    network = beside(_with_ports(made.network, done), fields, fields.what.removeprefix("node "), interfaces)
    return replace(made, network=network), Balanced(path, target, done.plan, probing, value.span)


def _probing(value: PlacedValue | None, complaints: Complaints) -> Probing | None:
    """``watch: yes``, ``no`` or ``{interval: 100 ms, timeout, misses: 3, replies: 2, every_probe, half_life}``."""
    if value is None:
        return Probing()
    if not isinstance(value, PlacedMapping):
        return None if parse(value, truth, complaints) is False else Probing()
    fields, usual = Fields(value, "watch", complaints), Probing()
    interval = fields.duration("interval", usual.interval)
    made = replace(
        usual,
        interval=interval,
        timeout=fields.duration("timeout", min(usual.timeout, interval or usual.timeout)),
        misses=fields.integer("misses", usual.misses, 1, 1000),
        replies=fields.integer("replies", usual.replies, 1, 1000),
        every_probe=fields.truth("every_probe", usual.every_probe),
        half_life=fields.duration("half_life", usual.half_life),
    )
    for key, length in (("interval", made.interval), ("timeout", made.timeout)):
        if not length:
            complaints.error(f"watch: {key!r} of nothing", fields.place(key))
    fields.done()
    return made


def _compiled(path: Path, target: str, place: PlacedValue, complaints: Complaints) -> BalanceCompilation | None:
    text = text_of(path, place.span, complaints)
    if not text:
        return None
    try:
        return _proved(text, str(path), target)
    except InputErrors as errors:
        complaints.adopt(errors.errors)
    except CannotSay as error:
        for refusal in error.refusals:
            complaints.error(f"{error.target} cannot say this: {refusal}", place.span)
    except GerbangError as error:
        complaints.error(error.render(), place.span)
    return None


@lru_cache(maxsize=64)
def _proved(text: str, source: str, target: str) -> BalanceCompilation:
    """Variants and tests read a lab many times, and its intents stay what they are."""
    return compile_balance(text, source, target)


def _configuration(done: BalanceCompilation, path: Path) -> Configuration:
    """What was written, read back as a device would."""
    texts = dict(done.files)
    written = f"{path.name}, compiled to {done.target}"
    if done.target == "linux":
        view = view_linux(texts[""], texts[".ip"], written)
        return Configuration("nftables", None, view.ruleset, replace(view.network, dialect="nftables"), texts[""])
    view = view_routeros(texts[""], written)
    return Configuration("routeros", None, view.ruleset, view.network, texts[""])


def _with_ports(network: Network, done: BalanceCompilation) -> Network:
    """Every interface of the intent is a port, whether the text gives it an address or not."""
    known = {interface.name for interface in network.interfaces}
    names = dict.fromkeys(end.interface for end in done.plan.balance.ends)
    more = tuple(Interface(name) for name in names if name not in known)
    return replace(network, interfaces=(*network.interfaces, *more))
