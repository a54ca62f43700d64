"""The page: what Jinja2 is given, for one world or for two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from compiler.placed.quantities import format_duration
from labs.agreement import Difference, in_both
from labs.assertions import Verdict, VerdictState, say
from labs.data import render_page
from labs.determined import left_out, uncompared
from labs.graph import draw_svg
from labs.observation import Observation
from labs.report import line_plots, plots
from labs.report.process_tables import command_table, program_table
from labs.report.tables import Table, connection_table, drop_table, link_table, rule_table, traffic_table
from labs.topology import Fault, Lab

__all__ = ["World", "write_report"]


_RECEIVED = "What applications received: of TCP in its order, so that what waits for a lost segment comes all at once."

_VISITS = "Each visit is a connection; a cross is a log-in."


class World(NamedTuple):
    """A run and what was judged of it."""

    observation: Observation
    verdicts: tuple[Verdict, ...]


def write_report(
    lab: Lab, worlds: Sequence[World], command: str, differences: Sequence[Difference] | None = None
) -> str:
    """The HTML of a report. ``differences`` are those between two worlds, None when they were not compared."""
    return render_page(
        "report.html.j2",
        lab=lab,
        command=command,
        topology=Markup(draw_svg(lab)),
        summary=[_summary(world) for world in worlds],
        assertions=_assertions(lab, worlds),
        worlds=[_world(lab, world) for world in worlds],
        faults=[_fault(fault) for fault in lab.faults],
        differences=differences,
        agreement=_agreement(lab, worlds) if differences is not None else "",
        uncompared=_uncompared(lab, worlds) if differences is not None else (),
        left_out=left_out(lab, *(world.observation for world in worlds)) if differences is not None else (),
        world_names=[world.observation.world for world in worlds],
    )


def _agreement(lab: Lab, worlds: Sequence[World]) -> str:
    """No difference is no agreement about what did not run in both."""
    left, right = worlds
    compared, number = in_both(lab, left.observation, right.observation)
    if number and not compared:
        return "Nothing was compared: no activity ran in both worlds"
    if compared < number:
        return f"The worlds agree in the {compared} of {number} activities that both ran"
    return "The worlds agree"


def _uncompared(lab: Lab, worlds: Sequence[World]) -> tuple[str, ...]:
    left, right = worlds
    return uncompared(lab, left.observation, right.observation)


def _summary(world: World) -> dict[str, object]:
    counts = {state: sum(one.state is state for one in world.verdicts) for state in VerdictState}
    observation = world.observation
    connections = sum(len(outcome.connections) for outcome in observation.outcomes)
    failed = sum(len(outcome.failures) for outcome in observation.outcomes)
    return {
        "world": observation.world,
        "seed": observation.seed,
        "duration": format_duration(observation.duration),
        "held": counts[VerdictState.HELD],
        "failed": counts[VerdictState.FAILED],
        "skipped": counts[VerdictState.SKIPPED],
        "connections": f"{connections:,}",
        "connections_failed": f"{failed:,}",
        "drops": f"{_dropped(observation):,}",
        "fallen": len(observation.fallen()),
    }


def _dropped(observation: Observation) -> int:
    """Packets lost at nodes and on links; a world may tell those of links among its drops too."""
    links = {one.link for one in observation.links}
    return sum(one.packets for one in observation.drops if one.node not in links) + sum(
        one.drops for one in observation.links
    )


def _assertions(lab: Lab, worlds: Sequence[World]) -> list[dict[str, object]]:
    return [
        {
            "said": say(assertion),
            "place": str(assertion.span),
            "verdicts": [
                {"state": world.verdicts[number].state.value, "message": world.verdicts[number].message}
                for world in worlds
            ],
        }
        for number, assertion in enumerate(lab.assertions)
    ]


def _world(lab: Lab, world: World) -> dict[str, object]:
    observation = world.observation
    return {
        "name": observation.world,
        "lacks": observation.lacks,
        "captures": observation.captures,
        "plots": [
            (title, Markup(svg), note)
            for title, svg, note in (
                ("Throughput by activity", plots.throughput_plot(lab, observation), _RECEIVED),
                ("Throughput by line", line_plots.line_plot(lab, observation), ""),
                ("Throughput by link", plots.link_plot(lab, observation), ""),
                ("Forum", _forum(lab, observation), _VISITS),
                ("Delays", plots.delay_plot(observation), ""),
            )
            if svg
        ],
        "tables": [
            (title, table, is_open)
            for title, table, is_open in (
                ("Activities", traffic_table(lab, observation), True),
                ("Programs", program_table(observation), True),
                ("Commands", command_table(observation), True),
                ("Drops by node", drop_table(observation), True),
                ("Links", link_table(observation), len(observation.links) <= 60),
                ("Rules", rule_table(observation), False),
                ("Connections", connection_table(observation), True),
            )
            if _has_rows(table)
        ],
    }


def _forum(lab: Lab, observation: Observation) -> str:
    rows = line_plots.readers_of(lab, observation)
    return line_plots.visits_plot(f"{observation.world}-forum", rows, "logs in")


def _has_rows(table: Table) -> bool:
    return bool(table.rows)


def _fault(fault: Fault) -> str:
    way = "" if fault.direction == "both" else f" ({fault.direction} only)"
    words = fault.kind.value.replace("-", " ")
    return f"{format_duration(fault.at)}: {fault.target}, {words}{way}"
