"""Draw the ladder: one panel a rung, one line an agent, a mark a cell, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.errors import MissingExtraError, ScoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from causalbench.run.result import Run

__all__ = ["plot_ladder"]

_RUNGS = {1: "rung 1: see", 2: "rung 2: do", 3: "rung 3: imagine"}
# Colours that colour-blind readers tell apart (Okabe and Ito), and marks that print in grey.
_CELLS = {
    "mechanisms": ("#0072B2", "s"),
    "diagram": ("#E69F00", "D"),
    "lab": ("#009E73", "o"),
}
_OTHER = ("#999999", "^")
_LEAST = -1.0  # skills below it are drawn at the edge as an arrow
_DODGE = 0.22


def plot_ladder(run: Run, path: str | Path) -> Path:
    """Draw a run's skills with their 95% intervals, and save the figure.

    Args:
        run: what to draw.
        path: a file ending in .png, .svg or .pdf.

    Returns:
        The path.

    Raises:
        MissingExtraError: matplotlib isn't installed.
        ScoreError: nothing was played, or nothing with pairs.
    """
    from pathlib import Path

    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = "plots need matplotlib; pip install 'causalbench-ladder[board]'."
        raise MissingExtraError(msg) from error
    path = Path(path)
    rows = [row for row in run.rows if row["pairs"]]
    if not rows:
        msg = f"run of '{run.suite}' has no pairs, so no skill to draw; run a suite with pairs."
        raise ScoreError(msg)
    tracks = sorted({row["track"] for row in rows}, reverse=True)  # estimates, then decisions
    agents = {track: _agents([row for row in rows if row["track"] == track]) for track in tracks}
    heights = [0.7 + 0.34 * len(agents[track]) for track in tracks]
    figure = Figure(figsize=(10.5, 1.3 + sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(
        len(tracks), 3, sharex=True, sharey="row", squeeze=False, height_ratios=heights
    )
    for line, track in zip(panels, tracks, strict=True):
        for panel, rung in zip(line, _RUNGS, strict=True):
            held = [row for row in rows if (row["track"], row["rung"]) == (track, rung)]
            _panel(panel, held, agents[track])
            panel.set_title(f"{track}, {_RUNGS[rung]}", fontsize=10, loc="left")
    for panel in panels[-1]:
        panel.set_xlabel("skill", fontsize=9)
    cells = [cell for cell in _CELLS if any(row["cell"] == cell for row in rows)]
    figure.legend(
        handles=[_handle(cell) for cell in cells],
        loc="outside lower center",
        ncols=len(cells),
        frameon=False,
        fontsize=9,
    )
    figure.suptitle(
        f"{run.suite} {run.version}, seed {run.seed}: 1 is the truth, "
        "0 the most that the rung below can expect",
        fontsize=11,
        x=0.01,
        ha="left",
    )
    figure.savefig(path, dpi=160)
    return path


def _agents(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the agents from top to bottom, controls last."""
    control = {row["agent"]: bool(row["control"]) for row in rows}
    return sorted(control, key=control.__getitem__)


def _panel(panel: Any, rows: Sequence[Mapping[str, Any]], agents: Sequence[str]) -> None:
    """Draw one rung of one track."""
    panel.axvspan(0.5, 1.0, color="#009E73", alpha=0.06, lw=0)
    for place, style in ((0.0, "-"), (0.5, ":"), (1.0, "-")):
        panel.axvline(place, color="#888888", lw=0.8, ls=style, zorder=0)
    for row in rows:
        colour, mark = _CELLS.get(row["cell"], _OTHER)
        shift = (list(_CELLS).index(row["cell"]) - 1) * _DODGE if row["cell"] in _CELLS else 0.0
        y = agents.index(row["agent"]) + shift
        faint = 0.45 if row["control"] else 1.0
        ink = {"color": colour, "alpha": faint}
        if row["low"] is not None:
            ends = [max(row["low"], _LEAST), max(row["high"], _LEAST)]
            panel.plot(ends, [y, y], lw=1.6, solid_capstyle="butt", **ink)
        below = row["skill"] < _LEAST
        panel.plot(
            [max(row["skill"], _LEAST)],
            [y],
            marker="<" if below else mark,
            ms=5,
            ls="",
            clip_on=False,
            **ink,
        )
    panel.set_xlim(_LEAST, 1.05)
    panel.set_ylim(len(agents) - 0.4, -0.6)
    panel.set_yticks(range(len(agents)), agents, fontsize=9)
    panel.set_xticks([-1, -0.5, 0, 0.5, 1], ["-1", "", "0", ".5", "1"])
    panel.tick_params(axis="x", labelsize=8)
    panel.tick_params(axis="y", length=0)
    for line in range(1, len(agents)):
        panel.axhline(line - 0.5, color="#eeeeee", lw=0.6, zorder=0)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)


def _handle(cell: str) -> Any:
    """Return a cell's entry of the legend."""
    from matplotlib.lines import Line2D

    colour, mark = _CELLS[cell]
    return Line2D([], [], color=colour, marker=mark, lw=1.6, ms=5, label=cell)
