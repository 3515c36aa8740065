"""Place a diagram in layers, causes above effects, with room of its own for every arrow.

Reference: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system
structures" (1981): longest-path layers, dummy nodes on long edges, barycentre ordering.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.scm import SCM

__all__ = ["Layout", "layout"]

Node = tuple[str, str, int]  # (variable, "", 0), or the bend (parent, child, layer) of a long arrow
Point = tuple[float, float]
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
    depth = _depths(scm)
    layers: dict[int, list[Node]] = {}
    above: dict[Node, list[Node]] = {}
    routes: dict[tuple[str, str], list[Node]] = {}
    for child in scm.order:
        layers.setdefault(depth[child], []).append((child, "", 0))
    for child in scm.order:
        for parent in scm.parents(child):
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
    x = _across(layers, above, below)
    level = {node: depth for depth, layer in layers.items() for node in layer}
    return Layout(
        {name: (x[name, "", 0], -float(depth[name])) for name in scm.names},
        {
            edge: [(x[bend], -float(level[bend])) for bend in bends]
            for edge, bends in routes.items()
        },
    )


def _depths(scm: SCM) -> dict[str, int]:
    """Give each variable the length of its longest path from a root."""
    depth: dict[str, int] = {}
    for name in scm.order:
        depth[name] = 1 + max((depth[parent] for parent in scm.parents(name)), default=-1)
    for name in scm.order:  # a root belongs just above its first effect
        effects = [depth[child] for child in scm.names if name in scm.parents(child)]
        if effects and not scm.parents(name):
            depth[name] = min(effects) - 1
    return depth


def _across(
    layers: Mapping[int, list[Node]],
    above: Mapping[Node, list[Node]],
    below: Mapping[Node, list[Node]],
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
            x.update(_spaced(layer, goal))
    return x


def _spaced(layer: Sequence[Node], goal: Mapping[Node, float]) -> dict[Node, float]:
    """Place a layer nearest to its goals in squares, spaced (pool adjacent violators)."""
    offset = [0.0]
    for left, right in itertools.pairwise(layer):
        offset.append(offset[-1] + _ROOM[(left[1] == "") + (right[1] == "")])
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
