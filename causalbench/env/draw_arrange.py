"""Lay the diagram of two steps out: both alike, and the arrows between them through ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.scm.process import BEFORE
from causalbench.task.layout import depths, layered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.scm.program import Program
    from causalbench.task.layout import Layout, Point

__all__ = ["HALF", "Plan", "arrange"]

HALF = 0.24
"""Half the height of a box, in inches."""
_ROW, _PAD, _GAP = 1.0, 0.3, 0.34  # inches: rows; from boxes to a band's edge; between bands
_CLEAR = 0.03  # inches that an arrow keeps from the boxes that it passes
_IN, _OUT = "in:", "out:"  # ports: where what is carried over enters and leaves a step


@dataclass(frozen=True)
class Plan:
    """Where everything goes, in inches; the upper band begins at 0 and y grows upwards.

    Args:
        places: variable or port -> (x, y) in the upper band.
        bends: (parent, child) -> the points between them.
        height: of a band.
        count: of bands.
        left: the left edge of the leftmost box or bend.
        right: the right edge of the rightmost.
    """

    places: Mapping[str, Point]
    bends: Mapping[tuple[str, str], list[Point]]
    height: float
    count: int
    left: float
    right: float

    @property
    def spans(self) -> list[tuple[float, float]]:
        """The lower and the upper edge of each band."""
        tops = [-band * (self.height + _GAP) for band in range(self.count)]
        return [(top - self.height, top) for top in tops]

    def place(self, band: int, name: str) -> Point:
        """Return the middle of a box."""
        return self._moved(band, [self.places[name]])[0]

    def within(self, band: int, parent: str, child: str) -> list[Point]:
        """Return the points of an arrow between variables of one step."""
        route = [self.places[parent], *self.bends[parent, child], self.places[child]]
        return self._moved(band, route)

    def leaving(self, parent: str) -> list[Point]:
        """Return the points of the line that takes a variable from the upper band to the lower."""
        out, into = self.places[_OUT + parent], self.places[_IN + parent]
        x, y = self._moved(1, [into])[0]
        # An arrow ends half a box above its last point: here, at the lower band's edge.
        end = [(x, y), (x, y - HALF)]
        return [self.places[parent], *self.bends[parent, _OUT + parent], out, *end]

    def entering(self, band: int, parent: str, child: str) -> list[Point]:
        """Return the points of an arrow from a band's upper edge."""
        x, y = self.places[_IN + parent]
        # Likewise it begins half a box below its first point: here, at the edge.
        bends = self.bends[_IN + parent, child]
        return self._moved(band, [(x, y + HALF), (x, y), *bends, self.places[child]])

    def _moved(self, band: int, points: list[Point]) -> list[Point]:
        return [(x, y - band * (self.height + _GAP)) for x, y in points]


def arrange(program: Program, width: Mapping[str, float], *, both: bool) -> Plan:
    """Place the boxes and arrows of one band or two.

    Args:
        program: whose variables they are.
        width: of each variable's box, in inches.
        both: whether there are two bands.
    """
    process = program.process
    parents: dict[str, list[str]] = {}
    carried: dict[str, list[str]] = {}
    for name in program.names:
        all_ = dict.fromkeys((*process.first.parents(name), *process.later.parents(name)))
        parents[name] = [p for p in all_ if not p.endswith(BEFORE)]
        carried[name] = [p.removesuffix(BEFORE) for p in all_ if p.endswith(BEFORE)]
    levels = depths(parents)
    rows = 1 + max(levels.values())
    depth = {name: level + 1 for name, level in levels.items()}
    over = list(process.carried) if both and program.horizon > 1 else []
    for name in over:
        depth[_IN + name], depth[_OUT + name] = 0, rows + 1
    slim = frozenset(port + name for name in over for port in (_IN, _OUT))

    def placed_with(ports: list[str]) -> Layout:
        graph: dict[str, list[str]] = {_IN + name: [] for name in ports}
        for name in program.names:
            entering = [_IN + parent for parent in carried[name] if parent in over]
            graph[name] = [*entering, *parents[name]]
        graph |= {_OUT + name: [name] for name in over}
        return layered(graph, depth, slim)

    placed = placed_with(over)
    # Where ports could go in any order, that in which the values leave crosses least.
    placed = placed_with(sorted(over, key=lambda name: placed.places[_OUT + name][0]))
    step = max(width.values()) + 0.3
    height = (rows - 1) * _ROW + 2 * (HALF + _PAD)

    def point(at: Point) -> Point:
        row = round(-at[1])
        if row in {0, rows + 1}:
            return at[0] * step, 0.0 if row == 0 else -height
        return at[0] * step, -(_PAD + HALF) - (row - 1) * _ROW

    places = {name: point(at) for name, at in placed.places.items()}
    bends = {
        edge: [p for at in route for p in _lane(point(at))] for edge, route in placed.bends.items()
    }
    lanes = [x for route in bends.values() for x, _ in route]
    left = min([*lanes, *(places[n][0] - width[n] / 2 for n in width)])
    right = max([*lanes, *(places[n][0] + width[n] / 2 for n in width)])
    return Plan(places, bends, height, 1 + both, left, right)


def _lane(at: Point) -> list[Point]:
    """Lead an arrow straight past a row of boxes."""
    x, y = at
    return [(x, y + HALF + _CLEAR), (x, y - HALF - _CLEAR)]
