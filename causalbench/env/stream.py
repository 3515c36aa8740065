"""Draw an environment's noise by counting: any word of any copy, at once and in any order.

Word c of a copy is ``mix((c * GAMMA) ^ key)`` modulo 2**64: a Weyl sequence, xored with the copy's
key, through the finaliser of SplitMix64 (two multiplications). As a word depends on the key and
its number alone, copies can be drawn in any order, on any device, and a unit can be run again by
counting from the same place. The key of a seed is the first word of NumPy's ``SeedSequence``.

A step takes ``2 * width`` words of 32 bits, two from each word of 64, the low half first. Step t
(from 1) of episode e (from 0) in a world of horizon T takes the 64-bit words
``(e * T + t - 1) * width ...``, so an episode has room for its whole horizon even where it ends
early. `layout` says which of them is whose.

Reference:
    Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; the
    constants of the finaliser are variant 13 of David Stafford's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.scm.program import Program

__all__ = ["GAMMA", "key_of", "layout", "mix", "noise_codes", "thresholds", "word", "words"]

GAMMA = 0x9E3779B97F4A7C15
"""The odd number nearest to 2**64 divided by the golden ratio."""
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MASK = 2**64 - 1
_BYTE = 255
_FEW = 24  # up to here counting thresholds is faster than bisection


def mix(number: int) -> int:
    """Return the finaliser's image of a 64-bit number; no two have the same."""
    number = (number ^ number >> 30) * FIRST & _MASK
    number = (number ^ number >> 27) * SECOND & _MASK
    return number ^ number >> 31


def word(key: int, counter: int) -> int:
    """Return one 64-bit word of a copy's stream, in Python's numbers."""
    return mix((counter * GAMMA & _MASK) ^ key)


def words(key: NDArray[np.uint64] | np.uint64, counter: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 64-bit words, keys and counters broadcast against each other."""
    state = np.multiply(counter, np.uint64(GAMMA), dtype=np.uint64) ^ key
    state = (state ^ state >> np.uint64(30)) * np.uint64(FIRST)
    state = (state ^ state >> np.uint64(27)) * np.uint64(SECOND)
    mixed: NDArray[np.uint64] = state ^ state >> np.uint64(31)
    return mixed


def key_of(seed: int) -> int:
    """Return the key of a seed."""
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])


def thresholds(noise: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return where the noise codes begin: a 32-bit word w draws the number of thresholds <= w.

    Args:
        noise: float64[S], the probability of each code.

    Returns:
        uint64[S - 1], the cumulative probabilities in units of 2**-32, to the nearest; 2**32 is
        never reached, so a code of probability zero is never drawn.
    """
    sums = np.cumsum(noise)
    # What rounding leaves over of the sum belongs to the last code that is possible.
    sums[np.flatnonzero(noise)[-1] :] = 1.0
    return np.rint(sums[:-1] * 2.0**32).astype(np.uint64)


@lru_cache(maxsize=64)
def layout(program: Program) -> tuple[NDArray[np.int64], int]:
    """Return which 32-bit word of a step each slot takes, and how many 64-bit words a step takes.

    Slots with a single noise code at every step take none (-1). The others take theirs in the
    order of the slots, those that no action can change first; the rest begin a new 64-bit word.
    """
    places = np.full(len(program.names), -1, dtype=np.int64)
    taken = 0
    for early in (True, False):
        for slot in range(len(program.names)):
            noisy = max(len(program.first[slot].noise), len(program.later[slot].noise)) > 1
            if noisy and bool(program.early[slot]) is early:
                places[slot] = taken
                taken += 1
        taken += taken % 2
    places.setflags(write=False)
    return places, taken // 2


def noise_codes(
    program: Program,
    key: int,
    episode: int = 0,
    episodes: int = 1,
    slots: Sequence[int] | None = None,
) -> NDArray[np.uint8] | NDArray[np.int32]:
    """Return the noise codes of some episodes: what the mechanisms of each step are given.

    Args:
        program: the process that is run.
        key: of the copy.
        episode: the first one's number, from 0.
        episodes: how many.
        slots: whose codes; None for all.

    Returns:
        uint8[episodes * T, slots] (int32 where a mechanism has over 255 codes), step by step.
    """
    horizon, (places, width), cuts = program.horizon, layout(program), _cuts(program)
    slots = range(len(program.names)) if slots is None else slots
    count = episodes * horizon
    start = np.uint64(episode * horizon * width)
    flat = words(np.uint64(key), start + np.arange(count * width, dtype=np.uint64))
    halves = flat.astype("<u8", copy=False).view("<u4").reshape(count, 2 * width)
    most = max((len(cut) for slot in slots for cut in cuts[slot]), default=0)
    codes = np.zeros((len(slots), episodes, horizon), dtype=np.uint8 if most < _BYTE else np.int32)
    for row, slot in enumerate(slots):
        if places[slot] < 0:
            continue
        drawn = np.ascontiguousarray(halves[:, places[slot]]).reshape(episodes, horizon)
        first, later = cuts[slot]
        _count(drawn, first if horizon == 1 else later, codes[row])
        if horizon > 1 and not np.array_equal(first, later):
            codes[row, :, 0] = 0
            _count(drawn[:, 0], first, codes[row, :, 0])
    return codes.reshape(len(slots), count).T


@lru_cache(maxsize=64)
def _cuts(program: Program) -> list[tuple[NDArray[np.uint64], NDArray[np.uint64]]]:
    """Return the thresholds of each slot at the first step and at later ones."""
    pairs = zip(program.first, program.later, strict=True)
    return [(thresholds(first.noise), thresholds(later.noise)) for first, later in pairs]


def _count(drawn: NDArray[np.uint32], cuts: NDArray[np.uint64], codes: NDArray[Any]) -> None:
    """Add up how many thresholds do not exceed each word."""
    if len(cuts) > _FEW:
        codes[...] = np.searchsorted(cuts, drawn, side="right")
        return
    for cut in cuts[cuts < 2**32]:
        codes += (drawn >= np.uint32(cut)).view(np.uint8)
