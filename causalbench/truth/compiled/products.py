"""Multiply the factors of one bucket and sum one axis out, a block of cells at a time."""

from __future__ import annotations

import math
from typing import Any

from causalbench.jit import inner

__all__ = ["BLOCK", "multiply", "rescale"]

BLOCK = 2**14
"""The most entries that the offsets of a bucket's factors take, unless one step takes more."""

_NOTHING = -(1 << 40)  # the scale of a block of zeros


@inner
def _load(floats: Any, to: int, data: Any, base: int, ints: Any, at: int, count: int) -> None:
    for i in range(count):
        floats[to + i] = data[base + ints[at + i]]


@inner
def _times(floats: Any, to: int, data: Any, base: int, ints: Any, at: int, count: int) -> None:
    for i in range(count):
        floats[to + i] *= data[base + ints[at + i]]


@inner
def rescale(floats: Any, at: int, count: int) -> int:
    """Bring the largest cell to [1/2, 1) by a power of two, and return the power; 0 for zeros."""
    largest = 0.0
    for i in range(count):
        largest = max(largest, floats[at + i])
    if largest == 0.0:
        return 0
    power = math.frexp(largest)[1]
    for i in range(count):
        floats[at + i] = math.ldexp(floats[at + i], -power)
    return power


@inner
def multiply(
    world: Any,
    factors: Any,
    first: int,
    cards: Any,
    axis: int,
    result: int,
    ints: Any,
    n_ints: int,
    free: int,
    floats: Any,
    space: int,
    scaled: bool,
) -> int:
    """Multiply a bucket's factors and sum out their common axis.

    Args:
        world: the packed world.
        factors: all factors; those of the bucket are linked from `first` on.
        first: the first of them.
        cards: the cardinality of each axis.
        axis: what is summed out.
        result: the factor to make; its place and axes are set.
        ints: the workspace, used from `free` on.
        n_ints: its length.
        free: see `ints`.
        floats: the workspace of floats, used from `space` on.
        space: see `floats`.
        scaled: whether to keep powers of two apart, so that nothing vanishes.

    Returns:
        0, or the whole numbers that the workspace would need.
    """
    rank, card = factors.rank[result], cards[axis]
    us, out = factors.start[result], factors.base[result]
    count, f = 0, first
    while f >= 0:
        count += 1
        f = factors.following[f]
    low, d0, cells = 1, 0, 1
    for j in range(rank):
        c = cards[factors.axis[us + j]]
        cells *= c
        if d0 == j and low * c * card * count <= BLOCK:
            low, d0 = low * c, d0 + 1
    block, blocks = low * card, cells // low
    steps = free  # per factor, a step along each axis of the result
    bases = steps + count * rank
    digits = bases + count
    scales = digits + rank
    offsets = scales + (blocks if scaled else 0)
    if offsets + count * block > n_ints:
        return int(offsets + count * block)
    k, f, total = 0, first, 0
    while f >= 0:
        mine = steps + k * rank
        for j in range(rank):
            ints[mine + j] = 0
        j, along = 0, 0
        for i in range(factors.start[f], factors.start[f] + factors.rank[f]):
            if factors.axis[i] == axis:
                along = factors.stride[i]
                continue
            while factors.axis[us + j] != factors.axis[i]:
                j += 1
            ints[mine + j] = factors.stride[i]
        ints[bases + k] = factors.base[f]
        here = offsets + k * block
        ints[here] = 0
        size = 1
        for j in range(d0 + 1):
            c = cards[factors.axis[us + j]] if j < d0 else card
            step = ints[mine + j] if j < d0 else along
            for r in range(1, c):
                for i in range(size):
                    ints[here + r * size + i] = ints[here + i] + r * step
            size *= c
        total += factors.scale[f]
        k += 1
        f = factors.following[f]
    for j in range(rank):
        ints[digits + j] = 0
    for b in range(blocks):
        k, f, power = 0, first, 0
        while f >= 0:
            base, here = ints[bases + k], offsets + k * block
            if k == 0:
                if factors.source[f]:
                    _load(floats, space, world.floats, base, ints, here, block)
                else:
                    _load(floats, space, floats, base, ints, here, block)
            elif factors.source[f]:
                _times(floats, space, world.floats, base, ints, here, block)
            else:
                _times(floats, space, floats, base, ints, here, block)
            if scaled:
                power += rescale(floats, space, block)
            k += 1
            f = factors.following[f]
        to = out + b * low
        for i in range(low):
            floats[to + i] = floats[space + i]
        for x in range(1, card):
            for i in range(low):
                floats[to + i] += floats[space + x * low + i]
        if scaled:
            whole = 0.0
            for i in range(low):
                whole += floats[to + i]
            ints[scales + b] = power if whole > 0.0 else _NOTHING
        for j in range(d0, rank):
            c = cards[factors.axis[us + j]]
            turn = ints[digits + j] + 1 == c
            times = -ints[digits + j] if turn else 1
            ints[digits + j] += times
            for k in range(count):
                ints[bases + k] += times * ints[steps + k * rank + j]
            if not turn:
                break
    factors.scale[result] = total
    if scaled:
        highest = _NOTHING
        for b in range(blocks):
            highest = max(highest, ints[scales + b])
        if highest > _NOTHING:
            for b in range(blocks):
                less = max(ints[scales + b] - highest, -5000)
                for i in range(low):
                    floats[out + b * low + i] = math.ldexp(floats[out + b * low + i], less)
            factors.scale[result] = total + highest
    return 0
