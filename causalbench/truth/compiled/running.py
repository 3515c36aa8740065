"""Answer packed pairs of worlds and queries: the one compiled function that Python calls."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.jit import entry, inner, once, source_digest
from causalbench.truth.compiled.layout import (
    COLUMN,
    EVENT,
    FIRST,
    IMPOSSIBLE,
    MORE_FLOATS,
    MORE_INTS,
    OK,
    POINT,
    POSSIBLE,
    Q_CARD,
    Q_CLAMP,
    Q_HEAD,
    Q_KIND,
    Q_NUMBERS,
)
from causalbench.truth.compiled.memory import doubles, longs
from causalbench.truth.compiled.solving import solve

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run"]

_RARE = 1e-290  # below this, floats lose digits and then vanish: look again, rescaled


@inner
def _column(query_at: int, at: int, floats_at: int, constant: int) -> Any:
    """Return the sum of a column, and its sum weighted by what the quantity asks for."""
    asked, floats = longs(query_at), doubles(floats_at)
    numbers = doubles(query_at + 8 * asked[0])
    low, code = asked[at + Q_NUMBERS], -1
    if asked[at + Q_KIND] == POINT:
        code = asked[at + Q_HEAD + 2]
    first = max(constant, 0)
    last = first + 1 if constant >= 0 else asked[at + Q_CARD]
    whole, part = 0.0, 0.0
    for i in range(first, last):
        cell = floats[i - first]
        whole += cell
        if code < 0:
            part += cell * numbers[low + i]
        elif code == i:
            part = cell
    return whole, part


@once
def _answer(
    world_at: int,
    query_at: int,
    at: int,
    ints_at: int,
    n_ints: int,
    floats_at: int,
    n_floats: int,
    limit: int,
    most_work: int,
) -> Any:
    """Answer one quantity: (status, detail, value)."""
    asked = longs(query_at)
    kind, floats = asked[at + Q_KIND], doubles(floats_at)
    scaled = kind < 0  # False; a literal would make numba compile `solve` twice
    event, column, below, lower = kind == EVENT, kind in (COLUMN, POINT), 0.0, 0
    while True:  # at most: unscaled, its numerator, scaled, its numerator
        status, detail, power, constant = solve(
            world_at, query_at, at, ints_at, n_ints, floats_at, n_floats, limit, most_work,
            event, column, scaled,
        )  # fmt: skip
        if status != OK:
            return status, detail, 0.0
        if kind == EVENT:
            return OK, 0, min(1.0, floats[0])
        if event:  # the numerator of a ratio
            part = floats[0]
            if scaled:
                part = math.ldexp(part, max(min(power - lower, 900), -5000))
            return OK, 0, min(1.0, part / below)
        part = 0.0
        if column:
            below, part = _column(query_at, at, floats_at, constant)
        else:
            below = floats[0]
        if below > _RARE or (scaled and below > 0.0):
            if column:
                mean = part / below
                return OK, 0, min(1.0, mean) if asked[at + Q_CLAMP] else mean
            if kind == POSSIBLE:
                return OK, 0, 1.0
            event, lower = True, power
        elif scaled:
            return (OK, 0, 0.0) if kind == POSSIBLE else (IMPOSSIBLE, 0, 0.0)
        else:
            scaled = True


def _make(sources: str) -> Callable[..., int]:
    """Compile `run`; the sources' digest is a part of it, and so of its key on disk."""

    @entry("i8(i8, i8, i8, i8, i8, i8, i8, i8, i8, i8, i8)")
    def run(
        pairs_at: int,
        low: int,
        high: int,
        values_at: int,
        states_at: int,
        ints_at: int,
        n_ints: int,
        floats_at: int,
        n_floats: int,
        limit: int,
        most_work: int,
    ) -> int:
        if len(sources) == 0:
            return -1
        pairs = longs(pairs_at)
        values, states = doubles(values_at), longs(states_at)
        for pair in range(low, high):
            world_at, query_at = pairs[2 * pair], pairs[2 * pair + 1]
            asked = longs(query_at)
            numbers = doubles(query_at + 8 * asked[0])
            total = numbers[0]
            states[2 * pair] = OK
            for k in range(asked[2]):
                status, detail, value = _answer(
                    world_at, query_at, asked[FIRST + k], ints_at, n_ints, floats_at, n_floats,
                    limit, most_work,
                )  # fmt: skip
                if status != OK:
                    states[2 * pair] = status
                    states[2 * pair + 1] = k if status == IMPOSSIBLE else detail
                    total = math.nan
                    if status in (MORE_INTS, MORE_FLOATS):
                        return pair
                    break
                total += numbers[1 + k] * value
            values[pair] = total
        return high

    return run


run = _make(source_digest(*Path(__file__).parent.glob("*.py")))
"""Answer pairs `low` to `high` - 1: (addresses of pairs, values and states; the workspace).

Returns `high`, or the pair at which a larger workspace is needed, which its state says.
"""
