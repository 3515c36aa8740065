"""Draw skill against the lab's budget: a panel for each regime, a line an agent, the ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.errors import MissingExtraError, ScoreError
from causalbench.report.cells import RUNGS
from causalbench.task.terms import terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from causalbench.run.result import Run

    Row = Mapping[str, Any]
    Place = tuple[int, str]

__all__ = ["plot_budgets"]

# Okabe and Ito's colours, which colour-blind readers tell apart; controls are grey.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS = ("o", "s", "D", "^", "v", "P", "X")
_DASHES = ((0, (1, 1)), (0, (3, 1.5)), (0, (5, 1, 1, 1)), (0, (2, 2)))
_GREY = ("#8a979f", "#a9b3b9", "#6d7a82", "#bcc4c9")
_INK, _SOFT = "#16232b", "#5b6b75"
_ENTRY = 1.9  # inches of an entry of the legend
_LEAST = -0.5  # skills below it are drawn at the edge as an arrow
_REGIMES = {
    "see": "watch",
    "do": "intervene",
    "intent": "own choice seen first",
    "replay": "run again",
}
_THOUSAND = 1024


def plot_budgets(run: Run, path: str | Path) -> Path:
    """Draw a run's skill in labs against their budgets, and save the figure.

    The units are those that may be watched; above regime ``see`` as many may be set, and in
    ``replay`` as many run again.

    Args:
        run: what to draw.
        path: a file ending in .png, .svg or .pdf.

    Returns:
        The path.

    Raises:
        MissingExtraError: matplotlib isn't installed.
        ScoreError: the run has no pairs in labs with stated budgets.
    """
    from pathlib import Path

    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = "plots need matplotlib; pip install 'causalbench-ladder[board]'."
        raise MissingExtraError(msg) from error
    path = Path(path)
    rows = [row for row in run.lines("access") if terms(row["access"]).cell == "lab"]
    if not rows:
        msg = f"run of '{run.suite}' has no pairs in labs with budgets; run a suite that has such."
        raise ScoreError(msg)
    tracks = list(dict.fromkeys(row["track"] for row in rows))
    places = sorted({_place(row) for row in rows}, key=lambda each: (each[0], _order(each[1])))
    styles = _styles(rows)
    width = max(5.6, 1.2 + 2.75 * len(places))
    beside = max(2, int(width / _ENTRY))  # entries of the legend
    lines = -(-(len(styles) + 1) // beside)
    figure = Figure(figsize=(width, 1.1 + 0.22 * lines + 2.6 * len(tracks)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(tracks), len(places), sharex=True, sharey=True, squeeze=False)
    budgets = sorted({_units(row) for row in rows})
    panels[0, 0].set_xscale("log", base=2)
    panels[0, 0].set_xlim(budgets[0] / 1.25, budgets[-1] * 1.25)
    panels[0, 0].set_xticks(budgets, [_short(each) for each in budgets])
    panels[0, 0].minorticks_off()
    for line, track in zip(panels, tracks, strict=True):
        for panel, place in zip(line, places, strict=True):
            held = [row for row in rows if row["track"] == track and _place(row) == place]
            _panel(panel, held, styles)
            rung, regime = place
            title = f"{track}, rung {rung}: {RUNGS[rung]}\n{_REGIMES[regime]}"
            panel.set_title(title, fontsize=8.5, loc="left", color=_INK)
        line[0].set_ylabel("skill", fontsize=9, color=_INK)
    for panel in panels[-1]:
        panel.set_xlabel("units in the lab's budget", fontsize=8.5, color=_INK)
    figure.legend(
        handles=_handles(styles),
        loc="outside lower center",
        ncols=min(beside, len(styles) + 1),
        frameon=False,
        fontsize=8.5,
    )
    figure.suptitle(
        f"{run.suite} {run.version}, seed {run.seed}: skill by budget",
        fontsize=11,
        x=0.01,
        ha="left",
        color=_INK,
    )
    figure.savefig(path, dpi=160)
    return path


def _place(row: Row) -> Place:
    return int(row["rung"]), terms(row["access"]).regime


def _units(row: Row) -> int:
    """Return the number in the access's name."""
    return int(str(row["access"]).rpartition("-")[2])


def _order(regime: str) -> int:
    return list(_REGIMES).index(regime)


def _styles(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Give each agent its line: colours and marks, controls grey and dashed."""
    control = {row["agent"]: bool(row["control"]) for row in rows}
    styles: dict[str, dict[str, Any]] = {}
    for is_control in (False, True):
        for place, name in enumerate(name for name in control if control[name] is is_control):
            colours = _GREY if is_control else _COLOURS
            styles[name] = {
                "color": colours[place % len(colours)],
                "ls": _DASHES[place % len(_DASHES)] if is_control else "-",
                "lw": 1.1 if is_control else 1.7,
                "marker": "_" if is_control else _MARKS[place % len(_MARKS)],
                "ms": 5 if is_control else 4.5,
                "mec": colours[place % len(colours)] if is_control else "white",
                "mew": 1.1 if is_control else 0.6,
                "zorder": 2 if is_control else 4,
            }
    return styles


def _panel(panel: Any, rows: Sequence[Row], styles: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw one regime of one track."""
    panel.axhline(0, color="#c5ced3", lw=0.8, zorder=1)
    ceiling = {_units(row): row["maximum"] for row in rows}
    if ceiling:
        across = sorted(ceiling)
        tops = [ceiling[each] for each in across]
        wide = [across[0] / 1.12, *across, across[-1] * 1.12]  # that one budget alone shows too
        level = [tops[0], *tops, tops[-1]]
        panel.fill_between(wide, level, 1.06, color="#eef2f4", lw=0, zorder=0)
        panel.plot(wide, level, color=_INK, lw=1.0, ls=(0, (4, 2)), zorder=3)
    for agent, style in styles.items():
        own = sorted((row for row in rows if row["agent"] == agent), key=_units)
        if not own:
            continue
        across = [_units(row) for row in own]
        heights = [max(row["skill"], _LEAST) for row in own]
        panel.plot(across, heights, **style)
        if all(row["low"] is not None for row in own) and not own[0]["control"]:
            low = [max(row["low"], _LEAST) for row in own]
            high = [max(row["high"], _LEAST) for row in own]
            panel.fill_between(across, low, high, color=style["color"], alpha=0.13, lw=0, zorder=1)
        below = [each for each, row in zip(across, own, strict=True) if row["skill"] < _LEAST]
        if below:
            panel.plot(below, [_LEAST] * len(below), "v", ms=4, color=style["color"], clip_on=False)
    if not rows:
        panel.text(
            0.5, 0.4, "no pairs", transform=panel.transAxes, color=_GREY[1], ha="center", fontsize=8
        )
    panel.set_ylim(_LEAST, 1.06)
    panel.set_yticks([-0.5, 0, 0.5, 1], ["-.5", "0", ".5", "1"])
    panel.tick_params(length=0, labelsize=8, labelcolor=_SOFT)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
    panel.spines["bottom"].set_color("#c5ced3")


def _short(units: int) -> str:
    """Write a budget: 256, 1k, 16k."""
    return f"{units // _THOUSAND}k" if units and units % _THOUSAND == 0 else str(units)


def _handles(styles: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """Return the legend's entries, the ceiling last."""
    from matplotlib.lines import Line2D

    made = [Line2D([], [], label=name, **style) for name, style in styles.items()]
    ceiling = Line2D([], [], color=_INK, lw=1.0, ls=(0, (4, 2)), label="most that can be expected")
    return [*made, ceiling]
