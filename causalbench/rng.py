"""Draw numbers whose bytes depend on the PCG64 stream alone, on no NumPy sampling function.

NumPy may change how `Generator.normal` or `Generator.choice` turn words into numbers; it promises
never to change PCG64's words. Whatever reaches an item's bytes is drawn here.
"""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "GRID",
    "child",
    "choice",
    "generator",
    "grid",
    "integers",
    "permutation",
    "simplex",
    "uniforms",
    "words",
]

GRID = 1024  # parameters of random worlds are multiples of 1 / GRID, so they print exactly

T = TypeVar("T")
Shape = int | tuple[int, ...]


def generator(seed: int, task_id: str, index: int = 0) -> np.random.Generator:
    """Return the generator of one task: PCG64 seeded by (seed, CRC-32 of the id, index).

    Args:
        seed: a non-negative integer.
        task_id: any text.
        index: a non-negative integer, e.g. the number of the pair.

    Returns:
        A generator whose words are the same on every machine and NumPy version.
    """
    key = [seed, zlib.crc32(task_id.encode()), index]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def words(rng: np.random.Generator, n: int) -> NDArray[np.uint64]:
    """Take the next ``n`` raw 64-bit words.

    Args:
        rng: a generator with 64-bit words (PCG64, not MT19937).
        n: how many, at least 0.

    Returns:
        uint64[n].

    Raises:
        TypeError: the generator is none of NumPy's, or its words have 32 bits.
    """
    source = getattr(rng, "bit_generator", None)
    if source is None:
        msg = f"rng must be a numpy.random.Generator, not {type(rng).__name__}; use default_rng(0)"
        raise TypeError(msg)
    if isinstance(source, np.random.MT19937):
        msg = "rng has MT19937's 32-bit words; use numpy.random.default_rng(seed) (PCG64)"
        raise TypeError(msg)
    raw: NDArray[np.uint64] = source.random_raw(n)
    return raw


def uniforms(rng: np.random.Generator, shape: Shape) -> NDArray[np.float64]:
    """Draw uniform numbers in [0, 1), one word each: ``(word >> 11) * 2**-53``."""
    size = (shape,) if isinstance(shape, int) else tuple(shape)
    raw = words(rng, math.prod(size))
    raw >>= np.uint64(11)
    # Below 2**63 the signed view has the same value, and converts to float several times faster.
    result = np.multiply(raw.view(np.int64), 2.0**-53, dtype=np.float64)
    return result.reshape(size)


def integers(rng: np.random.Generator, high: int, shape: Shape = ()) -> NDArray[np.int64]:
    """Draw integers in 0..high-1, one word each (bias below high * 2**-53).

    Args:
        rng: a generator.
        high: at least 1, at most 2**53.
        shape: of the result; ``()`` gives an array without axes, which ``int()`` reads.
    """
    if not 1 <= high <= 2**53:
        msg = f"integers needs 1 <= high <= 2**53, got {high}"
        raise ValueError(msg)
    return (uniforms(rng, shape) * high).astype(np.int64)


def permutation(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Draw a permutation of 0..n-1: the order that sorts ``n`` words."""
    return np.argsort(words(rng, n), kind="stable").astype(np.int64)


def choice(rng: np.random.Generator, options: Sequence[T]) -> T:
    """Draw one of the options, each equally likely."""
    return options[int(integers(rng, len(options)))]


def grid(
    rng: np.random.Generator, shape: Shape = (), *, low: float = 0.0, high: float = 1.0
) -> NDArray[np.float64]:
    """Draw multiples of 1/1024 in [low, high], each equally likely."""
    first, last = math.ceil(low * GRID), math.floor(high * GRID)
    if last < first:
        msg = f"no multiple of 1/{GRID} lies in [{low}, {high}]; widen the range"
        raise ValueError(msg)
    return (first + integers(rng, last - first + 1, shape)) / GRID


def simplex(
    rng: np.random.Generator, k: int, minimum: float = 0.0, shape: Shape = ()
) -> NDArray[np.float64]:
    """Draw probabilities that are multiples of 1/1024 and sum to exactly 1.

    Args:
        rng: a generator.
        k: how many probabilities, at least 1.
        minimum: the least probability of each, in [0, 1/k].
        shape: of the batch.

    Returns:
        float64[*shape, k], near uniform on the simplex (gaps of sorted uniform cuts).
    """
    least = math.ceil(minimum * GRID)
    spare = GRID - k * least
    if k < 1 or least < 0 or spare < 0:
        msg = f"no {k} probabilities of at least {minimum} sum to 1; take minimum <= 1/k"
        raise ValueError(msg)
    size = (shape,) if isinstance(shape, int) else tuple(shape)
    cuts = integers(rng, spare + 1, (*size, k - 1))
    cuts.sort(axis=-1)
    gaps = np.empty((*size, k), dtype=np.int64)
    gaps[..., :-1] = cuts
    gaps[..., -1] = spare
    gaps[..., 1:] -= cuts
    result: NDArray[np.float64] = (gaps + least) / GRID
    return result


def child(rng: np.random.Generator) -> np.random.Generator:
    """Return a new PCG64 generator seeded from four words of this one."""
    key = [int(word) for word in words(rng, 4)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
