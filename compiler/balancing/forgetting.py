"""Which connections a router must forget when an uplink dies, comes back or gets another address.

A dead uplink's connections are lost: their address cannot be reached, and as
long as the router remembers them, packets that are sent again keep the old
translation. Others' connections must not notice. (Linux forgets masqueraded
connections by itself when their interface goes down: nf_nat_masquerade.c.)
"""

from __future__ import annotations

from typing import NamedTuple

from compiler.balancing.linux_marks import MASK, mark_value
from compiler.balancing.plan import Plan
from compiler.balancing.wanted_routes import Lease
from compiler.policy.balance import Failback

__all__ = ["Flush", "after_address_change", "after_death", "after_return"]


class Flush(NamedTuple):
    """Connections to forget. ``marks`` are bits under the mask of :mod:`compiler.balancing.linux_marks`.

    ``address`` is the one that the uplink's connections are translated to, None
    where it is not known.
    """

    uplink: str
    marks: tuple[int, ...]
    address: int | None = None
    keeps_address: bool = False
    """Spare marked connections that are translated to ``address``."""
    only_address: bool = False
    """Spare marked connections that are not."""

    def takes(self, mark: int, translated: int) -> bool:
        """Whether a connection goes: its whole mark, and the address that its answers come to (0 if unknown).

        Unmarked ones go where they were translated to the address: the router's
        own, and those of excepted traffic.
        """
        own = mark & MASK
        has_address = self.address is not None and translated == self.address
        if self.keeps_address:
            return own in self.marks and not has_address
        if own in self.marks:
            return has_address or not self.only_address
        return own == 0 and has_address


def _marks(plan: Plan, uplink: str) -> tuple[int, ...]:
    return tuple(mark_value(mark.number) for mark in plan.marks if mark.uplink == uplink)


def _address(plan: Plan, uplink: str, lease: Lease | None) -> int | None:
    found = plan.balance.uplink(uplink).address
    if found is None and lease is not None:
        found = lease.address
    return None if found is None else found.address


def after_death(plan: Plan, uplink: str, lease: Lease | None = None) -> Flush:
    """All that belongs to a dead uplink."""
    return Flush(uplink, _marks(plan, uplink), _address(plan, uplink, lease))


def after_return(plan: Plan, uplink: str, lease: Lease | None = None) -> tuple[Flush, ...]:
    """Gently nothing. At once: what bears the uplink's mark and began by another one, whose address it has."""
    address = _address(plan, uplink, lease)
    if plan.balance.failback is Failback.GENTLE or address is None:
        return ()
    return (Flush(uplink, _marks(plan, uplink), address, keeps_address=True),)


def after_address_change(plan: Plan, uplink: str, old: int) -> Flush:
    """What has an address that is the uplink's no more."""
    return Flush(uplink, _marks(plan, uplink), old, only_address=True)
