"""One line for what each figure means, and which of them are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from compiler.rehearsal.options import WayToFail

if TYPE_CHECKING:
    from compiler.rehearsal.result import FailureSeen, Rehearsal

__all__ = ["WAYS", "failure_verdict", "problems", "share_verdict", "sticky_verdict"]

WAYS = {
    WayToFail.LINK: "cable pulled",
    WayToFail.GATEWAY: "gateway dead, link up",
    WayToFail.ISP: "ISP dead behind a live modem",
}
_SECOND = 1e9


def failure_verdict(seen: FailureSeen, whole: Rehearsal) -> str:
    """What becomes of new connections, of old ones, and afterwards."""
    return "; ".join([_new(seen), *_old(seen), *_afterwards(seen)]) + _excuse(seen, whole)


def _new(seen: FailureSeen) -> str:
    if seen.detected is None:
        lost = f"{float(seen.lost_part):.0%} of new connections are lost for ever"
        if seen.noticed is None:
            return f"NOT noticed: {lost}"
        return f"noticed after {seen.noticed / _SECOND:.1f} s, but the routes of marked connections stay: {lost}"
    if seen.detected == 0:
        return "no new connection lost by it" if seen.used else "no new connection goes by it anyway"
    lost = f"{seen.failed} of {seen.attempts} new connections lost until then"
    return f"noticed after {seen.detected / _SECOND:.1f} s, {lost}"


def _old(seen: FailureSeen) -> Iterator[str]:
    if seen.lost_before:
        yield f"{float(seen.lost_before):.0%} of new connections were lost before it already"
    if seen.established and seen.kept == seen.established:
        yield f"all {seen.kept} long-lived ones go on"
    elif seen.established:
        parts = [(seen.kept, "go on"), (seen.reset, "are reset"), (seen.silent, "hang")]
        told = ", ".join(f"{count} {what}" for count, what in parts if count)
        revived = f" ({seen.revived} of them go on after the repair)" if seen.revived else ""
        yield f"of {seen.established} long-lived ones {told}{revived}"
    if seen.others_lost:
        yield f"{seen.others_lost} of {seen.others} on OTHER uplinks are lost too"
    if seen.astray:
        yield f"{seen.astray} leave with another uplink's address"


def _afterwards(seen: FailureSeen) -> Iterator[str]:
    if not seen.used:
        return
    if seen.returned is None:
        yield "never used again after the repair"
    else:
        yield f"used again {seen.returned / _SECOND:.1f} s after the repair"


def _excuse(seen: FailureSeen, whole: Rehearsal) -> str:
    if _is_blind(seen, whole):
        return " (the intent names no probes beyond this gateway)"
    return ""


def _is_blind(seen: FailureSeen, whole: Rehearsal) -> bool:
    """Whether nobody asked that this failure be noticed."""
    no_probes = whole.is_intent and seen.uplink not in whole.probed
    return seen.detected is None and seen.way is WayToFail.ISP and no_probes


def share_verdict(seen: Rehearsal) -> str:
    """How the workload was shared."""
    if seen.classes:
        wrong = [one.name for one in seen.classes if not one.holds]
        return f"shares OUT OF BOUNDS: {', '.join(wrong)}" if wrong else "every class within its bounds"
    parts = "/".join(f"{float(one.share):.1%}".removesuffix("%").removesuffix(".0") for one in seen.uplinks)
    return f"shared {parts} %"


def sticky_verdict(seen: Rehearsal) -> str:
    """Whether logins by address hold."""
    sticky = seen.stickiness
    if not sticky.pairs:
        return "no client met a server twice"
    if sticky.steady == sticky.pairs:
        return "every client shows each server one address: logins by address hold"
    lost = 1 - sticky.steady / sticky.pairs
    return f"{lost:.0%} of returning clients change their address (up to {sticky.most}): logins by address break"


def problems(seen: Rehearsal) -> Iterator[str]:
    """What is wrong, in the order of the report."""
    if seen.unmarked:
        yield f"{seen.unmarked} connections left unmarked"
    if seen.remarked:
        yield f"{seen.remarked} connections were marked anew while they lived"
    if seen.moved:
        yield f"{seen.moved} connections moved between uplinks or addresses while they lived"
    if seen.unfinished:
        yield f"{seen.unfinished} of {seen.connections} connections got no answer: {seen.reasons[0][0]}"
    for one in seen.classes:
        if not one.holds:
            yield f"{one.name}: shares out of bounds"
    for call in seen.incoming:
        if call.elsewhere:
            yield f"{call.elsewhere} answers to {call.what} from {call.uplink} left by another uplink"
        elif call.answered < call.asked and seen.is_intent:
            yield f"{call.asked - call.answered} of {call.asked} calls ({call.what}) from {call.uplink} got no answer"
    for own in seen.own:
        if own.answered < own.asked:
            yield f"{own.asked - own.answered} of the router's own {own.asked} ({own.what}) got no answer"
    for failure in seen.failures:
        yield from _failure_problems(failure, seen)


def _failure_problems(failure: FailureSeen, seen: Rehearsal) -> Iterator[str]:
    where = f"{failure.uplink}, {WAYS[failure.way]}"
    if failure.detected is None and not _is_blind(failure, seen):
        yield f"{where}: {_new(failure)}"
    if failure.others_lost:
        yield f"{where}: {failure.others_lost} connections on other uplinks are lost"
    if failure.used and failure.returned is None:
        yield f"{where}: never used again"
