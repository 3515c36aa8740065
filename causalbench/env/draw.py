"""Draw an environment as its agent has it before it: the diagram of two steps, with values.

Causes stand above effects and the step just played above the one to come. What is hidden is dashed
and has no value, what is not seen is a question mark, and where the action has set a variable its
arrows are cut.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.env.draw_arrange import HALF, arrange
from causalbench.env.draw_bands import bands, caption, plain_bands, twofold
from causalbench.env.draw_text import text
from causalbench.errors import MissingExtraError, UnknownNameError
from causalbench.task.layout import curve

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from causalbench.env.draw_bands import Band, Node
    from causalbench.env.picture import Picture
    from causalbench.scm.program import Program
    from causalbench.task.layout import Point

__all__ = ["frame", "plot_sequence", "render"]

_INK, _FILL, _FAINT, _PALE, _CUT, _CHOICE = (
    "#1f2d3d",
    "#e8f0fa",
    "#8a94a0",
    "#f6f7f9",
    "#c0392b",
    "#00796b",
)
_BAND, _DEAD = "#fbfaf5", "#f4f4f4"
_DASHES = (0, (4, 3))
_LETTER, _SIDE, _TOP, _FOOT = 0.094, 0.1, 0.72, 0.32  # inches
_MARGIN = 0.38  # inches at the left of a band, for its title
_DPI = 100
_KEPT = 24  # backgrounds of a painter, one for each way of cutting arrows
_LEGEND = "dashed: hidden   ?: not seen   red: set, its causes cut   green: the action's to set"


def render(picture: Picture, mode: str) -> NDArray[np.uint8] | str:
    """Draw a picture in a mode of Gymnasium's.

    Args:
        picture: what its agent sees.
        mode: ``"rgb_array"``, for what `frame` returns, or ``"ansi"``, for text.

    Raises:
        UnknownNameError: another mode.
    """
    if mode == "rgb_array":
        return frame(picture)
    if mode == "ansi":
        return text(picture)
    raise UnknownNameError(f"render mode '{mode}' does not exist; choose ansi or rgb_array.")


def frame(picture: Picture) -> NDArray[np.uint8]:
    """Draw a picture.

    Pictures of one program and regime have one size, and are quick from the second one on.

    Returns:
        uint8[height, width, 3], red, green and blue.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    return _painter(picture.program, picture.regime).paint(picture)


def plot_sequence(program: Program, path: str | Path | None = None, *, title: str = "") -> Any:
    """Draw two steps of a process as a plain diagram, with no values.

    Args:
        program: what to draw.
        path: where to save the picture, by its suffix; None saves nothing.
        title: what to write above it.

    Returns:
        The matplotlib figure, not shown and not kept by pyplot.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    painter = _Painter(program, "do")
    steps = "one step" if program.horizon == 1 else f"{program.horizon} steps"
    painter.plain(plain_bands(program), title, steps)
    if path is not None:
        painter.figure.savefig(path, dpi=150)
    return painter.figure


@lru_cache(maxsize=16)
def _painter(program: Program, regime: str) -> _Painter:
    return _Painter(program, regime)


class _Painter:
    """A figure laid out once; what does not change from frame to frame is kept as pixels.

    Args:
        program: whose diagram it is.
        regime: which decides whether one band or two are needed, and how wide boxes are.
    """

    def __init__(self, program: Program, regime: str) -> None:
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError:
            msg = "drawings need matplotlib, which is absent;"
            msg += " pip install 'causalbench-ladder[board]'."
            raise MissingExtraError(msg) from None
        self._twofold = twofold(program, regime)
        self._width = {name: _box_width(program, name, regime) for name in program.names}
        self._plan = arrange(program, self._width, both=self._twofold)
        left, right = self._plan.left, self._plan.right
        width = max(right - left + 2 * _SIDE + _MARGIN + 0.25, 0.082 * len(_LEGEND) + 0.2)
        self._left = (left - _MARGIN + right + 0.25 - width) / 2
        self._right = self._left + width
        self._low, self._high = self._plan.spans[-1][0], self._plan.spans[0][1]
        height = self._high - self._low + _TOP + _FOOT
        self.figure = Figure(figsize=(width, height), dpi=_DPI)
        self._canvas: Any = FigureCanvasAgg(self.figure)
        self._axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set_xlim(self._left, self._right)
        self._axes.set_ylim(self._low - _FOOT, self._high + _TOP)
        self._axes.set_axis_off()
        self._kept: dict[Any, Any] = {}
        self._texts: dict[Any, Any] = {}

    def paint(self, picture: Picture) -> NDArray[np.uint8]:
        """Return a frame."""
        shown = bands(picture)
        key = tuple(
            (
                band.live,
                band.edges,
                band.before,
                tuple(node.name for node in band.nodes.values() if node.cut),
                tuple(node.name for node in band.nodes.values() if node.choice),
            )
            for band in shown
        )
        if key not in self._kept:
            if len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = self._background(shown)
        self._canvas.restore_region(self._kept[key])
        for words in self._words(shown, caption(picture)):
            self._axes.draw_artist(words)
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()

    def plain(self, shown: tuple[Band, ...], title: str, said: str) -> None:
        """Draw bands for good."""
        self._drawn(shown, "dashed: hidden   green: what actions set")
        for words in self._words(shown, (title, said)):
            words.set_animated(False)

    def _background(self, shown: tuple[Band, ...]) -> Any:
        self._axes.clear()
        self._axes.set_xlim(self._left, self._right)
        self._axes.set_ylim(self._low - _FOOT, self._high + _TOP)
        self._axes.set_axis_off()
        self._texts = {}
        self._drawn(shown)
        self._canvas.draw()
        return self._canvas.copy_from_bbox(self.figure.bbox)

    def _drawn(self, shown: tuple[Band, ...], legend: str = _LEGEND) -> None:
        """Put down all that a frame has but its words that change."""
        for place, band in enumerate(shown):
            self._ground(place, band)
            for node in band.nodes.values():
                self._box(place, node)
            for parent, child in band.edges:
                route = self._plan.within(place, parent, child)
                self._arrow(route, band.nodes[parent], band.nodes[child])
            for parent in dict.fromkeys(parent for parent, _ in band.before if place):
                self._line(curve(self._plan.leaving(parent), HALF, 0.0), band.nodes[parent])
            for parent, child in band.before:
                route = self._plan.entering(place, parent, child)
                self._arrow(route, band.nodes[parent], band.nodes[child])
        self._axes.text(
            (self._left + self._right) / 2,
            self._low - 0.16,
            legend,
            ha="center",
            va="center",
            fontsize=8.5,
            color=_FAINT,
        )

    def _ground(self, place: int, band: Band) -> None:
        from matplotlib.patches import FancyBboxPatch

        under, top = self._plan.spans[place]
        self._axes.add_patch(
            FancyBboxPatch(
                (self._left + _SIDE, under),
                self._right - self._left - 2 * _SIDE,
                top - under,
                boxstyle="round,pad=0,rounding_size=0.12",
                facecolor=_BAND if band.live else _DEAD,
                edgecolor="#e2ddcc" if band.live else "#e4e4e4",
                linewidth=0.9,
                zorder=0,
            )
        )

    def _box(self, place: int, node: Node) -> None:
        from matplotlib.patches import FancyBboxPatch

        x, y = self._plan.place(place, node.name)
        width = self._width[node.name]
        edge, weight = (_FAINT if node.hidden or node.blank else _INK), 1.2
        if node.cut:
            edge, weight = _CUT, 2.2
        elif node.choice and not node.blank:
            edge, weight = _CHOICE, 2.2
        self._axes.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - HALF),
                width,
                2 * HALF,
                boxstyle="round,pad=0,rounding_size=0.1",
                facecolor=_PALE if node.hidden or node.blank else _FILL,
                edgecolor=edge,
                linestyle=_DASHES if node.hidden else "-",
                linewidth=weight,
                zorder=3,
            )
        )

    def _arrow(self, route: list[Point], parent: Node, child: Node) -> None:
        points = curve(route, HALF, 0.03)
        self._line(points, parent, child)
        if child.cut:
            self._axes.text(
                *_middle(points[0]),
                "\N{BLACK SCISSORS}",
                ha="center",
                va="center",
                fontsize=13,
                color=_CUT,
                zorder=4,
            )

    def _line(
        self, points: tuple[list[Point], list[int]], parent: Node, child: Node | None = None
    ) -> None:
        """Draw an arrow, or where it has no child a line."""
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path as Curve

        cut = child is not None and child.cut
        faint = parent.hidden or (child is not None and child.blank)
        self._axes.add_patch(
            FancyArrowPatch(
                path=Curve(*points),
                arrowstyle="-|>,head_length=0.55,head_width=0.22" if child is not None else "-",
                mutation_scale=10,
                color=_CUT if cut else _FAINT if faint else _INK,
                linestyle=_DASHES if parent.hidden or cut else "-",
                linewidth=1.2,
                alpha=0.75 if cut else 1.0,
                capstyle="butt",
                zorder=2,
            )
        )

    def _words(self, shown: tuple[Band, ...], lines: tuple[str, str]) -> list[Any]:
        """Return the texts of a frame, made once and worded anew."""
        middle = (self._left + self._right) / 2
        found = [
            self._text("where", middle, self._high + 0.47, lines[0], 11, _INK),
            self._text("last", middle, self._high + 0.18, lines[1], 10, _INK),
        ]
        for place, band in enumerate(shown):
            found.append(
                self._text(
                    ("title", place),
                    self._left + _SIDE + 0.16,
                    sum(self._plan.spans[place]) / 2,
                    band.title,
                    9.5,
                    _INK if band.live else _FAINT,
                    rotation=90,
                )
            )
            for node in band.nodes.values():
                found += self._named(place, node)
        return found

    def _named(self, place: int, node: Node) -> list[Any]:
        x, y = self._plan.place(place, node.name)
        said = node.text
        faint = node.hidden or node.blank
        name = self._text(
            (place, node.name),
            x,
            y + (0.105 if said else 0.0),
            node.name,
            9.5,
            _FAINT if faint else _INK,
        )
        color = _CUT if node.cut else _CHOICE if node.choice else _INK
        value = self._text(
            (place, node.name, "value"),
            x,
            y - 0.105,
            said,
            10,
            _FAINT if said == "?" else color,
            weight="normal" if said == "?" else "bold",
        )
        return [name, value]

    def _text(
        self,
        key: Any,
        x: float,
        y: float,
        said: str,
        size: float,
        color: str,
        **how: Any,
    ) -> Any:
        if key not in self._texts:
            self._texts[key] = self._axes.text(
                x, y, said, fontsize=size, ha="center", va="center", zorder=5, animated=True
            )
        text = self._texts[key]
        text.set(text=said, color=color, y=y, **how)
        return text


def _box_width(program: Program, name: str, regime: str) -> float:
    """Return how wide a box must be for all that may come to stand in it."""
    variable = program.process.variable(name)
    longest = max(len(label) for label in variable.labels)
    most = len(name)
    if not variable.hidden:
        most = max(most, longest)
        if program.forced[program.slot[name]]:
            two = regime == "intent" and name in program.play.observes
            most = max(most, 2 * longest + len("set , not ") if two else longest + len("nature: "))
    return _LETTER * most + 0.26


def _middle(corners: list[Point]) -> Point:
    """Return a point half way along the last bent part of an arrow."""
    if len(corners) == 2:  # noqa: PLR2004  (a straight one)
        (x0, y0), (x1, y1) = corners
        return (x0 + x1) / 2, (y0 + y1) / 2
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners[-4:]
    return (x0 + 3 * x1 + 3 * x2 + x3) / 8, (y0 + 3 * y1 + 3 * y2 + y3) / 8
