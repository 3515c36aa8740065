"""Closed forms: each equals its program on random data, and the figures in print."""

from __future__ import annotations

import numpy as np
import pytest
from bounds_builders import DO, DO_BLIND, SEE, SEE_BLIND, bow, draw, ends, instrument

from causalbench.errors import ZeroProbabilityError
from causalbench.truth import law
from causalbench.truth.bounds.closed import (
    instrument_ate,
    instrument_effect,
    necessity,
    necessity_and_sufficiency,
    no_diagram,
    sufficiency,
)

SAME = 1e-9


def interval(scm, query, knowledge):
    """Return the program's ends."""
    found = ends(scm, query, knowledge)
    assert found.sharp
    return pytest.approx((found.lower, found.upper), abs=SAME)


@pytest.mark.parametrize("seed", range(30))
def test_instrument(seed):
    """The instrument's bounds on the effect and on each arm equal the program's."""
    scm = instrument(np.random.default_rng(seed))
    table = law(scm, ["z", "x", "y"])
    given = table / table.sum(axis=(1, 2), keepdims=True)
    assert instrument_ate(given) == interval(scm, "ATE(x: a -> b; y=b)", SEE)
    assert instrument_effect(given, 0) == interval(scm, "P(y=b | do(x=a))", SEE)
    assert instrument_effect(given, 1) == interval(scm, "P(y=b | do(x=b))", SEE)


@pytest.mark.parametrize("knowledge", [DO, DO_BLIND])
@pytest.mark.parametrize("seed", range(8))
def test_probabilities_of_causation(seed, knowledge):
    """Tian and Pearl's bounds equal the programs, with the diagram of a bow or without any."""
    scm = bow(np.random.default_rng(100 + seed))
    table = law(scm, ["x", "y"])
    effects = tuple(float(law(scm, ["y"], {"x": label})[1]) for label in "ab")
    named = {"PNS": necessity_and_sufficiency, "PN": necessity, "PS": sufficiency}
    for name, formula in named.items():
        assert formula(table, effects) == interval(scm, f"{name}(x: a -> b; y=b)", knowledge)


@pytest.mark.parametrize("seed", range(5))
def test_causation_from_seeing_alone(seed):
    """PNS from what is seen alone equals the program."""
    scm = bow(np.random.default_rng(200 + seed))
    found = necessity_and_sufficiency(law(scm, ["x", "y"]))
    assert found == interval(scm, "PNS(x: a -> b; y=b)", SEE)


@pytest.mark.parametrize("seed", range(5))
def test_no_diagram(seed):
    """Bounds without a diagram equal the program, for events of several values too."""
    rng = np.random.default_rng(300 + seed)
    edges = [("u", "x"), ("u", "y"), ("z", "y"), ("x", "y")]
    scm = draw(rng, {"u": 4, "z": 2, "x": 3, "y": 3}, edges)
    table = law(scm, ["x", "y", "z"])
    chosen = float(table[1].sum())
    plain = no_diagram(float(table[1, 1:].sum()), chosen, chosen)
    assert plain == interval(scm, "P(y!=a | do(x=b))", SEE_BLIND)
    given = no_diagram(float(table[1, 1:, 0].sum()), float(table[1, :, 0].sum()), chosen)
    assert given == interval(scm, "P(y!=a | do(x=b), z=a)", SEE_BLIND)


def test_experiments_alone():
    """Vaccine figures: PNS in [.20, .57] over sixty, in [.10, .55] for the young.

    Source: the figures of Mueller, Li and Pearl (2021), from experiments alone.
    """
    assert necessity_and_sufficiency(effects=(0.37, 0.57)) == pytest.approx((0.20, 0.57))
    assert necessity_and_sufficiency(effects=(0.45, 0.55)) == pytest.approx((0.10, 0.55))


def test_women_and_men():
    """Which patients: PNS is .279 for the women and .49 for the men, each a point.

    Source: Mueller and Pearl (2023), Personalized decision making.
    """
    women = np.array([[0.3 * 0.3, 0.3 * 0.7], [0.7 * 0.73, 0.7 * 0.27]])
    assert necessity_and_sufficiency(women, (0.21, 0.489)) == pytest.approx((0.279, 0.279))
    men = np.array([[0.3 * 0.3, 0.3 * 0.7], [0.7 * 0.3, 0.7 * 0.7]])
    assert necessity_and_sufficiency(men, (0.21, 0.49)) == pytest.approx((0.49, 0.49))


def test_condition_that_never_happens():
    """A condition of probability zero is refused."""
    table = np.array([[0.5, 0.5], [0.0, 0.0]])
    with pytest.raises(ZeroProbabilityError, match="never happens"):
        necessity(table, (0.5, 0.5))
    with pytest.raises(ZeroProbabilityError, match="never happens"):
        no_diagram(0.0, 0.0, 1.0)
