"""Print how hard the items of a run were, and how well they tell agents apart."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from causalbench.report.cells import NOT_PLAYED, RUNGS, by, number
from causalbench.score.by import trait_rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from causalbench.run.result import Run

    Row = Mapping[str, Any]

__all__ = ["items", "print_items"]

_WIDTH = 100
_SHOWN = 5  # of the hardest and of the misleading items
_LEGEND = (
    "difficulty: the mean loss as a share of what silence costs, 0 where all knew the truth, cut "
    "at 1.\ndiscrimination: an item's correlation with the rest over answerers; it misleads below "
    "0.\n--json and run.items() give every item.\n"
)


def print_items(run: Run, console: Console | None = None) -> None:
    """Print a run's item statistics: a line for each kind of item, then the ones to look at.

    Args:
        run: what to print.
        console: where to; by default stdout.

    Raises:
        ScoreError: the run has no pairs.
    """
    if console is None:
        console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    console.print(items(run))


def items(run: Run) -> RenderableType:
    """Lay a run's item statistics out."""
    rows = run.item_rows()
    agents = len({record.agent for record in run.records})
    head = Text.assemble(
        "\n",
        (run.suite, "bold"),
        f"  version {run.version}, seed {run.seed}: {len(rows)} items, {agents} agents\n",
    )
    hardest = sorted(rows, key=lambda row: -row["difficulty"])[:_SHOWN]
    parts: list[RenderableType] = [head]
    for track, held in sorted(by(rows, "track").items(), reverse=True):
        parts += [Text(track, style="bold"), Text(), _kinds(held), Text()]
    parts += [Text("the hardest", style="bold"), Text(), _single(hardest), Text()]
    known = [row for row in rows if row["discrimination"] is not None]
    odd = sorted((r for r in known if r["discrimination"] < 0), key=lambda r: r["discrimination"])
    if odd:
        title = f"the most misleading of {len(odd)} with a discrimination below 0"
        parts += [Text(title, style="bold"), Text(), _single(odd[:_SHOWN]), Text()]
    return Group(*parts, Text(_LEGEND, style="dim"))


def _kinds(rows: Sequence[Row]) -> Table:
    """Return a line for each type of question, or cell where none is said, by rung."""
    made = _empty("kind")
    for title in ("items", "answerers", "difficulty", "[10%, 90%]", "discrimination"):
        made.add_column(title, justify="right", no_wrap=True)
    ranked = sorted(rows, key=lambda row: (row["rung"], *trait_rank("form", row["form"])))
    for place, (rung, in_rung) in enumerate(by(ranked, "rung").items()):
        if place:
            made.add_section()
        made.add_row(Text(f"{rung} {RUNGS[int(rung)]}", style="dim"))
        for kind, held in by([{**row, "kind": _kind(row)} for row in in_rung], "kind").items():
            hard = [row["difficulty"] for row in held]
            tells = [row["discrimination"] for row in held if row["discrimination"] is not None]
            low, high = np.quantile(hard, [0.1, 0.9])
            answerers = sorted({row["answerers"] for row in held})
            made.add_row(
                f"  {kind}",
                str(len(held)),
                f"{answerers[0]}-{answerers[-1]}" if len(answerers) > 1 else str(answerers[0]),
                number(float(np.mean(hard))),
                Text(f"[{number(float(low))}, {number(float(high))}]", style="dim"),
                number(float(np.mean(tells))) if tells else NOT_PLAYED,
            )
    return made


def _single(rows: Sequence[Row]) -> Table:
    """Return a line an item."""
    made = _empty("question", "kind", "access", "size")
    for title in ("difficulty", "discrimination"):
        made.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        made.add_row(
            row["question"],
            _kind(row),
            row["access"] or row["cell"],
            row["size"] or NOT_PLAYED,
            number(row["difficulty"]),
            number(row["discrimination"]),
        )
    return made


def _empty(*titles: str) -> Table:
    """Return a table with its first columns, which hold words."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for title in titles:
        made.add_column(title, justify="left", no_wrap=True)
    return made


def _kind(row: Row) -> str:
    return row["form"] or f"rung {row['rung']}, {row['cell']}"
