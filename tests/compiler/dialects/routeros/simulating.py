"""Reads rows of a firewall menu for the simulator: the rules, their meanings, their faults."""

import pytest

from compiler.addresses import parse_address
from compiler.dialects.routeros.reader import read
from compiler.errors import InputErrors


def address(text):
    return parse_address(text)[0]


def simulated(text, **options):
    return read(text, "t.rsc", unmodelled="simulate", **options)


def rules(words, *, menu="/ip firewall mangle", chain="prerouting", before="", **options):
    ruleset = simulated(f"{before}\n{menu}\nadd chain={chain} {words}\n", **options)
    return next(found for found in ruleset.chains if found.name == chain).rules


def rule(words, **options):
    (only,) = rules(words, **options)
    return only


def effects(words, **options):
    found = rule(words, **options)
    return found.verdict, [clause.meaning for clause in found.unmodelled]


def faults(text, **options):
    with pytest.raises(InputErrors) as caught:
        simulated(text, **options)
    return caught.value.errors


def fault(words, *, menu="/ip firewall mangle", chain="prerouting", before="", **options):
    (only,) = faults(f"{before}\n{menu}\nadd chain={chain} {words}\n", **options)
    return only
