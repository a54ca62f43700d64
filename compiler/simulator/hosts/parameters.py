"""What a host's TCP is tuned to. The defaults are those of Linux 6.18, in nanoseconds, octets and segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from compiler.simulator.engine import MILLISECOND, SECOND

__all__ = ["TcpParameters"]


@dataclass(frozen=True, slots=True)
class TcpParameters:
    """One host's ``net.ipv4.tcp_*``. Names in brackets are the sysctls, or the kernel's constants."""

    congestion: Literal["cubic", "reno"] = "cubic"
    """[tcp_congestion_control] CUBIC (RFC 9438) or NewReno's window (RFC 5681)."""
    initial_window: int = 10
    """Segments (RFC 6928)."""
    slow_start_exit: bool = True
    """HyStart: leave slow start when round trips grow, before anything is lost (tcp_cubic.c)."""
    selective: bool = True
    """[tcp_sack] Selective acknowledgements (RFC 2018)."""
    timestamps: bool = True
    """[tcp_timestamps] (RFC 7323); each segment carries 12 octets less."""
    window_scaling: bool = True
    """[tcp_window_scaling]"""
    receive_window: int = 65_535
    """The window at the start, in octets."""
    receive_window_limit: int = 3 << 20
    """What the window may grow to as data arrive (half of tcp_rmem[2] = 6 MiB)."""
    no_delay: bool = False
    """TCP_NODELAY: small segments do not wait for acknowledgements (no Nagle, RFC 1122 4.2.3.4)."""
    tail_loss_probe: bool = True
    """[tcp_early_retrans] (RFC 8985, 7)"""
    initial_timeout: int = SECOND
    """(RFC 6298)"""
    minimum_timeout: int = 200 * MILLISECOND
    """[TCP_RTO_MIN]"""
    maximum_timeout: int = 120 * SECOND
    """[TCP_RTO_MAX]"""
    syn_linear_timeouts: int = 4
    """[tcp_syn_linear_timeouts] SYNs that are repeated after one second each, before the pauses double."""
    syn_retries: int = 6
    """[tcp_syn_retries] SYNs that are repeated after those."""
    syn_ack_retries: int = 5
    """[tcp_synack_retries]"""
    retries: int = 15
    """[tcp_retries2] A connection breaks after as long as this many timeouts from 200 ms take: 924.6 s."""
    delayed_acknowledgement: int = 40 * MILLISECOND
    """[TCP_DELACK_MIN]"""
    quick_acknowledgements: int = 16
    """[TCP_MAX_QUICKACKS] Segments that are acknowledged at once at the start."""
    time_wait: int = 60 * SECOND
    """[TCP_TIMEWAIT_LEN]"""

    @property
    def patience(self) -> int:
        """Nanoseconds of timeouts after which a connection breaks (``tcp_model_timeout``)."""
        return sum(min(self.minimum_timeout << count, self.maximum_timeout) for count in range(self.retries + 1))

    def syn_timeout(self, repeated: int) -> int:
        """The pause after a SYN that has been repeated so many times."""
        return min(self.initial_timeout << max(0, repeated - self.syn_linear_timeouts), self.maximum_timeout)
