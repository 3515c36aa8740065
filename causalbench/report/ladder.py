"""Print a run: the ladder per track, whose answers they were, and the questions without twins."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.text import Text

from causalbench.report.cells import (
    GROUPS,
    NOT_PLAYED,
    agent_name,
    by,
    climbed,
    cost,
    error,
    heading,
    honest_cell,
    places,
    shares,
    skill,
    table,
)
from causalbench.score.by import said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from causalbench.run.result import Run

    Row = Mapping[str, Any]

__all__ = ["WIDTH", "ladder", "print_run", "statuses"]

WIDTH = 118  # columns, where there is no terminal to ask
_HONEST = (
    "\nhonesty: 1 for the truth where what is given settles it and the sharp bounds elsewhere, 0 "
    "for claiming nothing; in brackets the share of right verdicts (.5 for always giving the same)."
)
_BY_FORM = "--by form prints a line for each type of question (--by access, size and others too)."


def print_run(run: Run, console: Console | None = None) -> None:
    """Print a run's tables.

    Args:
        run: what to print.
        console: where to; by default stdout, as wide as the terminal or `WIDTH`.
    """
    if console is None:
        width = None if sys.stdout.isatty() else WIDTH
        console = Console(width=width, highlight=False)
    console.print(ladder(run, width=console.width))
    if said(run.records, "form"):
        console.print(Text(_BY_FORM, style="dim"))


def ladder(run: Run, *, width: int = WIDTH) -> RenderableType:
    """Lay a run out: ladders by track and group, readings, named questions, what the signs mean.

    Args:
        run: what to lay out.
        width: columns there are; where they are few, intervals go below their skills.

    Raises:
        ScoreError: nothing was played.
    """
    head = Text.assemble("\n", (run.suite, "bold"), f"  version {run.version}, seed {run.seed}\n")
    parts: list[RenderableType] = [head]
    scored = [row for row in run.rows if row["pairs"]]
    for track, rows in sorted(by(scored, "track").items(), reverse=True):
        agents = [one for one in run.agents if one["track"] == track]
        for group, meaning in GROUPS.items():
            held = [row for row in rows if row["group"] == group]
            if held:
                heights = {one["agent"]: one for one in agents if one["group"] == group}
                parts += _titled(f"{track}, {meaning}", _skills(held, heights, width))
    if scored:
        honest = any(one["honesty"] is not None for one in run.agents)
        alone = any(row["low"] is None for row in scored)
        parts += [_legend(alone=alone, honest=honest), Text()]
    elif honest_only := [one for one in run.agents if one["honesty"] is not None]:
        parts += [
            *_titled("honesty, without ladders", _honesty(honest_only)),
            Text(_HONEST[1:] + "\n"),
        ]
    for track, rows in sorted(by(run.rows, "track").items(), reverse=True):
        held = [r for r in rows if r["profile"] and r["rung"] > 1 and not r["control"]]
        if held:
            title = f"{track}: percent of answers nearest to a perfect see / do / imagine"
            parts += _titled(title, _readings(held))
    for track, rows in sorted(by(run.named, "track").items(), reverse=True):
        what = "error" if track == "estimates" else "regret"
        for real, held in sorted(by(rows, "real").items()):
            where = ", worlds of real numbers, each on its own scale" if real else ""
            title = f"{track} without twins{where}: mean {what}, never in skill (answered/asked)"
            parts += _titled(title, _named(held))
    parts += statuses(run.agents)
    return Group(*parts)


def _titled(title: str, made: Table) -> list[RenderableType]:
    """Return a table under its title, with a line between and one after."""
    return [Text(title, style="bold"), Text(), made, Text()]


def _skills(rows: Sequence[Row], heights: Mapping[str, Row], width: int) -> Table:
    """Return one ladder: agents down, rungs and cells across, controls last and dim."""
    flat = _skill_table(rows, heights, flat=True)
    wide = Console(width=1000).measure(flat).maximum
    return flat if wide <= width else _skill_table(rows, heights, flat=False)


def _skill_table(rows: Sequence[Row], heights: Mapping[str, Row], *, flat: bool) -> Table:
    made = table()
    made.columns[0].header = Text("\n\nagent")
    across = places(rows)
    for place in across:
        pairs = max(row["pairs"] for row in rows if (row["rung"], row["cell"]) == place)
        made.add_column(
            heading(*place, f"{pairs} pair{'s' * (pairs > 1)}"), justify="right", no_wrap=True
        )
    honest = any(one["honesty"] is not None for one in heights.values())
    made.add_column("\nrungs\nclimbed", justify="center", no_wrap=True)
    if honest:
        made.add_column("\nhonesty\n(verdicts)", justify="right", no_wrap=True)
    made.add_column("\nunits", justify="right", no_wrap=True)
    made.add_column("\nseconds", justify="right", no_wrap=True)
    before: bool | None = None
    for name, held in _controls_last(rows):
        control = bool(held[0]["control"])
        if control and before is False:
            made.add_section()
        before = control
        cells = {(row["rung"], row["cell"]): row for row in held}
        one = heights[name]
        line = [agent_name(held[0])]
        line += [skill(cells.get(place), dim=control, flat=flat) for place in across]
        line.append(climbed(one, dim=control))
        if honest:
            line.append(honest_cell(one, dim=control, flat=flat))
        line += cost(held)
        made.add_row(*line)
    return made


def _honesty(agents: Sequence[Row]) -> Table:
    """Return each agent's honesty, where no pair was played that a ladder could show."""
    made = table()
    made.add_column("honesty (verdicts)", justify="right", no_wrap=True)
    for _, held in _controls_last(agents):
        made.add_row(agent_name(held[0]), honest_cell(held[0], dim=held[0]["control"], flat=True))
    return made


def _readings(rows: Sequence[Row]) -> Table:
    """Return whose answers each agent's are nearest to, in percent."""
    return _across(rows, by(rows, "agent").values(), shares)


def _named(rows: Sequence[Row]) -> Table:
    """Return the mean errors of questions without twins."""
    return _across(rows, (held for _, held in _controls_last(rows)), error)


def _across(
    rows: Sequence[Row], lines: Iterable[Sequence[Row]], show: Callable[[Row | None], Any]
) -> Table:
    """Return a line for each agent with one cell for each rung and cell of the suite."""
    made = table()
    across = places(rows)
    for place in across:
        made.add_column(heading(*place), justify="right", no_wrap=True)
    for held in lines:
        cells = {(row["rung"], row["cell"]): row for row in held}
        made.add_row(agent_name(held[0]), *(show(cells.get(place)) for place in across))
    return made


def _controls_last(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Return the agents with their rows, controls after the others."""
    return sorted(by(rows, "agent").items(), key=lambda entry: bool(entry[1][0]["control"]))


def _legend(*, alone: bool, honest: bool) -> Text:
    """Say what the signs mean, and, where a base world stands alone, why there is no interval."""
    return Text.assemble(
        ("1", "bold"),
        " is the truth, ",
        ("0", "bold"),
        " the most that a solver confined to the rung below can expect; with each skill its 95% "
        f"interval over base worlds and repeats. {NOT_PLAYED} was not played.\n",
        ("●", "green"),
        " a rung climbed: its interval lies above .5, and so does that of every rung below; "
        "○ measured and not climbed;\n· nothing can be said: it or a rung below was not played, or "
        "has no interval. units, seconds: spent on a dossier, on average."
        + (" A single base world gives no interval, and climbs nothing." if alone else "")
        + (_HONEST if honest else ""),
        style="dim",
    )


def statuses(rows: Sequence[Row]) -> list[RenderableType]:
    """Return a line for each agent with items that weren't answered."""
    lines: list[RenderableType] = []
    for name, held in by(rows, "agent").items():
        total: dict[str, int] = defaultdict(int)
        for row in held:
            for status, count in row["status_counts"].items():
                total[status] += count
        silent = {status: count for status, count in total.items() if count}
        silent.pop("answered", None)
        if silent:
            said = ", ".join(f"{count} {status}" for status, count in silent.items())
            lines.append(Text(f"{name}: {said} of {sum(total.values())} answers"))
    return lines
