"""Draws that depend on PCG64's words alone."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from causalbench import rng as draws

GOLDEN = [
    [18220814168040110107],
    [0, 2, 6],
    [4, 0, 2, 3, 1],
    [0.705078125, 0.90234375],
    [0.244140625, 0.37890625, 0.376953125],
    "a",
    [2023821849795463535],
]


def _fresh():
    return draws.generator(7, "task", 3)


def test_generator_is_pinned():
    """A task's words are PCG64's, seeded by (seed, CRC-32 of the id, index)."""
    key = [7, zlib.crc32(b"task"), 3]
    expected = np.random.PCG64(np.random.SeedSequence(key)).random_raw(2)
    assert draws.words(_fresh(), 2).tolist() == expected.tolist()


def test_bytes_are_golden():
    """The same seed gives these numbers on every machine."""
    rng = draws.generator(0, "golden")
    found = [
        draws.words(rng, 1).tolist(),
        draws.integers(rng, 10, 3).tolist(),
        draws.permutation(rng, 5).tolist(),
        draws.grid(rng, 2).tolist(),
        draws.simplex(rng, 3).tolist(),
        draws.choice(rng, "abc"),
        draws.words(draws.child(rng), 1).tolist(),
    ]
    assert found == GOLDEN


def test_uniforms_are_the_top_bits_of_the_words():
    """A uniform is (word >> 11) * 2**-53."""
    expected = [(int(word) >> 11) * 2.0**-53 for word in draws.words(_fresh(), 100)]
    assert draws.uniforms(_fresh(), 100).tolist() == expected


@pytest.mark.parametrize("high", [1, 2, 3, 1000, 2**53 - 1, 2**53])
def test_integers_stay_below_high(high):
    """Integers lie in 0..high-1, for the largest high too."""
    found = draws.integers(_fresh(), high, 1000)
    assert 0 <= found.min() <= found.max() < high


def test_integers_cover_evenly():
    """Each of six faces comes up within Hoeffding's bound at a failure chance of 1e-9."""
    n = 60_000
    counts = np.bincount(draws.integers(_fresh(), 6, n), minlength=6)
    assert np.abs(counts / n - 1 / 6).max() < np.sqrt(np.log(2 * 6 / 1e-9) / (2 * n))


@pytest.mark.parametrize("high", [0, -1, 2**53 + 1])
def test_integers_refuse_an_impossible_high(high):
    """No integer lies below 0, and beyond 2**53 the draw would be biased."""
    with pytest.raises(ValueError, match="1 <= high"):
        draws.integers(_fresh(), high)


def test_permutation_holds_every_index():
    """A permutation of n holds 0..n-1 once each."""
    assert sorted(draws.permutation(_fresh(), 50).tolist()) == list(range(50))


def test_grid_lies_on_the_grid():
    """Grid numbers are multiples of 1/1024 inside the range."""
    found = draws.grid(_fresh(), 500, low=-0.3, high=0.2) * 1024
    assert found.tolist() == np.round(found).tolist()
    assert -0.3 <= found.min() / 1024 <= found.max() / 1024 <= 0.2


def test_grid_refuses_an_empty_range():
    """A range between two grid points is an error."""
    with pytest.raises(ValueError, match="widen"):
        draws.grid(_fresh(), low=0.0001, high=0.0002)


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_simplex_sums_to_exactly_one(k):
    """Simplex rows are grid numbers of at least the minimum that sum to 1 without rounding."""
    found = draws.simplex(_fresh(), k, 1 / 8, (40,))
    assert found.sum(axis=-1).tolist() == [1.0] * 40
    assert (found * 1024).tolist() == np.round(found * 1024).tolist()
    assert found.min() >= 1 / 8


def test_simplex_refuses_a_minimum_that_is_too_high():
    """Three probabilities of at least 1/2 don't sum to 1."""
    with pytest.raises(ValueError, match="1/k"):
        draws.simplex(_fresh(), 3, 0.5)


def test_children_differ():
    """Two children of one generator have different words."""
    rng = _fresh()
    first, second = draws.child(rng), draws.child(rng)
    assert draws.words(first, 3).tolist() != draws.words(second, 3).tolist()


@pytest.mark.parametrize("bad", [None, 3, np.random.Generator(np.random.MT19937(0))])
def test_words_need_a_generator_with_64_bits(bad):
    """None, a seed and a 32-bit generator are refused with advice."""
    with pytest.raises(TypeError, match="default_rng"):
        draws.words(bad, 1)
