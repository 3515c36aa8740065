"""Sum the axes out bucket by bucket, and add up the answers of several assignments.

Reference: Dechter, Bucket elimination: a unifying framework for reasoning (1999).
"""

from __future__ import annotations

import math
from typing import Any

from causalbench.jit import inner
from causalbench.truth.compiled.memory import after, lowest, plain
from causalbench.truth.compiled.products import multiply, rescale

__all__ = ["add", "eliminate"]


@inner
def eliminate(
    world: Any,
    factors: Any,
    count: int,
    at: int,
    graph: Any,
    steps: int,
    cards: Any,
    target: int,
    ints: Any,
    n_ints: int,
    free: int,
    floats: Any,
    space: int,
    scaled: bool,
) -> Any:
    """Sum out every axis but the target.

    The answer (one cell, or the target's) is left at the start of the workspace.

    Returns:
        The whole numbers that are missing or 0, and the power of two left out.
    """
    place = after(ints, free)
    heads = after(ints, free + graph.axes)
    free += graph.axes + steps + 1
    for k in range(steps):
        place[graph.order[k]] = k
        heads[k] = -1
    heads[steps] = -1
    if target >= 0:
        place[target] = steps
    scalar, power, new = 1.0, 0, count
    for k in range(-1, steps):
        if k < 0:  # put the factors that are given into their buckets
            low, high = 0, count
        else:
            axis, low, high = graph.order[k], new, new + 1
            factors.start[new], factors.rank[new] = at, 0
            for w in range(graph.width):
                word = graph.around[k * graph.width + w]
                while word != 0:
                    factors.axis[at] = 64 * w + lowest(word)
                    factors.rank[new] += 1
                    at += 1
                    word &= word - 1
            factors.base[new], factors.source[new] = space, 0
            room = int(graph.cells[k])
            missing = multiply(
                world,
                factors,
                heads[k],
                cards,
                axis,
                new,
                ints,
                n_ints,
                free,
                floats,
                space + room,
                scaled,
            )
            if missing:
                return missing, 0
            size = 1
            for j in range(factors.start[new], at):
                factors.stride[j] = size
                size *= cards[factors.axis[j]]
            space += room
            new += 1
        for f in range(low, high):
            bucket = steps + 1
            for j in range(factors.start[f], factors.start[f] + factors.rank[f]):
                bucket = min(bucket, place[factors.axis[j]])
            if bucket <= steps:
                factors.following[f] = heads[bucket]
                heads[bucket] = f
                continue
            cell = world.floats[factors.base[f]] if factors.source[f] else floats[factors.base[f]]
            scalar *= cell
            if scaled:
                power += factors.scale[f]
                if scalar > 0.0:
                    shift = math.frexp(scalar)[1]
                    scalar = math.ldexp(scalar, -shift)
                    power += shift
    size = cards[target] if target >= 0 else 1
    for i in range(size):
        floats[i] = scalar
    f = heads[steps]
    while f >= 0:
        base, step = factors.base[f], factors.stride[factors.start[f]]
        for i in range(size):
            cell = base + i * step
            floats[i] *= world.floats[cell] if factors.source[f] else floats[cell]
        if scaled:
            power += factors.scale[f] + rescale(floats, plain(0), size)
        f = factors.following[f]
    return 0, power


@inner
def add(floats: Any, size: int, power: int, shift: int, first: bool, scaled: bool) -> int:
    """Add the answer of one assignment to the sum of those before; return its power of two."""
    if first:
        for i in range(size):
            floats[size + i] = floats[i]
        return shift
    if scaled:
        empty = True
        for i in range(size):
            empty = empty and floats[size + i] == 0.0
        power = shift if empty else power
        less = max(min(shift - power, 900), -5000)
        for i in range(size):
            floats[i] = math.ldexp(floats[i], less)
    for i in range(size):
        floats[size + i] += floats[i]
    return power
