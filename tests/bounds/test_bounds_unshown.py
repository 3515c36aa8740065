"""Bounds without a diagram: over every causal order, attained by checked worlds."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from bounds_builders import DO_BLIND, SEE_BLIND, Naive, bow, draw, ends, instrument, permitted_gap
from oracle import brute

from causalbench.query import parse
from causalbench.truth import law, value

SAME = 1e-9
LAWS = 1e-12


def checked(scm, query, found, *, experiments):
    """Check both witnesses by walking over their units."""
    asked = parse(query, scm.vocabulary)
    for witness, end in zip(found.witnesses, (found.inner_lower, found.inner_upper), strict=True):
        assert witness.scm.visible == scm.visible
        assert permitted_gap(scm, witness.scm, experiments=experiments) < LAWS
        assert brute(witness.scm, asked) == pytest.approx(end, abs=SAME)


@pytest.mark.parametrize("seed", range(5))
def test_effect_has_width_one(seed):
    """Without a diagram the binary ATE is open by exactly one, jointly and not term by term."""
    scm = instrument(np.random.default_rng(seed))
    found = ends(scm, "ATE(x: a -> b; y=b)", SEE_BLIND)
    assert found.upper - found.lower == pytest.approx(1.0, abs=1e-12)
    assert found.sharp
    checked(scm, "ATE(x: a -> b; y=b)", found, experiments=False)


@pytest.mark.parametrize("seed", range(3))
def test_conditional_effect(seed):
    """A difference of two conditionals has the ends of each: what is free differs."""
    scm = instrument(np.random.default_rng(10 + seed))
    parts = [ends(scm, f"P(y=b | do(x={v}), z=b)", SEE_BLIND) for v in "ab"]
    found = ends(scm, "CATE(x: a -> b; y=b | z=b)", SEE_BLIND)
    assert found.upper == pytest.approx(parts[1].upper - parts[0].lower, abs=SAME)
    assert found.lower == pytest.approx(parts[1].lower - parts[0].upper, abs=SAME)
    assert found.sharp
    checked(scm, "CATE(x: a -> b; y=b | z=b)", found, experiments=False)


@pytest.mark.parametrize("query", ["P(y[x=a]=b, z=b, x=b)", "P(y[x=a]=a, y[x=b]=b)"])
@pytest.mark.parametrize("seed", range(2))
def test_union_over_orders(seed, query):
    """With experiments the ends are the extremes over orders that fit, found a second way."""
    scm = instrument(np.random.default_rng(20 + seed))
    found = ends(scm, query, DO_BLIND)
    if "z=b" in query:

        def number(run):
            return run({"x": "a"})["y"] == "b" and run({}).items() >= {"z": "b", "x": "b"}.items()
    else:

        def number(run):
            return [run({"x": v})["y"] for v in "ab"] == ["a", "b"]

    lows, highs = [], []
    for order in permutations(scm.visible):
        parents = {name: order[:place] for place, name in enumerate(order)}
        naive = Naive(scm, order, parents, experiments=True)
        cost = naive.form(number)
        try:
            low, high = naive.ends(cost)
        except AssertionError:  # no law meets the experiments in this order
            continue
        lows.append(low)
        highs.append(high)
    assert (found.lower, found.upper) == pytest.approx((min(lows), max(highs)), abs=1e-8)
    assert found.sharp
    checked(scm, query, found, experiments=True)


def test_experiments_settle_effects():
    """What experiments show is a point without a diagram too, whatever the size."""
    rng = np.random.default_rng(4)
    edges = [("z", "x"), ("x", "m"), ("m", "y"), ("u", "x"), ("u", "y")]
    scm = draw(rng, {"u": 3, "z": 2, "x": 3, "m": 2, "y": 2}, edges)
    found = ends(scm, "ATE(x: a -> b; y=b)", DO_BLIND)
    exact = value(scm, "ATE(x: a -> b; y=b)")
    assert (found.lower, found.upper) == pytest.approx((exact, exact), abs=SAME)


def test_larger_worlds_get_sound_ends():
    """With four variables outer ends hold the witnesses' values, which differ."""
    rng = np.random.default_rng(5)
    edges = [("z", "x"), ("x", "m"), ("m", "y"), ("u", "x"), ("u", "y")]
    scm = draw(rng, {"u": 3, "z": 2, "x": 2, "m": 2, "y": 2}, edges)
    query = "PNS(x: a -> b; y=b)"
    found = ends(scm, query, DO_BLIND)
    assert found.lower <= found.inner_lower < found.inner_upper <= found.upper
    checked(scm, query, found, experiments=True)


def test_ternary_effect_on_the_treated():
    """A conditional over three values, without a diagram: sharp, and open."""
    scm = bow(np.random.default_rng(6), card=3)
    found = ends(scm, "ETT(x: a -> b; y=b)", DO_BLIND)
    assert found.sharp
    assert found.upper - found.lower > 0.05
    checked(scm, "ETT(x: a -> b; y=b)", found, experiments=True)


def test_two_variables_set_at_once():
    """Setting two variables leaves free what chose otherwise in either."""
    scm = instrument(np.random.default_rng(7))
    joint = law(scm, ["z", "x", "y"])
    found = ends(scm, "P(y=b | do(x=b, z=a))", SEE_BLIND)
    low = joint[0, 1, 1]
    assert (found.lower, found.upper) == pytest.approx((low, low + 1 - joint[0, 1].sum()))
    assert found.sharp


def test_nested_queries_keep_their_range():
    """A nested query of a larger world is held at least to what a probability may be."""
    rng = np.random.default_rng(8)
    edges = [("z", "x"), ("x", "m"), ("m", "y"), ("x", "y"), ("u", "m"), ("u", "y")]
    scm = draw(rng, {"u": 3, "z": 2, "x": 2, "m": 2, "y": 2}, edges)
    found = ends(scm, "P(y[x=b, m=m[x=a]]=b)", DO_BLIND)
    assert (found.lower, found.upper) == (0.0, 1.0)
    assert not found.sharp
    checked(scm, "P(y[x=b, m=m[x=a]]=b)", found, experiments=True)
