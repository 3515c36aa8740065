"""Draw many units of a world in one pass over blocks of units, compiled by numba.

The words are PCG64's own, made here: the state steps by state * multiplier + increment modulo
2^128, and a word is the state's halves, xored and rotated (O'Neill 2014, XSL-RR). A jump of k steps
is again one multiplication and addition, so any unit's word can be had without the ones before.
This module imports numba when it is loaded; `rapid` loads it for large draws alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from causalbench.jit import entry, once

__all__ = ["BLOCK", "LANES", "draw_codes", "draw_reals"]

BLOCK = 2048
LANES = 4
"""A block's words come from four places at once: one step waits for the one before it."""

_FEW = 24  # up to here counting thresholds is faster than bisection
_PIECE = BLOCK // LANES
_HIGH = np.uint64(0x2360ED051FC65DA4)  # PCG64's multiplier
_LOW = np.uint64(0x4385DF649FCCF645)

# Moshier (1989), Methods and Programs for Mathematical Functions: the normal quantile, as in scipy.
_P0 = (
    -5.99633501014107895267e1, 9.80010754185999661536e1, -5.66762857469070293439e1,
    1.39312609387279679503e1, -1.23916583867381258016e0,
)  # fmt: skip
_Q0 = (
    1.0, 1.95448858338141759834e0, 4.67627912898881538453e0, 8.63602421390890590575e1,
    -2.25462687854119370527e2, 2.00260212380060660359e2, -8.20372256168333339912e1,
    1.59056225126211695515e1, -1.18331621121330003142e0,
)  # fmt: skip
_P1 = (
    4.05544892305962419923e0, 3.15251094599893866154e1, 5.71628192246421288162e1,
    4.40805073893200834700e1, 1.46849561928858024014e1, 2.18663306850790267539e0,
    -1.40256079171354495875e-1, -3.50424626827848203418e-2, -8.57456785154685413611e-4,
)  # fmt: skip
_Q1 = (
    1.0, 1.57799883256466749731e1, 4.53907635128879210584e1, 4.13172038254672030440e1,
    1.50425385692907503408e1, 2.50464946208309415979e0, -1.42182922854787788574e-1,
    -3.80806407691578277194e-2, -9.33259480895457427372e-4,
)  # fmt: skip
_P2 = (
    3.23774891776946035970e0, 6.91522889068984211695e0, 3.93881025292474443415e0,
    1.33303460815807542389e0, 2.01485389549179081538e-1, 1.23716634817820021358e-2,
    3.01581553508235416007e-4, 2.65806974686737550832e-6, 6.23974539184983293730e-9,
)  # fmt: skip
_Q2 = (
    1.0, 6.02427039364742014255e0, 3.67983563856160859403e0, 1.37702099489081330271e0,
    2.16236993594496635890e-1, 1.34204006088543189037e-2, 3.28014464682127739104e-4,
    2.89247864745380683936e-6, 6.79019408009981274425e-9,
)  # fmt: skip
_TAIL = 0.13533528323661269189  # exp(-2)
_FAR = 8.0
_HALF = 0.5
_ONE = 1 - 2.0**-53
_ROOT = 2.50662827463100050242  # sqrt(2 pi)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _high_part(_context: Any, _a: Any, _b: Any) -> Any:
    """Return the upper half of the product of two words."""

    def build(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        word = context.get_value_type(types.uint64)
        wide = type(word)(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, wide(64)), word)

    return types.uint64(types.uint64, types.uint64), build


@once
def _times_plus(high: Any, low: Any, by_high: Any, by_low: Any, add_high: Any, add_low: Any) -> Any:
    """Return state * multiplier + increment modulo 2^128, in halves."""
    product = low * by_low
    total = product + add_low
    carry = np.uint64(1) if total < product else np.uint64(0)
    return _high_part(low, by_low) + low * by_high + high * by_low + add_high + carry, total


@once
def _word(high: Any, low: Any) -> Any:
    mixed, turn = high ^ low, high >> np.uint64(58)
    return (mixed >> turn) | (mixed << (-turn & np.uint64(63)))


@once
def _words(out: Any, size: int, state: Any, increment: Any, jump: Any) -> None:
    """Fill ``out[:size]`` with the next words, their lowest 11 bits dropped; move the state on."""
    up, down = increment[0], increment[1]
    h0, l0 = state[0], state[1]
    if size == BLOCK:
        h1, l1 = _times_plus(h0, l0, jump[0], jump[1], jump[2], jump[3])
        h2, l2 = _times_plus(h1, l1, jump[0], jump[1], jump[2], jump[3])
        h3, l3 = _times_plus(h2, l2, jump[0], jump[1], jump[2], jump[3])
        for i in range(_PIECE):
            h0, l0 = _times_plus(h0, l0, _HIGH, _LOW, up, down)
            h1, l1 = _times_plus(h1, l1, _HIGH, _LOW, up, down)
            h2, l2 = _times_plus(h2, l2, _HIGH, _LOW, up, down)
            h3, l3 = _times_plus(h3, l3, _HIGH, _LOW, up, down)
            out[i] = np.int64(_word(h0, l0) >> np.uint64(11))
            out[i + _PIECE] = np.int64(_word(h1, l1) >> np.uint64(11))
            out[i + 2 * _PIECE] = np.int64(_word(h2, l2) >> np.uint64(11))
            out[i + 3 * _PIECE] = np.int64(_word(h3, l3) >> np.uint64(11))
        state[0], state[1] = h3, l3
    else:
        for i in range(size):
            h0, l0 = _times_plus(h0, l0, _HIGH, _LOW, up, down)
            out[i] = np.int64(_word(h0, l0) >> np.uint64(11))
        state[0], state[1] = h0, l0


@once
def _passed(index: Any, words: Any, size: int, levels: Any, low: int, high: int) -> None:
    """Count for each word how many of ``levels[low:high]`` it reaches."""
    if high - low <= _FEW:
        index[:size] = 0
        for cut in range(low, high):
            level = levels[cut]
            for i in range(size):
                index[i] += words[i] >= level
        return
    for i in range(size):
        first, last = low, high
        while first < last:
            middle = (first + last) // 2
            if words[i] >= levels[middle]:
                first = middle + 1
            else:
                last = middle
        index[i] = first - low


@entry()
def draw_codes(
    out: Any, start: int, stop: int, states: Any, increment: Any, jump: Any, plan: Any, data: Any
) -> None:
    """Fill columns ``start:stop`` of ``out``, a row a variable, with codes.

    Args:
        out: int8 or int64[variables, n].
        start: the first unit.
        stop: one past the last unit.
        states: uint64[variables, 2], each variable's state before its first word; written to.
        increment: uint64[2].
        jump: uint64[4], what moves a state on by a lane.
        plan: int64[variables, 5 + 2 * most parents], causes first: row, thresholds from and to,
            table from, number of parents, then each parent's row and cardinality.
        data: int64: thresholds in units of 2^-53, and tables.
    """
    words = np.empty(BLOCK, dtype=np.int64)
    index = np.empty(BLOCK, dtype=np.int64)
    for low in range(start, stop, BLOCK):
        size = min(BLOCK, stop - low)
        for k in range(len(plan)):
            row, table = plan[k, 0], plan[k, 3]
            _words(words, size, states[k], increment, jump)
            _passed(index, words, size, data, plan[k, 1], plan[k, 2])
            for parent in range(plan[k, 4]):
                other, card = plan[k, 5 + 2 * parent], plan[k, 6 + 2 * parent]
                for i in range(size):
                    index[i] = index[i] * card + out[other, low + i]
            for i in range(size):
                out[row, low + i] = data[table + index[i]]


@once
def _middle(p: float) -> Any:
    """Return the standard normal quantile of p between exp(-2) and 1 - exp(-2)."""
    y = p - 0.5
    square = y * y
    top = (((_P0[0] * square + _P0[1]) * square + _P0[2]) * square + _P0[3]) * square + _P0[4]
    bottom = (((square + _Q0[1]) * square + _Q0[2]) * square + _Q0[3]) * square + _Q0[4]
    bottom = (((bottom * square + _Q0[5]) * square + _Q0[6]) * square + _Q0[7]) * square + _Q0[8]
    return (y + y * (square * top / bottom)) * _ROOT


@once
def _tails(p: Any, size: int, place: Any, x: Any, first: Any, z: Any) -> int:
    """Work out the quantiles of the other p, in ``z[:count]`` for ``place[:count]``.

    One pass a function over those alone: a branch for each of them would cost as much again.
    """
    count = 0
    for i in range(size):
        place[count] = i
        x[count] = p[i] if p[i] < 1.0 - p[i] else 1.0 - p[i]  # noqa: FURB136  (min is slower)
        count += not _TAIL < p[i] <= 1.0 - _TAIL
    for i in range(count):
        x[i] = math.log(x[i])
    for i in range(count):
        x[i] = math.sqrt(-2.0 * x[i])
    for i in range(count):
        first[i] = math.log(x[i])
    for i in range(count):
        first[i] = x[i] - first[i] / x[i]
        t = 1.0 / x[i]
        top = (((_P1[0] * t + _P1[1]) * t + _P1[2]) * t + _P1[3]) * t + _P1[4]
        top = (((top * t + _P1[5]) * t + _P1[6]) * t + _P1[7]) * t + _P1[8]
        bottom = (((t + _Q1[1]) * t + _Q1[2]) * t + _Q1[3]) * t + _Q1[4]
        bottom = (((bottom * t + _Q1[5]) * t + _Q1[6]) * t + _Q1[7]) * t + _Q1[8]
        z[i] = first[i] - t * top / bottom
    for i in range(count):
        if x[i] >= _FAR:
            z[i] = _far(x[i], first[i])
        if p[place[i]] < _HALF:
            z[i] = -z[i]
    return count


@entry()
def _far(x: float, first: float) -> Any:
    """Return the quantile of a p below exp(-32), which is one word in 10^14."""
    t = 1.0 / x
    top, bottom = _P2[0], _Q2[0]
    for place in range(1, len(_P2)):
        top = top * t + _P2[place]
        bottom = bottom * t + _Q2[place]
    return first - t * top / bottom


@entry()
def draw_reals(
    out: Any, start: int, stop: int, states: Any, increment: Any, jump: Any, plan: Any, data: Any
) -> None:
    """Fill columns ``start:stop`` of ``out``, a row a variable, with linear-Gaussian values.

    Args:
        out: float64[variables, n].
        start: the first unit.
        stop: one past the last unit.
        states: as in `draw_codes`.
        increment: as in `draw_codes`.
        jump: as in `draw_codes`.
        plan: int64[variables, 2 + most parents], causes first: row, number of parents, their rows.
        data: float64[variables, 2 + most parents]: intercept, std, weights.
    """
    words = np.empty(BLOCK, dtype=np.int64)
    u, x, first, z = np.empty((4, BLOCK + 1))
    place = np.empty(BLOCK + 1, dtype=np.int64)
    for low in range(start, stop, BLOCK):
        size = min(BLOCK, stop - low)
        for k in range(len(plan)):
            row, mean, std = plan[k, 0], data[k, 0], data[k, 1]
            _words(words, size, states[k], increment, jump)
            for i in range(size):  # right in the middle; without branches, so several at once
                p = words[i] * 2.0**-53 + 2.0**-54
                u[i] = p if p < _ONE else _ONE  # noqa: FURB136  (min is slower)
                out[row, low + i] = mean + std * _middle(u[i])
            count = _tails(u, size, place, x, first, z)
            for i in range(count):
                out[row, low + place[i]] = mean + std * z[i]
            for parent in range(plan[k, 1]):
                other, weight = plan[k, 2 + parent], data[k, 2 + parent]
                for i in range(size):
                    out[row, low + i] += weight * out[other, low + i]
