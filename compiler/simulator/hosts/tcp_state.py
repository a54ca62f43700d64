"""The states that parts of a TCP connection can be in."""

from __future__ import annotations

from enum import Enum, IntEnum

__all__ = ["Recovery", "State", "Wait"]


class State(Enum):
    """The states of RFC 9293, 3.3.2. TIME-WAIT is a record of its own."""

    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    CLOSED = "CLOSED"


class Recovery(IntEnum):
    """What a sender does about losses: Linux's ``icsk_ca_state``, as far as it matters here."""

    OPEN = 0
    FAST = 1
    """Losses are being repaired (``TCP_CA_Recovery``)."""
    TIMEOUT = 2
    """After a timeout, or a smaller path MTU (``TCP_CA_Loss``)."""


class Wait(IntEnum):
    """What a sender's timer is for."""

    TIMEOUT = 0
    TAIL = 1
    REORDERING = 2
    WINDOW = 3
