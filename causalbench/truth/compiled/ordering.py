"""Order the eliminations: by least weight, and by least fill where that leaves wide tables.

Sets of axes are bit masks of as many words as are needed, one where there are up to 64 axes.

Reference: Koller and Friedman, Probabilistic Graphical Models (2009), section 9.4.3.2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from causalbench.jit import inner
from causalbench.truth.compiled.memory import lowest, ones

__all__ = ["Graph", "link", "order", "prune"]

_LEAST = 4.0  # no axis with a neighbour weighs less, so there is no need to look further
_MOST = 1e300  # weights are held below this, so that they stay comparable


class Graph(NamedTuple):
    """The elimination graph of one request, as views of the workspace.

    Attributes:
        axes: how many axes there are.
        width: words per set of axes.
        scope: per factor, its axes.
        near: per axis, itself and its neighbours; spoilt by ordering.
        around: per step, the neighbours of the axis that goes.
        order: the axes in order of elimination.
        cells: per step, the cells of the table that it leaves (float).
        weight: per axis, the cells of the table that its elimination would look at (float).
    """

    axes: int
    width: int
    scope: Any
    near: Any
    around: Any
    order: Any
    cells: Any
    weight: Any


@inner
def _bit(axis: int) -> Any:
    return np.int64(1) << np.int64(axis & 63)


@inner
def link(graph: Any, factors: Any, count: int) -> None:
    """Set every factor's scope, and join the axes that stand in one factor."""
    width = graph.width
    for k in range(graph.axes * width):
        graph.near[k] = 0
    for f in range(count):
        for w in range(width):
            graph.scope[f * width + w] = 0
        for j in range(factors.start[f], factors.start[f] + factors.rank[f]):
            axis = factors.axis[j]
            graph.scope[f * width + (axis >> 6)] |= _bit(axis)
        for j in range(factors.start[f], factors.start[f] + factors.rank[f]):
            for w in range(width):
                graph.near[factors.axis[j] * width + w] |= graph.scope[f * width + w]


@inner
def prune(graph: Any, factors: Any, count: int, target: int, nodes: Any) -> int:
    """Drop the factors that are d-separated from the target, and say how many are left.

    The axes are linked before, and those that are dropped are alone afterwards.

    They multiply the whole column by one number. It is left out only where it is surely positive
    (no zero among single copies), for else the evidence may be impossible.
    """
    width = graph.width
    reached = graph.around  # not in use before ordering
    for w in range(width):
        reached[w] = 0
    reached[target >> 6] |= _bit(target)
    for f in range(count):
        if not factors.certain[f]:
            for w in range(width):
                reached[w] |= graph.scope[f * width + w]
    for axis in range(graph.axes):
        graph.order[axis] = 0  # not in use either: whether the axis was looked at
    left = True
    while left:
        left = False
        for axis in range(graph.axes):
            if graph.order[axis] == 0 and reached[axis >> 6] & _bit(axis):
                graph.order[axis] = 1
                left = True
                for w in range(width):
                    reached[w] |= graph.near[axis * width + w]
    for axis in range(graph.axes):
        if graph.order[axis] == 0:
            for w in range(width):
                graph.near[axis * width + w] = 0
    kept = 0
    for f in range(count):
        touches = not factors.certain[f]
        for w in range(width):
            touches = touches or (graph.scope[f * width + w] & reached[w]) != 0
        if not touches:
            nodes.needed[factors.node[f]] = 0
            continue
        if kept < f:
            factors.source[kept], factors.base[kept] = factors.source[f], factors.base[f]
            factors.start[kept], factors.rank[kept] = factors.start[f], factors.rank[f]
            factors.cells[kept], factors.group[kept] = factors.cells[f], factors.group[f]
            factors.node[kept], factors.certain[kept] = factors.node[f], factors.certain[f]
            factors.scale[kept] = factors.scale[f]
        kept += 1
    return kept


@inner
def _weigh(graph: Any, axis: int, cards: Any) -> None:
    """Set an axis's weight: the product of the cardinalities near it; 0 where nothing is."""
    width, weight, empty = graph.width, 1.0, True
    for w in range(width):
        word = graph.near[axis * width + w]
        while word != 0:
            weight *= cards[64 * w + lowest(word)]
            word &= word - 1
            empty = False
    graph.weight[axis] = np.inf if empty else min(weight, _MOST)


@inner
def _fill(graph: Any, axis: int) -> int:
    """Return how many edges the elimination of an axis would add, twice counted."""
    width, missing = graph.width, 0
    for w in range(width):
        word = graph.near[axis * width + w]
        while word != 0:
            other = 64 * w + lowest(word)
            word &= word - 1
            for u in range(width):
                missing += ones(graph.near[axis * width + u] & ~graph.near[other * width + u])
    return missing


@inner
def order(graph: Any, cards: Any, target: int, fill: bool) -> Any:
    """Order the axes, all but the target.

    Returns:
        How many steps there are, the cells of all tables left, and the cells looked at.
    """
    width, axes = graph.width, graph.axes
    for axis in range(axes):
        _weigh(graph, axis, cards)
    if target >= 0:
        graph.weight[target] = np.inf
    steps, cells, work = 0, 0.0, 0.0
    while True:
        best, least, fewest = -1, np.inf, 1 << 60
        for axis in range(axes):
            weight = graph.weight[axis]
            if weight == np.inf:
                continue
            missing = _fill(graph, axis) if fill else 0
            if not fill and weight <= _LEAST:
                best, least = axis, weight
                break
            if missing < fewest or (missing == fewest and weight < least):
                best, least, fewest = axis, weight, missing
        if best < 0:
            break
        graph.weight[best] = np.inf
        graph.near[best * width + (best >> 6)] &= ~_bit(best)
        for w in range(width):
            graph.around[steps * width + w] = graph.near[best * width + w]
        for w in range(width):
            word = graph.near[best * width + w]
            while word != 0:
                other = 64 * w + lowest(word)
                word &= word - 1
                for u in range(width):
                    graph.near[other * width + u] |= graph.near[best * width + u]
                graph.near[other * width + (best >> 6)] &= ~_bit(best)
                if other != target:
                    _weigh(graph, other, cards)
        graph.order[steps] = best
        graph.cells[steps] = least / cards[best]
        cells += graph.cells[steps]
        work += least
        steps += 1
    return steps, cells, work
