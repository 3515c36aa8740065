"""Turn verified records into what the templates show."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from causalbench.report.cells import GROUPS, bounded, rung_signs
from causalbench.task.forms import FORMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from causalbench.board.submission import Submission
    from causalbench.board.verify import Verified
    from causalbench.score.record import Record

__all__ = ["Entry", "costs", "form_tables", "merged", "ranks", "submission_lines", "tracks"]

_RUNGS = {1: "Rung 1, see", 2: "Rung 2, do", 3: "Rung 3, imagine"}
_CELLS = ("mechanisms", "diagram", "lab")
_GROUPS = ("reasoning", "learning")


@dataclass(frozen=True)
class Entry:
    """One agent of one submission on one page.

    Args:
        submission: whose file it came in.
        agent: its manifest and recomputed records.
    """

    submission: Submission
    agent: Verified

    @property
    def name(self) -> str:
        """The agent's name."""
        return str(self.agent.manifest["agent"]["name"])

    @property
    def control(self) -> bool:
        """Whether it is a control."""
        return bool(self.agent.manifest["agent"]["control"])


def ranks(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Rank rows by skill, sharing a rank where intervals can't tell.

    Args:
        rows: each with ``low`` and ``high``.

    Returns:
        One more than the number of rows whose whole interval lies above the row's, at the two
        decimals that the page prints.
    """
    lows = [round(row["low"], 2) for row in rows]
    return [1 + sum(low > round(row["high"], 2) for low in lows) for row in rows]


def merged(entries: Sequence[Entry]) -> tuple[dict[str, Entry], list[Record]]:
    """Give each agent a name of its own on the page, and collect the records under it.

    Returns:
        Name -> entry, a control once however often it was submitted; and all their records.
    """
    named = _named(entries)
    records = [
        record if record.agent == name else replace(record, agent=name)
        for name, entry in named.items()
        for record in entry.agent.records
    ]
    return named, records


def _named(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Give each agent a name of its own on the page; a control stands there once."""
    named: dict[str, Entry] = {}
    for entry in entries:
        name = entry.name
        if name in named:
            if entry.control and named[name].control:
                continue
            name = f"{name} ({entry.submission.title})"
            while name in named:
                name += "'"
        named[name] = entry
    return named


def tracks(table: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield what the template shows of each track."""
    from causalbench.board.figure import rung_plot

    for track in ("estimates", "decisions"):
        rows = [row for row in table["rows"] if row["track"] == track and row["skill"] is not None]
        if not rows:
            continue
        found = {(row["agent"], row["rung"], row["cell"]): row for row in rows}
        ranked = _ranked(rows)
        agents = _order(rows)
        rungs = []
        for number, title in _RUNGS.items():
            cells = [c for c in _CELLS if any(r["rung"] == number and r["cell"] == c for r in rows)]
            if not cells:
                continue
            panels = {
                cell: {a: found[a, number, cell] for a in agents if (a, number, cell) in found}
                for cell in cells
            }
            plot = rung_plot(agents, panels)
            pairs = {
                cell: max(row["pairs"] for row in panel.values()) for cell, panel in panels.items()
            }
            rungs.append(
                {"number": number, "title": title, "cells": cells, "pairs": pairs, "plot": plot}
            )
        yield {
            "name": track,
            "rungs": rungs,
            "agents": [_agent(name, track, rungs, found, ranked, table) for name in agents],
        }


def form_tables(
    rows: Sequence[Mapping[str, Any]], track: str, agents: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a table for each group of a track: types of question down by rung, agents across.

    Args:
        rows: from `causalbench.score.by.trait_rows`, by form; none where the suite has none.
        track: which.
        agents: in the order of the page.
    """
    mine = [row for row in rows if row["track"] == track]
    tables = []
    for group in dict.fromkeys(row["group"] for row in mine):
        held = [row for row in mine if row["group"] == group]
        found = {(row["rung"], row["form"], row["agent"]): row for row in held}
        across = [name for name in agents if any(row["agent"] == name for row in held)]
        lines: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for rung, form in dict.fromkeys((row["rung"], row["form"]) for row in held):
            own = [row for row in held if (row["rung"], row["form"]) == (rung, form)]
            lines[rung].append(
                {
                    "form": form,
                    "asks": FORMS[form].asks if form in FORMS else "",
                    "pairs": max(row["pairs"] for row in own),
                    "maximum": own[0]["maximum"],
                    "cells": [found.get((rung, form, name)) for name in across],
                }
            )
        tables.append(
            {
                "group": GROUPS[group],
                "agents": [
                    (name, any(r["control"] for r in held if r["agent"] == name)) for name in across
                ],
                "rungs": [(_RUNGS[rung], lines[rung]) for rung in sorted(lines)],
                "bounded": bounded(held),
            }
        )
    return tables


def _ranked(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int, str], int]:
    """Rank the agents of each column; controls take no rank."""
    columns = defaultdict(list)
    for row in rows:
        if not row["control"] and row["low"] is not None:
            columns[row["rung"], row["cell"]].append(row)
    return {
        (row["agent"], *column): rank
        for column, held in columns.items()
        for row, rank in zip(held, ranks(held), strict=True)
    }


def _order(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Order agents by their mean skill over the columns they play, controls last."""
    skills = defaultdict(list)
    for row in rows:
        skills[bool(row["control"]), row["agent"]].append(max(row["skill"], -1.0))
    return [
        name
        for (_, name), _ in sorted(
            skills.items(), key=lambda kept: (kept[0][0], -sum(kept[1]) / len(kept[1]), kept[0][1])
        )
    ]


def _agent(
    name: str,
    track: str,
    rungs: Sequence[Mapping[str, Any]],
    found: Mapping[Any, Mapping[str, Any]],
    ranked: Mapping[Any, int],
    table: Mapping[str, Any],
) -> dict[str, Any]:
    """Return one line of a track's table."""
    cells = {}
    for rung in rungs:
        for cell in rung["cells"]:
            row = found.get((name, rung["number"], cell))
            rank = ranked.get((name, rung["number"], cell))
            cells[rung["number"], cell] = None if row is None else {**row, "rank": rank}
    rows = [row for row in table["agents"] if row["agent"] == name and row["track"] == track]
    heights = {row["group"]: row for row in rows if row["height"] is not None}
    return {
        "name": name,
        "control": any(found[key]["control"] for key in found if key[0] == name),
        "cells": cells,
        "honesty": rows[0]["honesty"] if rows else None,
        "verdicts": rows[0]["verdicts"] if rows else None,
        "height": [
            (group, heights[group]["height"], rung_signs(heights[group]))
            for group in _GROUPS
            if group in heights
        ],
    }


def costs(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each agent's mean cost of a dossier over all cells, and its statuses."""
    totals: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    counts: dict[str, int] = defaultdict(int)
    statuses: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in table["rows"]:
        counts[row["agent"]] += 1
        for name, value in row["cost"].items():
            totals[row["agent"]][name] += value
        for name, value in row["status_counts"].items():
            statuses[row["agent"]][name] += value
    return [
        {
            "agent": agent,
            "cost": {name: value / counts[agent] for name, value in totals[agent].items()},
            "statuses": ", ".join(f"{n} {name}" for name, n in statuses[agent].items() if n),
        }
        for agent in totals
    ]


def submission_lines(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return a line for each submission: who and when."""
    files = {entry.submission.digest: entry.submission for entry in entries}
    return [
        {
            "title": one.title,
            "by": one.by,
            "when": one.packed,
            "version": one.version,
            "digest": digest,
            "agents": ", ".join(e.name for e in entries if e.submission.digest == digest),
        }
        for digest, one in files.items()
    ]
