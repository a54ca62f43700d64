"""Strategies for Hypothesis: packets, policies, networks, intents and faults that find mistakes and shrink well.

::

    @given(packets_near(office))
    def test_guests_reach_the_web_only(packet):
        if packet.source >> 8 == 0x0A0900 and not packet.noninitial:
            assert office.passes(packet) is (packet.protocol == 6 and packet.destination_port in (80, 443))

What makes them find and shrink: tiny alphabets where rules meet and cover one
another, the simplest first; first a rule's index, then a corner of it; nothing
filtered, nothing computed from what was drawn. This package needs Hypothesis
(the extra ``verify``); the words of :mod:`compiler.testing` do not.

================================  =================================================================
:func:`packets`                   packets over the alphabet of the policies
:func:`packets_near`              at the corners of a policy's rules, or of what a property names
:func:`policies`                  with one list or some chains, to ask; ``policy_trees``, ``policy_texts``
:func:`wildcards`                 contiguous and not
:func:`topologies`                stars with up to three ISPs; :func:`star` makes one
:func:`balance_intents`           of two to five uplinks; :func:`intent_texts` as text
:func:`conversations`             who of a network speaks to whom, and the first packet
:func:`fault_schedules`           what dies in a network, when, and how long
:func:`network_machine`           a state machine: send, link_down, link_up, advance, reload
================================  =================================================================
"""

from __future__ import annotations

from compiler.testing.strategies.conversations import Conversation, conversations
from compiler.testing.strategies.intents import balance_intents, intent_texts
from compiler.testing.strategies.machines import NetworkMachine, Sent, network_machine
from compiler.testing.strategies.packets import packets, packets_near
from compiler.testing.strategies.policies import policies, policy_texts, policy_trees
from compiler.testing.strategies.schedules import Outage, fault_schedules
from compiler.testing.strategies.topologies import star, topologies
from compiler.testing.strategies.wildcards import wildcards

__all__ = [
    "Conversation",
    "NetworkMachine",
    "Outage",
    "Sent",
    "balance_intents",
    "conversations",
    "fault_schedules",
    "intent_texts",
    "network_machine",
    "packets",
    "packets_near",
    "policies",
    "policy_texts",
    "policy_trees",
    "star",
    "topologies",
    "wildcards",
]
