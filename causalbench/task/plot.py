"""Draw a world's diagram: causes above effects, hidden variables and their arrows dashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.errors import MissingExtraError
from causalbench.task.layout import curve, layout

if TYPE_CHECKING:
    from pathlib import Path

    from causalbench.scm import SCM
    from causalbench.task.layout import Point
    from causalbench.task.world import World

__all__ = ["plot_world"]

_INK, _FILL, _FAINT, _PALE = "#1f2d3d", "#e8f0fa", "#8a94a0", "#f6f7f9"
_DASHES = (0, (4, 3))
_LAYER = 1.05  # inches from layer to layer
_BOX = 0.15  # inches from a box's middle to its upper edge
_LETTER = 0.09  # inches that a letter of a name takes
_TITLE = 0.095  # inches that a letter of the title takes


def plot_world(world: World, path: str | Path | None = None) -> Any:
    """Draw the diagram over all variables.

    Args:
        world: what to draw.
        path: where to save the picture, by its suffix; None saves nothing.

    Returns:
        The matplotlib figure, not shown and not kept by pyplot.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        msg = "plots need matplotlib, which is absent; pip install 'causalbench-ladder[board]'."
        raise MissingExtraError(msg) from None
    scm = world.scm
    places, bends = layout(scm)
    points = [*places.values(), *(point for route in bends.values() for point in route)]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    step = max(1.5, _LETTER * max(len(name) for name in scm.names) + 0.6)
    width = max(step * (right - left + 1.0), _TITLE * len(world.title) + 0.4)
    height = _LAYER * (high - low) + 1.3
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))  # one unit is then exactly one step, one layer
    middle, half = (left + right) / 2, width / step / 2
    axes.set_xlim(middle - half, middle + half)
    axes.set_ylim(low - 0.4 / _LAYER, low + (height - 0.4) / _LAYER)
    axes.set_axis_off()
    axes.text(
        middle, high + 0.65 / _LAYER, world.title, ha="center", va="center", color=_INK, fontsize=12
    )
    for name in scm.names:
        _box(axes, scm, name, places[name])
    for (parent, child), route in bends.items():
        _arrow(axes, [places[parent], *route, places[child]], dashed=scm.variable(parent).hidden)
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure


def _box(axes: Any, scm: SCM, name: str, place: Point) -> None:
    hidden = scm.variable(name).hidden
    axes.text(
        *place,
        name,
        ha="center",
        va="center_baseline",
        fontsize=11,
        color=_FAINT if hidden else _INK,
        bbox={
            "boxstyle": "round,pad=0.45,rounding_size=0.25",
            "facecolor": _PALE if hidden else _FILL,
            "edgecolor": _FAINT if hidden else _INK,
            "linestyle": _DASHES if hidden else "-",
            "linewidth": 1.2,
        },
        zorder=3,
    )


def _arrow(axes: Any, points: list[Point], *, dashed: bool) -> None:
    """Draw a smooth arrow through points, from the first box's lower edge to the last's upper."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Curve

    corners, codes = curve(points, _BOX / _LAYER, 0.03)
    axes.add_patch(
        FancyArrowPatch(
            path=Curve(corners, codes),
            arrowstyle="-|>,head_length=0.55,head_width=0.22",
            mutation_scale=11,
            color=_FAINT if dashed else _INK,
            linestyle=_DASHES if dashed else "-",
            linewidth=1.3,
            capstyle="butt",
            zorder=2,
        )
    )
