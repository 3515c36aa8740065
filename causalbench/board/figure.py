"""Draw one rung of a board: every agent's skill with its interval, a panel for each cell."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from causalbench.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["rung_plot"]

_RIGHT = 1.1
_LEFT = -1.25  # skills below are drawn as an arrow at the edge: they have no lower bound
_INK, _SOFT, _GOOD, _LINE = "#16232b", "#8a979f", "#0b7a75", "#dde4e8"


def rung_plot(names: Sequence[str], cells: Mapping[str, Mapping[str, Any]]) -> str:
    """Return an SVG figure.

    Args:
        names: the agents, from top to bottom.
        cells: cell -> agent -> row with skill, low, high and control; an agent may be absent.

    Returns:
        The ``<svg>`` element, its text as text, with no date in it and nothing fetched.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        msg = "plots need matplotlib; install the extra: pip install 'causalbench-ladder[board]'."
        raise MissingExtraError(msg) from None
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "causalbench", "font.size": 9}):
        figure = Figure(figsize=(9.6, 0.7 + 0.24 * len(names)), layout="constrained")
        panels = figure.subplots(1, len(cells), sharey=True, squeeze=False)[0]
        for panel, (cell, rows) in zip(panels, cells.items(), strict=True):
            _panel(panel, cell, names, rows)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    svg = buffer.getvalue()
    return re.sub(r"\n\s*<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)


def _panel(panel: Any, cell: str, names: Sequence[str], rows: Mapping[str, Any]) -> None:
    """Draw one cell."""
    panel.axvspan(_LEFT, 0, color="#f4f8f8", zorder=0)
    panel.axvline(0, color=_SOFT, linewidth=0.8, zorder=1)
    panel.axvline(1, color=_LINE, linewidth=0.8, zorder=1)
    for place, name in enumerate(names):
        row = rows.get(name)
        if row is None or row["skill"] is None:
            continue
        low, high = row["low"], row["high"]
        above = low is not None and low > 0
        colour = _SOFT if row["control"] else _GOOD if above else _INK
        if row["skill"] < _LEFT:
            panel.plot([_LEFT + 0.04], [place], marker="<", color=colour, markersize=4.5)
            continue
        if low is not None:  # a single base world gives no interval
            ends = [max(low, _LEFT), min(high, _RIGHT)]
            panel.plot(ends, [place, place], color=colour, linewidth=1.6, alpha=0.6)
        panel.plot([row["skill"]], [place], marker="o", color=colour, markersize=4.5)
    panel.set(xlim=(_LEFT, _RIGHT), ylim=(len(names) - 0.4, -0.6), xticks=[-1, 0, 1])
    panel.set_yticks(range(len(names)), labels=names)
    panel.set_title(cell, fontsize=9, loc="left", color=_INK)
    panel.tick_params(length=0, colors=_INK)
    for side in panel.spines.values():
        side.set_visible(False)
