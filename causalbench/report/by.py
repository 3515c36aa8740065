"""Print skill by a trait of the tasks: a line for each type of question, access, size and so on."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from causalbench.report.cells import GROUPS, RUNGS, agent_name, bounded, by, number, skill
from causalbench.report.ladder import statuses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from causalbench.run.result import Run

    Row = Mapping[str, Any]

__all__ = ["TITLES", "lines", "print_lines"]

WIDTH = 100  # columns, at most
TITLES = {
    "form": "type of question",
    "access": "access",
    "size": "size",
    "motif": "motif",
    "family": "family",
    "surface": "surface",
    "construction": "construction",
}
_SKILL, _NUMBER, _FIRST = 18, 6, 28  # columns of "-0.25 [-.25 -.25] ", a number, and a name


def print_lines(run: Run, trait: str = "form", console: Console | None = None) -> None:
    """Print a run's skill by a trait, one table for each track and group.

    Args:
        run: what to print.
        trait: as in `Run.lines`.
        console: where to; by default stdout, at most `WIDTH` columns.

    Raises:
        UnknownNameError: no such trait.
        ScoreError: no pair of the run says it.
    """
    if console is None:
        console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    console.print(lines(run, trait, width=min(console.width, WIDTH)))


def lines(run: Run, trait: str = "form", *, width: int = WIDTH) -> RenderableType:
    """Lay a run's skill by a trait out; where agents are many, in tables below each other.

    Args:
        run: what to lay out.
        trait: as in `Run.lines`.
        width: columns there are.
    """
    rows = run.lines(trait)
    parts: list[RenderableType] = [
        Text.assemble("\n", (run.suite, "bold"), f"  version {run.version}, seed {run.seed}\n")
    ]
    for track, in_track in by(rows, "track").items():
        for group, held in by(in_track, "group").items():
            parts += [Text(f"{track}, {GROUPS[group]}", style="bold"), Text()]
            for agents in _batches(held, width):
                own = [row for row in held if row["agent"] in agents]
                parts += [_table(own, agents, trait), Text()]
    parts.append(_legend(rows))
    parts += statuses(run.agents)
    return Group(*parts)


def _batches(rows: Sequence[Row], width: int) -> list[list[str]]:
    """Split the agents, controls last, into as many as fit side by side."""
    control = {row["agent"]: bool(row["control"]) for row in rows}
    names = sorted(control, key=control.__getitem__)
    room = max(1, (width - _FIRST - 2 * _NUMBER) // _SKILL)
    tables = -(-len(names) // room)
    ends = [len(names) * number // tables for number in range(tables + 1)]
    return [names[start:end] for start, end in pairwise(ends)]


def _table(rows: Sequence[Row], agents: Sequence[str], trait: str) -> Table:
    """Return one table: the trait's values down, by rung, agents across."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    made.add_column(TITLES[trait], no_wrap=True, justify="left")
    made.add_column("pairs", no_wrap=True, justify="right")
    limited = bounded(rows)
    if limited:
        made.add_column("most", no_wrap=True, justify="right")
    first = {row["agent"]: row for row in reversed(rows)}
    for agent in agents:
        made.add_column(agent_name(first[agent]), no_wrap=True, justify="right")
    for place, (rung, in_rung) in enumerate(by(rows, "rung").items()):
        if place:
            made.add_section()
        made.add_row(Text(f"{rung} {RUNGS[int(rung)]}", style="dim"))
        for value, held in by(in_rung, trait).items():
            cells = {row["agent"]: row for row in held}
            line: list[Text | str] = [f"  {value}", str(max(row["pairs"] for row in held))]
            if limited:
                line.append(Text(number(held[0]["maximum"]), style="dim"))
            line += [
                skill(cells.get(agent), dim=bool(first[agent]["control"]), flat=True)
                for agent in agents
            ]
            made.add_row(*line)
    return made


def _legend(rows: Sequence[Row]) -> Text:
    """Say what the numbers are."""
    text = "skill with its 95% interval over base worlds and repeats"
    if any(row["low"] is None for row in rows):
        text += " (none from a single base world)"
    if bounded(rows):
        text += "; most: the skill that can be expected at most, from what the lab allows"
    return Text(f"{text}.\n", style="dim")
