"""Place a diagram in layers, causes above effects, with room of its own for every arrow.

Reference: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system
structures" (1981): longest-path layers, dummy nodes on long edges, barycentre ordering.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from causalbench.scm import SCM

__all__ = ["Layout", "curve", "depths", "layered", "layout"]

Node = tuple[str, str, int]  # (variable, "", 0), or the bend (parent, child, layer) of a long arrow
Point = tuple[float, float]
_MOVE, _LINE, _CURVE = 1, 2, 4  # matplotlib's codes of a path
_SWEEPS = 24
_ROOM = {2: 1.0, 1: 0.62, 0: 0.34}  # least distance by how many of two neighbours are variables


class Layout(NamedTuple):
    """Where everything goes; one unit is the distance of neighbours, or of layers.

    Attributes:
        places: variable -> (x, y).
        bends: (parent, child) -> the points that the arrow runs through on its way, top down.
    """

    places: dict[str, Point]
    bends: dict[tuple[str, str], list[Point]]


def layout(scm: SCM) -> Layout:
    """Place each variable of a world and the bends of its arrows.

    No two variables coincide, every arrow points down, and no arrow runs behind a variable.
    """
    parents = {name: scm.parents(name) for name in scm.order}
    return layered(parents, depths(parents))


def layered(
    parents: Mapping[str, Sequence[str]],
    depth: Mapping[str, int],
    slim: Collection[str] = (),
) -> Layout:
    """Place variables whose layers are known, and the bends of their arrows.

    Args:
        parents: variable -> its parents, causes before effects.
        depth: variable -> its layer, from 0; an effect's is greater than its causes'.
        slim: those that take no more room than a bend.
    """
    layers: dict[int, list[Node]] = {}
    above: dict[Node, list[Node]] = {}
    routes: dict[tuple[str, str], list[Node]] = {}
    for child in parents:
        layers.setdefault(depth[child], []).append((child, "", 0))
    for child in parents:
        for parent in parents[child]:
            bends = [(parent, child, level) for level in range(depth[parent] + 1, depth[child])]
            for bend in bends:
                layers[bend[2]].append(bend)
            routes[parent, child] = bends
            chain: list[Node] = [(parent, "", 0), *bends, (child, "", 0)]
            for upper, lower in itertools.pairwise(chain):
                above.setdefault(lower, []).append(upper)
    below: dict[Node, list[Node]] = {}
    for lower, uppers in above.items():
        for upper in uppers:
            below.setdefault(upper, []).append(lower)
    x = _across(layers, above, below, slim)
    level = {node: depth for depth, layer in layers.items() for node in layer}
    return Layout(
        {name: (x[name, "", 0], -float(depth[name])) for name in parents},
        {
            edge: [(x[bend], -float(level[bend])) for bend in bends]
            for edge, bends in routes.items()
        },
    )


def curve(points: Sequence[Point], gap: float, head: float) -> tuple[list[Point], list[int]]:
    """Return a smooth arrow through points, from a box's lower edge to another's upper edge.

    Args:
        points: the middle of the first box, bends, the middle of the last, top down.
        gap: from a box's middle to its edge, in the points' unit.
        head: what is left free above the last box.

    Returns:
        Corners and codes as matplotlib's ``Path`` takes them.
    """
    (x0, y0), (x1, _) = points[0], points[1]
    (xn, yn), (xm, _) = points[-1], points[-2]
    # Ports lean towards where the arrow comes from, so that arrows of one box stay apart.
    route = [
        (x0 + _lean(x1 - x0), y0 - gap),
        *points[1:-1],
        (xn + _lean(xm - xn), yn + gap + head),
    ]
    if len(route) == 2:  # noqa: PLR2004  (an arrow between neighbouring layers is straight)
        return route, [_MOVE, _LINE]
    corners, codes = [route[0]], [_MOVE]
    for (xa, ya), (xb, yb) in itertools.pairwise(route):
        mid = (ya + yb) / 2
        corners += [(xa, mid), (xb, mid), (xb, yb)]
        codes += [_CURVE] * 3
    return corners, codes


def depths(parents: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Give each variable the length of its longest path from a root.

    Args:
        parents: variable -> its parents, causes before effects.
    """
    depth: dict[str, int] = {}
    for name in parents:
        depth[name] = 1 + max((depth[parent] for parent in parents[name]), default=-1)
    for name in parents:  # a root belongs just above its first effect
        effects = [depth[child] for child in parents if name in parents[child]]
        if effects and not parents[name]:
            depth[name] = min(effects) - 1
    return depth


def _lean(offset: float) -> float:
    return max(-0.14, min(0.14, 0.2 * offset))


def _across(
    layers: Mapping[int, list[Node]],
    above: Mapping[Node, list[Node]],
    below: Mapping[Node, list[Node]],
    slim: Collection[str],
) -> dict[Node, float]:
    """Order each layer by its neighbours' mean place, sweeping down and up; then space it out."""
    x = {node: float(i) for layer in layers.values() for i, node in enumerate(layer)}
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        near = above if down else below
        for level in sorted(layers, reverse=not down):
            layer = layers[level]
            goal = {node: _mean([x[other] for other in near.get(node, [node])]) for node in layer}
            if sweep < _SWEEPS // 2:
                layer.sort(key=goal.__getitem__)
            else:  # the order is settled: draw each node to all its neighbours
                both = {n: [*above.get(n, []), *below.get(n, [])] or [n] for n in layer}
                goal = {n: _mean([x[other] for other in both[n]]) for n in layer}
            x.update(_spaced(layer, goal, slim))
    return x


def _spaced(
    layer: Sequence[Node], goal: Mapping[Node, float], slim: Collection[str]
) -> dict[Node, float]:
    """Place a layer nearest to its goals in squares, spaced (pool adjacent violators)."""
    wide = {node: node[1] == "" and node[0] not in slim for node in layer}
    offset = [0.0]
    for left, right in itertools.pairwise(layer):
        offset.append(offset[-1] + _ROOM[wide[left] + wide[right]])
    blocks: list[tuple[float, int]] = []  # (mean, size)
    for node, shift in zip(layer, offset, strict=True):
        blocks.append((goal[node] - shift, 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (m, k), (n, j) = blocks[-2:]
            blocks[-2:] = [((m * k + n * j) / (k + j), k + j)]
    starts = [mean for mean, size in blocks for _ in range(size)]
    return {n: start + shift for n, start, shift in zip(layer, starts, offset, strict=True)}


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)
