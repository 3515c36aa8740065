"""Compiled draws are the bits of the draws without them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from causalbench.rng import generator
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.scm import draw as slow
from causalbench.scm.random import random_linear, random_scm
from causalbench.scm.rapid import rapid_draw
from causalbench.scm.rapid_loops import BLOCK, _far

DISCRETE = random_scm(
    rng=generator(0, "rapid"), n=7, hidden=1, cards=(2, 3, 4), coupling="monotone"
)
LINEAR = random_linear(rng=generator(1, "rapid"), n=6, hidden=1)
SIZES = (1, BLOCK - 1, BLOCK, 2 * BLOCK + 5, 9 * BLOCK)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("scm", [DISCRETE, LINEAR], ids=["discrete", "linear"])
def test_values_and_generator_are_the_same(scm, n):
    """Every value, its type, and the state that the generator is left in."""
    one, two = np.random.default_rng(n), np.random.default_rng(n)
    one.integers(5, dtype=np.int32)  # leaves half a word in store, which draws must not touch
    two.integers(5, dtype=np.int32)
    expected, actual = slow.draw(scm, n, one, None), rapid_draw(scm, n, two)
    assert list(actual) == list(expected)
    for name, column in expected.items():
        assert actual[name].dtype == column.dtype
        np.testing.assert_array_equal(actual[name], column)
    assert one.bit_generator.state == two.bit_generator.state


def test_tails_of_the_normal_are_the_same():
    """A million draws reach both tails of the quantile; they agree to the last bit."""
    scm = random_linear(rng=generator(2, "rapid"), n=1)
    one, two = np.random.default_rng(3), np.random.default_rng(3)
    noise = scm.draw_noise(10**6, rng=one)
    expected = scm.solve(noise)["v1"]
    assert np.abs(noise["v1"]).max() > 4.5
    np.testing.assert_array_equal(rapid_draw(scm, 10**6, two)["v1"], expected)


def test_the_furthest_tail_is_the_same():
    """Words below 2^-46, which no drawing meets, have the quantile that scipy gives."""
    p = np.array([2.0**-54, 1e-16, 1e-15, 1.2e-14, 1.3e-14])
    x = np.sqrt(-2.0 * np.log(p))
    first = x - np.log(x) / x
    far = [-_far(*pair) for pair in zip(x[x >= 8], first[x >= 8], strict=True)]
    assert len(far) == 4
    assert far == ndtri(p[x >= 8]).tolist()


def test_small_codes_are_the_same():
    """One-byte codes hold the values of eight-byte codes."""
    one, two = np.random.default_rng(4), np.random.default_rng(4)
    wide, small = rapid_draw(DISCRETE, 5000, one), rapid_draw(DISCRETE, 5000, two, small=True)
    assert {column.dtype for column in small.values()} == {np.dtype(np.int8)}
    for name, column in wide.items():
        np.testing.assert_array_equal(small[name], column)


@pytest.mark.parametrize("scm", [DISCRETE, LINEAR], ids=["discrete", "linear"])
def test_large_draws_and_samples_take_the_loops(scm, monkeypatch):
    """From a size on `SCM.draw` and `SCM.sample` use them; nobody can tell by the values."""
    before = scm.sample(3000, rng=np.random.default_rng(5), hidden=True)
    drawn = scm.draw(3000, rng=np.random.default_rng(5))
    monkeypatch.setattr(slow, "MANY", 0)
    after = scm.sample(3000, rng=np.random.default_rng(5), hidden=True)
    assert after.equals(before)
    for name, column in scm.draw(3000, rng=np.random.default_rng(5)).items():
        np.testing.assert_array_equal(column, drawn[name])


def test_noise_of_probability_zero_is_never_drawn():
    """Thresholds at 0 and beyond 1 keep impossible noise values out."""
    noise, table = np.array([0.0, 0.25, 0.0, 0.75, 0.0]), np.array([0, 1, 0, 1, 0])
    scm = SCM({"x": Variable("x", ("0", "1"))}, {"x": Mechanism((), noise, table)})
    assert set(rapid_draw(scm, 10**5, np.random.default_rng(6))["x"]) == {1}


def test_other_generators_are_left_to_numpy():
    """The loops make PCG64's words alone; Philox is drawn as before, nothing is taken from it."""
    rng = np.random.Generator(np.random.Philox(7))
    state = str(rng.bit_generator.state)
    assert rapid_draw(DISCRETE, 10**5, rng) is None
    assert str(rng.bit_generator.state) == state


def test_many_noise_values_are_found_by_bisection():
    """A mechanism with very many noise values draws the same ones."""
    size = 200
    made = Mechanism((), np.full(size, 1 / size), np.arange(size) % 5)
    scm = SCM({"x": Variable("x", tuple("abcde"))}, {"x": made})
    one, two = np.random.default_rng(8), np.random.default_rng(8)
    expected = slow.draw(scm, 5000, one, None)["x"]
    np.testing.assert_array_equal(rapid_draw(scm, 5000, two)["x"], expected)
