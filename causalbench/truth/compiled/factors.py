"""Describe factors as views with strides, and fill the joint tables of a variable's copies.

A variable with one copy needs no table of its own: its factor is a view of the world's CPT, and a
parent or a value that is fixed is a step of the view's base. The copies of a variable in several
worlds share one table K(v, v', ... | parents of all), the noise summed out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from causalbench.jit import inner
from causalbench.truth.compiled.layout import CPT_ONLY, POSITIVE
from causalbench.truth.compiled.memory import plain
from causalbench.truth.compiled.nodes import MASKED

__all__ = ["Factors", "add_axis", "describe", "fill"]


class Factors(NamedTuple):
    """The factors of one request, as views of the workspace.

    Attributes:
        source: 0 where the cells stand in the workspace, 1 in the world's floats.
        base: where the first cell stands; for a table to be filled, once it has its place.
        start: where the axes start in `axis` and `stride`.
        rank: how many axes.
        cells: of a table to be filled or a mask; 0 for a view of the world.
        group: the variable of a table to be filled, -1 - node for a mask, else `VIEW`.
        node: a node whose factor it is, or -1.
        certain: whether all entries are positive and the factor is of one copy.
        scale: the power of two left out of the cells (rescaled answers alone).
        following: the next factor in the same bucket.
        axis: numbers in the elimination, ascending within a factor.
        stride: a step along the axis.
    """

    source: Any
    base: Any
    start: Any
    rank: Any
    cells: Any
    group: Any
    node: Any
    certain: Any
    scale: Any
    following: Any
    axis: Any
    stride: Any


VIEW = 1 << 40


@inner
def add_axis(factors: Any, f: int, axis: int, stride: int) -> None:
    """Put an axis into its place; one that is there already takes the stride in addition."""
    low, at = factors.start[f], factors.start[f] + factors.rank[f]
    for j in range(low, at):
        if factors.axis[j] == axis:
            factors.stride[j] += stride
            return
    while at > low and factors.axis[at - 1] > axis:
        factors.axis[at], factors.stride[at] = factors.axis[at - 1], factors.stride[at - 1]
        at -= 1
    factors.axis[at], factors.stride[at] = axis, stride
    factors.rank[f] += 1


@inner
def _begin(factors: Any, f: int, at: int, node: int) -> None:
    factors.start[f], factors.rank[f], factors.node[f] = at, 0, node
    factors.scale[f], factors.certain[f], factors.cells[f] = 0, 0, 0
    factors.base[f], factors.group[f], factors.source[f] = 0, VIEW, 0


@inner
def _dense(factors: Any, f: int, cards: Any) -> None:
    """Give a table of its own the strides of a dense one, the first axis running fastest."""
    cells = 1
    for j in range(factors.start[f], factors.start[f] + factors.rank[f]):
        factors.stride[j] = cells
        cells *= cards[factors.axis[j]]
        cells = min(cells, 1 << 40)  # far above any limit already
    factors.cells[f] = cells


@inner
def describe(world: Any, nodes: Any, count: int, cards: Any, factors: Any) -> Any:
    """Describe the factor of every needed variable and mask.

    Returns:
        How many factors and axes there are, and a variable that would need its coupling, or -1.
    """
    total, at, uncoupled = plain(0), plain(0), -1
    for node in range(count):
        if not nodes.needed[node]:
            continue
        v = nodes.variable[node]
        if nodes.state[node] == MASKED and nodes.axis[node] >= 0:
            _begin(factors, total, at, node)
            add_axis(factors, total, nodes.axis[node], plain(1))
            factors.cells[total], factors.group[total] = world.card[v], -1 - node
            factors.certain[total] = 1  # a mask leaves something possible
            at += 1
            total += 1
        copies, last = 0, -1
        copy = nodes.first[v]
        while copy >= 0:
            if nodes.needed[copy]:
                copies += 1
                last = copy
            copy = nodes.following[copy]
        if last != node:  # the first made stands for all
            continue
        low, high = world.start[v], world.start[v + 1]
        _begin(factors, total, at, node)
        if copies == 1:
            base, card = world.cpt[v], world.card[v]
            for e in range(low, high):
                ref, step = nodes.refs[nodes.start[node] + e - low], world.stride[e] * card
                if ref >= 0 and nodes.axis[ref] >= 0:
                    add_axis(factors, total, nodes.axis[ref], step)
                else:
                    base += step * (nodes.state[ref] if ref >= 0 else ~ref)
            if nodes.axis[node] >= 0:
                add_axis(factors, total, nodes.axis[node], plain(1))
            else:
                base += nodes.state[node]
            factors.base[total], factors.source[total] = base, 1
            factors.certain[total] = world.flags[v] & POSITIVE
        else:
            if world.flags[v] & CPT_ONLY:
                uncoupled = v
            copy = nodes.first[v]
            while copy >= 0:
                if nodes.needed[copy]:
                    for j in range(nodes.start[copy], nodes.start[copy] + high - low):
                        ref = nodes.refs[j]
                        if ref >= 0 and nodes.axis[ref] >= 0:
                            add_axis(factors, total, nodes.axis[ref], plain(0))
                    if nodes.axis[copy] >= 0:
                        add_axis(factors, total, nodes.axis[copy], plain(0))
                copy = nodes.following[copy]
            _dense(factors, total, cards)
            factors.group[total] = v
        at += factors.rank[total]
        total += 1
    return total, at, uncoupled


@inner
def _step(factors: Any, f: int, axis: int) -> int:
    """Return the stride of an axis that the factor has."""
    j = factors.start[f]
    while factors.axis[j] != axis:
        j += 1
    return int(factors.stride[j])


@inner
def fill(
    world: Any, nodes: Any, cards: Any, factors: Any, f: int, ints: Any, free: int, floats: Any
) -> None:
    """Fill a table of its own: a mask, or the copies of a variable with the noise summed out.

    The workspace from `free` on holds, per copy, where its row starts, its code or -1, its stride;
    then per parent axis the digit, the cardinality, the stride, and the rows' steps per copy.
    """
    base, v = factors.base[f], factors.group[f]
    if v < 0:
        mask = nodes.mask[-1 - v]
        for code in range(factors.cells[f]):
            floats[base + code] = 1.0 if ints[mask + code] else 0.0
        return
    for i in range(factors.cells[f]):
        floats[base + i] = 0.0
    low, degree, size = world.start[v], world.start[v + 1] - world.start[v], world.size[v]
    copies = 0
    copy = nodes.first[v]
    while copy >= 0:
        copies += nodes.needed[copy]
        copy = nodes.following[copy]
    axes = free + 3 * copies
    width = 3 + copies  # of one parent axis: axis number, digit, stride, steps per copy
    rank, k = 0, 0
    copy = nodes.first[v]
    while copy >= 0:
        if nodes.needed[copy]:
            row = world.table[v]
            for j in range(degree):
                ref, step = nodes.refs[nodes.start[copy] + j], world.stride[low + j] * size
                if ref >= 0 and nodes.axis[ref] >= 0:
                    a = 0
                    while a < rank and ints[axes + a * width] != nodes.axis[ref]:
                        a += 1
                    if a == rank:
                        rank += 1
                        for i in range(width):
                            ints[axes + a * width + i] = 0
                        ints[axes + a * width] = nodes.axis[ref]
                        ints[axes + a * width + 2] = _step(factors, f, nodes.axis[ref])
                    ints[axes + a * width + 3 + k] += step
                else:
                    row += step * (nodes.state[ref] if ref >= 0 else ~ref)
            ints[free + 3 * k] = row
            ints[free + 3 * k + 1] = nodes.state[copy] if nodes.axis[copy] < 0 else -1
            ints[free + 3 * k + 2] = (
                _step(factors, f, nodes.axis[copy]) if nodes.axis[copy] >= 0 else 0
            )
            k += 1
        copy = nodes.following[copy]
    cell = base
    while True:
        for s in range(size):
            weight = world.floats[world.noise[v] + s]
            if weight == 0.0:
                continue
            at, holds = cell, True
            for k in range(copies):
                code, fixed = world.codes[ints[free + 3 * k] + s], ints[free + 3 * k + 1]
                holds = holds and (fixed < 0 or fixed == code)
                at += code * ints[free + 3 * k + 2]
            if holds:
                floats[at] += weight
        a = 0
        while a < rank:
            here = axes + a * width
            turn = ints[here + 1] + 1 == cards[ints[here]]
            times = -ints[here + 1] if turn else 1
            ints[here + 1] += times
            cell += times * ints[here + 2]
            for k in range(copies):
                ints[free + 3 * k] += times * ints[here + 3 + k]
            if not turn:
                break
            a += 1
        if a == rank:
            break
