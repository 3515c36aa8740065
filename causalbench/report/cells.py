"""Write one cell of a table: a skill, a height, a cost, a profile, an error."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from causalbench.score.skill import CLIMBED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]

__all__ = [
    "CELLS",
    "GROUPS",
    "NOT_PLAYED",
    "RUNGS",
    "agent_name",
    "bounded",
    "by",
    "climbed",
    "cost",
    "error",
    "heading",
    "honest_cell",
    "number",
    "places",
    "rung_signs",
    "shares",
    "skill",
    "table",
]

NOT_PLAYED = "-"
RUNGS = {1: "see", 2: "do", 3: "imagine"}
CELLS = ("mechanisms", "diagram", "lab")
GROUPS = {
    "learning": "learning: the access reaches the rung",
    "reasoning": "reasoning: the access is lower, but diagram or mechanisms are shown",
    "beyond": "beyond reach: neither",
}
_HIGH, _LOW = 0.8, 0.2  # of skill: green from here, red below
_THOUSAND = 1000
_TEN = 10


def table() -> Table:
    """Return an empty table with the agents' column."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    made.add_column("agent", no_wrap=True, justify="left")
    return made


def heading(rung: int, cell: str, more: str = "") -> Text:
    """Return a column's heading: rung, cell, and one thing more."""
    lines = [f"{rung} {RUNGS[rung]}", cell, *([more] if more else [])]
    return Text("\n".join(lines), justify="right")


def places(rows: Sequence[Row]) -> list[tuple[int, str]]:
    """Return the (rung, cell) places of rows, in the order of the ladder."""
    found = {(row["rung"], row["cell"]) for row in rows}
    known = {cell: place for place, cell in enumerate(CELLS)}
    return sorted(found, key=lambda place: (place[0], known.get(place[1], len(known)), place[1]))


def by(rows: Sequence[Row], key: str) -> dict[str, list[Row]]:
    """Sort rows by a key, in the order of first sight."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return dict(found)


def bounded(rows: Sequence[Row]) -> bool:
    """Say whether the most that can be expected is below 1, at two decimals."""
    return any(number(row["maximum"]) != number(1.0) for row in rows)


def agent_name(row: Row) -> Text:
    """Return an agent's name; a control's is dim."""
    return Text(row["agent"], style="dim italic" if row["control"] else "bold")


def number(value: float | None, digits: int = 2) -> str:
    """Write a number, ``-`` for none, and never ``-0.00``."""
    if value is None:
        return NOT_PLAYED
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if not text.strip("-0.") else text


def skill(row: Row | None, *, dim: bool, flat: bool) -> Text:
    """Return a skill and its interval, beside it or below."""
    if row is None:
        return Text(NOT_PLAYED, style="dim")
    value = row["skill"]
    colour = "green" if value >= _HIGH else "yellow" if value >= _LOW else "red"
    text = Text.assemble((number(value), f"dim {colour}" if dim else f"bold {colour}"))
    if row["low"] is not None:
        ends = f"{_end(row['low'])} {_end(row['high'])}"
        text.append(f" [{ends}]" if flat else f"\n{ends}", style="dim")
    return text


def honest_cell(row: Row, *, dim: bool, flat: bool) -> Text:
    """Return an agent's honesty, and in brackets how often its verdicts are right."""
    text = Text(number(row["honesty"]), style="dim" if dim else "")
    if row["verdicts"] is not None:
        text.append(f"{' ' if flat else chr(10)}({number(row['verdicts'])})", style="dim")
    return text


def rung_signs(row: Row) -> str:
    """Return a sign for each rung: ● climbed, ○ measured and not climbed, · nothing can be said.

    Args:
        row: of an agent in one group, with ``height`` and ``rungs``.
    """
    signs = ""
    for rung in RUNGS:
        low = row["rungs"].get(str(rung), {}).get("low")
        if rung <= (row["height"] or 0):
            signs += "●"
        elif low is None or (low > CLIMBED and "○" not in signs):  # the rung below isn't known
            signs += "·"
        else:
            signs += "○"
    return signs


def climbed(row: Row, *, dim: bool) -> Text:
    """Return three rungs, those climbed filled."""
    signs = rung_signs(row)
    filled = signs.count("●")
    return Text.assemble((signs[:filled], "dim" if dim else "green"), (signs[filled:], "dim"))


def cost(rows: Sequence[Row]) -> list[Text]:
    """Return the mean units and seconds of a dossier over rows."""
    kinds = ("rows", "interventions", "replays")
    units = sum(row["cost"][kind] for row in rows for kind in kinds) / len(rows)
    seconds = sum(row["cost"]["seconds"] for row in rows) / len(rows)
    shown = f"{units / _THOUSAND:.1f}k" if units >= _THOUSAND else f"{units:.0f}"
    return [Text(shown, style="dim"), Text(number(seconds, int(seconds < _TEN) * 2), style="dim")]


def shares(row: Row | None) -> Text:
    """Return a profile as percentages, the lowest rung first."""
    if row is None:
        return Text(NOT_PLAYED, style="dim")
    percent = [round(100 * row["profile"][name]) for name in list(RUNGS.values())[: row["rung"]]]
    text = Text()
    for place, share in enumerate(percent):
        text.append(" / " if place else "", style="dim")
        text.append(str(share), style="bold" if share == max(percent) else "dim")
    return text


def error(row: Row | None) -> Text:
    """Return a mean error and how many answers it is over."""
    if row is None:
        return Text(NOT_PLAYED, style="dim")
    answered, asked = row["status_counts"]["answered"], sum(row["status_counts"].values())
    return Text.assemble(number(row["error"], 3), (f" {answered}/{asked}", "dim"))


def _end(value: float) -> str:
    """Write an interval's end without the nought before the point."""
    text = number(value, 2 if abs(value) < _TEN else 0)
    return text.replace("0.", ".", 1) if abs(value) < 1 else text
