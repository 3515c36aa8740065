"""Draw large samples with compiled loops: the same words, the same units, in less time.

What comes out is what `draw` gives without this module, to the last bit; the generator is left
where drawing word by word would leave it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.scm.mechanism import LinearMechanism, Mechanism

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.scm.model import SCM

__all__ = ["rapid_draw"]

_CODES = 127  # what an int8 holds
_MASK = 2**128 - 1
_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645  # PCG64's
_THREADS = 2


def rapid_draw(
    scm: SCM, n: int, rng: np.random.Generator, *, small: bool = False
) -> dict[str, NDArray[Any]] | None:
    """Return ``n`` fresh units, or None where the loops cannot draw them.

    Args:
        scm: a world.
        n: how many.
        rng: a generator; anything but PCG64 gives None.
        small: int8 codes instead of int64, for discrete worlds.
    """
    source = getattr(rng, "bit_generator", None)
    if n < 1 or type(source) is not np.random.PCG64:
        return None
    packed = _packed(scm)
    if packed is None:
        return None
    plan, data = packed
    from causalbench.scm.rapid_loops import BLOCK, LANES, draw_codes, draw_reals

    kind: Any = np.float64 if scm.is_linear else np.int8 if small else np.int64
    out = np.empty((len(scm.names), n), dtype=kind)
    loop = draw_reals if scm.is_linear else draw_codes
    places = {name: number for number, name in enumerate(sorted(scm.names))}
    offsets = [places[name] * n for name in scm.order]
    with source.lock:
        before = source.state
        state, increment = before["state"]["state"], before["state"]["inc"]
        after = _jumped(state, increment, n * len(places))
        source.state = {**before, "state": {"state": after, "inc": increment}}
    times, plus = _jump(increment, BLOCK // LANES)
    step = np.array([*_halves(increment)], dtype=np.uint64)
    jump = np.array([*_halves(times), *_halves(plus)], dtype=np.uint64)

    def part(start: int, stop: int) -> None:
        states = [_halves(_jumped(state, increment, offset + start)) for offset in offsets]
        loop(out, start, stop, np.array(states, dtype=np.uint64), step, jump, plan, data)

    middle = n // _THREADS // BLOCK * BLOCK
    other = _pool().submit(part, 0, middle)
    part(middle, n)
    other.result()
    return dict(zip(scm.names, out, strict=True))


def _packed(scm: SCM) -> tuple[NDArray[np.int64], NDArray[Any]] | None:
    """Return the loops' plan and data, or None where a mechanism is of another kind."""
    rows = {name: row for row, name in enumerate(scm.names)}
    most = max(len(scm.parents(name)) for name in scm.names)
    if all(isinstance(made, LinearMechanism) for made in scm.mechanisms.values()):
        plan = np.zeros((len(rows), 2 + most), dtype=np.int64)
        data = np.zeros((len(rows), 2 + most))
        for k, name in enumerate(scm.order):
            linear: Any = scm.mechanisms[name]
            count = len(linear.parents)
            plan[k, : 2 + count] = [rows[name], count, *(rows[p] for p in linear.parents)]
            data[k, : 2 + count] = [linear.intercept, linear.std, *linear.weights]
        return plan, data
    if not all(isinstance(made, Mechanism) for made in scm.mechanisms.values()):
        return None
    plan = np.zeros((len(rows), 5 + 2 * most), dtype=np.int64)
    parts: list[NDArray[np.int64]] = []
    used = 0
    for k, name in enumerate(scm.order):
        made: Any = scm.mechanisms[name]
        cuts = made.thresholds
        if scm.variables[name].cardinality > _CODES:
            return None
        # (word >> 11) * 2^-53 >= cut says word >> 11 >= cut * 2^53, and that product is exact.
        levels = np.minimum(np.ceil(cuts * 2.0**53), 2.0**53).astype(np.int64)
        parts += [levels, made.table.ravel()]
        line = [rows[name], used, used + len(levels), used + len(levels), len(made.parents)]
        for parent, card in zip(made.parents, made.shape, strict=True):
            line += [rows[parent], card]
        plan[k, : len(line)] = line
        used += len(levels) + made.table.size
    return plan, np.concatenate(parts)


def _jump(increment: int, steps: int) -> tuple[int, int]:
    """Return the multiplier and addend of so many steps at once.

    Reference: Brown (1994), Random number generation with arbitrary strides.
    """
    times, plus, by, add = 1, 0, _MULTIPLIER, increment
    while steps:
        if steps & 1:
            times, plus = times * by & _MASK, (plus * by + add) & _MASK
        by, add = by * by & _MASK, (by + 1) * add & _MASK
        steps >>= 1
    return times, plus


def _jumped(state: int, increment: int, steps: int) -> int:
    times, plus = _jump(increment, steps)
    return (state * times + plus) & _MASK


def _halves(number: int) -> tuple[int, int]:
    return number >> 64, number & 2**64 - 1


@cache
def _pool() -> ThreadPoolExecutor:
    """Return the thread that works beside the caller's."""
    return ThreadPoolExecutor(_THREADS - 1, thread_name_prefix="causalbench-draw")
