"""All fields but addresses and ports as one symbol: protocol, flags, ICMP, traffic class, TTL, time.

Rules use few sets of these, so that their classes multiplied are few too.
Fields beyond that are symbols of their own, which only bit vectors know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from compiler.policy.match import Match
from compiler.simulator.classify.classes import FieldClasses, field_classes
from compiler.simulator.classify.columns import Column, PacketColumns, owned

__all__ = ["RestClasses", "rest_classes"]

_FIELDS = ("protocol", "tcp_flags", "icmp_type", "icmp_code", "traffic_class", "ttl", "week_minute", "date_minute")
_MOST = 2048
"""Classes of the joint symbol: with more, its table would push others out of the cache."""


class RestClasses(NamedTuple):
    """The joint symbol. ``allowed[s, c]`` tells whether set ``s`` holds class ``c``; ``number[r]`` is a rule's set.

    ``others`` are the constrained fields that are not in the symbol.
    """

    fields: tuple[FieldClasses, ...]
    others: tuple[FieldClasses, ...]
    size: int
    allowed: Column
    number: Column

    def of(self, packets: PacketColumns) -> Column:
        """The class of each packet (uint16)."""
        if not self.fields:
            return np.zeros(packets.size, dtype=np.uint16)
        joint: Column = self.fields[0].of(packets).astype(np.uint16, copy=False)
        for field in self.fields[1:]:
            joint = joint * np.uint16(field.size) + field.of(packets).astype(np.uint16, copy=False)
        return joint

    def add_compiled(self, packets: PacketColumns, joint: Column, first: int) -> Column:
        """The class of each packet, from that of the fields before ``first``, by kernels where fields have 8 bits."""
        from compiler.simulator.classify import kernels

        for field in self.fields[first:]:
            values: Column = getattr(packets, field.name)
            if values.dtype == np.uint8:
                kernels.add_classes(joint, np.uint16(field.size), field.table, owned(values))
            else:
                joint = joint * np.uint16(field.size) + field.of(packets).astype(np.uint16, copy=False)
        return joint

    def beyond(self) -> Column:
        """The rules that look at one of ``others``."""
        flags: Column = np.zeros(len(self.number), dtype=bool)
        for field in self.others:
            everything: Column = np.asarray(field.held.all(axis=0))
            flags |= ~everything[field.number]
        return flags


def rest_classes(matches: Sequence[Match]) -> RestClasses:
    """The joint symbol over one match for each rule."""
    joined: list[FieldClasses] = []
    others: list[FieldClasses] = []
    count = 1
    for name in _FIELDS:
        sets = [getattr(match, name) for match in matches]
        if all(one is None for one in sets):
            continue
        field = field_classes(name, sets)
        if field.size * count <= _MOST:
            joined.append(field)
            count *= field.size
        else:
            others.append(field)
    numbers = np.zeros(len(matches), dtype=np.int64)
    allowed: Column = np.ones((1, 1), dtype=bool)
    for field in joined:
        stride = int(field.number.max()) + 1
        pairs, numbers = np.unique(numbers * stride + field.number, return_inverse=True)
        before, here = np.divmod(pairs, stride)
        allowed = (allowed[before][:, :, np.newaxis] & field.held.T[here][:, np.newaxis, :]).reshape(len(pairs), -1)
    return RestClasses(tuple(joined), tuple(others), count, allowed, numbers)
