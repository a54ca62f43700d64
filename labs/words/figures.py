"""Words about figures: octets, rates, fairness, delay, loss, recovery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from compiler.placed.quantities import format_duration, format_octets, format_rate
from compiler.simulator.applications.outcome import Outcome
from compiler.simulator.applications.udp_client import LINGER
from labs.observation import Observation
from labs.topology import FaultKind, Lab
from labs.words.showing import came_through, counted, several, show_record
from labs.words.word import ArgumentKind, Arguments, Judged, Parameter, Word, matching

__all__ = ["WORDS", "jain", "octets_until", "percentile", "throughput"]

_DOWN = frozenset({FaultKind.LINK_DOWN, FaultKind.LINK_FLAP, FaultKind.NODE_DOWN})


def octets_until(outcome: Outcome, moment: int) -> float:
    """Octets received by that moment, drawn straight between samples."""
    before = (0, 0)
    for sample in outcome.samples:
        if sample[0] >= moment:
            if sample[0] == before[0]:
                return float(sample[1])
            share = (moment - before[0]) / (sample[0] - before[0])
            return before[1] + share * (sample[1] - before[1])
        before = sample
    return float(before[1])


def throughput(outcome: Outcome, start: int, end: int) -> float:
    """Mean rate of payload in bits a second between two moments."""
    if end <= start:
        return 0.0
    return (octets_until(outcome, end) - octets_until(outcome, start)) * 8e9 / (end - start)


def jain(rates: Sequence[float]) -> float:
    """Jain's fairness index: 1 when all are equal, 1/n when one has all (Jain, Chiu, Hawe 1984)."""
    squares = sum(rate * rate for rate in rates)
    return sum(rates) ** 2 / (len(rates) * squares) if squares else 0.0


def percentile(values: Sequence[int], share: float) -> int:
    """The least value that is not below that share of them (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(-(-int(share * 1000) * len(ordered) // 1000), 1) - 1]


def _bounded(found: float, arguments: Arguments) -> bool:
    low, high, exact = (arguments.number(name) for name in ("at_least", "at_most", "exactly"))
    return (low is None or found >= low) and (high is None or found <= high) and (exact is None or found == exact)


def _interval(outcome: Outcome, observation: Observation, arguments: Arguments) -> tuple[int, int]:
    """From ``after`` (or the first connection) to ``before`` (or the end of the last)."""
    started = min((record.started for record in outcome.connections), default=0)
    after, before = arguments.integer("after"), arguments.integer("before")
    return (started if after is None else after), (_end(outcome, observation) if before is None else before)


def _end(outcome: Outcome, observation: Observation) -> int:
    """When the activity was over, or the lab: not when it was last heard, for a line may be dead since."""
    heard = outcome.samples[-1][0] if outcome.samples else 0
    waited = LINGER if outcome.sent else 0  # of a flow of datagrams, for what is still under way
    ends = [observation.duration if one.ended is None else one.ended - waited for one in outcome.connections]
    return max([heard, *ends]) if ends else observation.duration


def _transferred(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    outcomes = matching(observation, arguments.text("traffic"))
    total = sum(outcome.transferred for outcome in outcomes)
    wanted = "at_least" in arguments.values or "at_most" in arguments.values or "exactly" in arguments.values
    held = _bounded(total, arguments) if wanted else total > 0
    return Judged(
        held, f"{arguments.text('traffic')} transferred {total:,} octets{_expected(arguments, format_octets)}"
    )


def _throughput(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    outcomes = matching(observation, arguments.text("traffic"))
    rates = [throughput(outcome, *_interval(outcome, observation, arguments)) for outcome in outcomes]
    found = sum(rates)
    each = f" ({', '.join(format_rate(rate) for rate in rates[:6])})" if len(rates) > 1 else ""
    return Judged(
        _bounded(found, arguments),
        f"{arguments.text('traffic')} received {format_rate(found)}{each}{_expected(arguments, format_rate)}",
    )


def _fair(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    outcomes = matching(observation, arguments.text("traffic"))
    rates = [throughput(outcome, *_interval(outcome, observation, arguments)) for outcome in outcomes]
    if len(rates) < 2:
        return Judged(False, f"{arguments.text('traffic')} is {counted(len(rates), 'activity')}: fairness needs two")
    index = jain(rates)
    least = arguments.number("at_least")
    least = 0.9 if least is None else least
    shown = ", ".join(format_rate(rate) for rate in rates[:6])
    return Judged(index >= least, f"Jain's index {index:.4f}, at least {least:g} expected ({shown})")


def _delay(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    delays = [delay for outcome in matching(observation, arguments.text("traffic")) for delay in outcome.delays]
    if not delays:
        return Judged(False, f"{arguments.text('traffic')} has no delays: nothing arrived")
    of = arguments.text("of", "highest")
    choose: dict[str, Callable[[], float]] = {
        "highest": lambda: max(delays),
        "lowest": lambda: min(delays),
        "mean": lambda: sum(delays) / len(delays),
        "median": lambda: percentile(delays, 0.5),
        "p95": lambda: percentile(delays, 0.95),
        "p99": lambda: percentile(delays, 0.99),
    }
    found = choose[of]()
    said = f"{of} delay of {arguments.text('traffic')} {format_duration(found)}, of {len(delays):,}"
    return Judged(_bounded(found, arguments), said + _expected(arguments, format_duration))


def _loss(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    outcomes = matching(observation, arguments.text("traffic"))
    sent, received = sum(one.sent for one in outcomes), sum(one.received for one in outcomes)
    if not sent:
        return Judged(False, f"{arguments.text('traffic')} sent nothing that is counted")
    found = (sent - received) / sent
    said = f"{sent - received:,} of {sent:,} lost ({found:.3%})"
    return Judged(_bounded(found, arguments), said + _expected(arguments, lambda share: f"{share:.3%}"))


def _expected(arguments: Arguments, show: Callable[[float], str]) -> str:
    words = {"at_least": "at least", "at_most": "at most", "exactly": "exactly"}
    parts = [f"{said} {show(value)}" for name, said in words.items() if (value := arguments.number(name)) is not None]
    return f"; expected {' and '.join(parts)}" if parts else ""


# -- recovery -----------------------------------------------------------------------


def _recovers(lab: Lab, observation: Observation, arguments: Arguments) -> Judged:
    """From ``within`` after the fault on, connections come about again (or octets flow again)."""
    fault = arguments.integer("after")
    if fault is None:
        fault = min((one.at for one in lab.faults if one.kind in _DOWN), default=None)
    if fault is None:
        return Judged(False, "there is no fault to recover from")
    limit = arguments.integer("within") or 0
    parts = [
        _recovery(outcome, fault, limit, _end(outcome, observation))
        for outcome in matching(observation, arguments.text("traffic"))
    ]
    wrong = [part.message for part in parts if not part.held]
    return Judged(bool(parts) and not wrong, several(wrong or [part.message for part in parts]))


def _recovery(outcome: Outcome, fault: int, limit: int, over: int) -> Judged:
    later = sorted((one for one in outcome.connections if one.started >= fault), key=lambda one: one.started)
    if not later:
        return _flow_recovery(outcome, fault, limit, over)
    failures = [one for one in later if one.failure is not None or not came_through(one)]
    after_last = [one for one in later if not failures or one.started > failures[-1].started]
    if not after_last:
        return Judged(False, f"{show_record(outcome.traffic, failures[-1])}, and nothing came about after it")
    first = after_last[0]
    took = (first.started if first.connected is None else first.connected) - fault
    said = f"{outcome.traffic} came about again {format_duration(took)} after the fault"
    return Judged(took <= limit, f"{said}; at most {format_duration(limit)} expected")


def _flow_recovery(outcome: Outcome, fault: int, limit: int, over: int) -> Judged:
    """A transfer that was under way: the longest silence after the fault, up to its end.

    What was under way on the cable arrives after the fault too: without the end, a line that stays dead is not seen.
    """
    moments = [fault, *(moment for moment, _ in outcome.samples if moment > fault)]
    if len(moments) == 1:
        return Judged(False, f"{outcome.traffic} received nothing after the fault")
    broken = next((one for one in outcome.connections if one.failure is not None), None)
    if broken is not None and not outcome.sent:  # datagrams go on after an ICMP error
        return Judged(False, f"{show_record(outcome.traffic, broken)}, and never came about again")
    moments.append(max(moments[-1], over))
    silence = max(later - earlier for earlier, later in pairwise(moments))
    said = f"{outcome.traffic} was silent for {format_duration(silence)} after the fault"
    return Judged(silence <= limit, f"{said}; at most {format_duration(limit)} expected")


_TRAFFIC = Parameter(ArgumentKind.TRAFFIC, required=True)
_TIME = Parameter(ArgumentKind.DURATION)


def _bounds(kind: ArgumentKind) -> dict[str, Parameter]:
    return {"at_least": Parameter(kind), "at_most": Parameter(kind)}


WORDS: dict[str, Word] = {
    "transferred": Word(
        "so many octets of payload arrived",
        "traffic",
        {"traffic": _TRAFFIC, "exactly": Parameter(ArgumentKind.OCTETS)} | _bounds(ArgumentKind.OCTETS),
        _transferred,
    ),
    "throughput": Word(
        "payload arrived at such a rate",
        "traffic",
        {"traffic": _TRAFFIC, "after": _TIME, "before": _TIME} | _bounds(ArgumentKind.RATE),
        _throughput,
    ),
    "fair": Word(
        "the activities share fairly, by Jain's index",
        "traffic",
        {"traffic": _TRAFFIC, "after": _TIME, "before": _TIME, "at_least": Parameter(ArgumentKind.SHARE)},
        _fair,
    ),
    "delay": Word(
        "packets took so long (round trips for echoes)",
        "traffic",
        {
            "traffic": _TRAFFIC,
            "of": Parameter(ArgumentKind.TEXT, choices=("highest", "lowest", "mean", "median", "p95", "p99")),
        }
        | _bounds(ArgumentKind.DURATION),
        _delay,
        frozenset({"delay"}),
    ),
    "loss": Word(
        "so many datagrams or echoes were lost",
        "traffic",
        {"traffic": _TRAFFIC} | _bounds(ArgumentKind.SHARE),
        _loss,
        frozenset({"loss"}),
    ),
    "recovers": Word(
        "connections come about again within a time after the fault",
        "traffic",
        {"traffic": _TRAFFIC, "within": Parameter(ArgumentKind.DURATION, required=True), "after": _TIME},
        _recovers,
    ),
}
