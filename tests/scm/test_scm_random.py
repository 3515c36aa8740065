"""Random families: what is promised of every draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalbench.errors import WorldError
from causalbench.rng import generator
from causalbench.scm import random_linear, random_scm


def test_digest_is_golden():
    """The same seed gives the same bytes on every machine."""
    found = random_scm(rng=generator(0, "golden")).digest
    assert found == "a2ff07771b971a04d38219124ae28abd51d33ceae574dd8ce95b32071f14a4cf"


def test_linear_digest_is_golden():
    """The same seed gives the same linear model on every machine."""
    found = random_linear(rng=generator(0, "golden"), hidden=1).digest
    assert found == "83921cf01d789dea032f31d013b3b3093ad6759ba3017877234943f16cc7568d"


@given(st.integers(0, 2**32 - 1), st.integers(3, 7), st.integers(0, 2), st.sampled_from([2, 3]))
@settings(max_examples=100, deadline=None)
def test_promises(seed, n, hidden, max_parents):
    """CPTs lie on the grid above the minimum; confounders are roots with two children or more."""
    world = random_scm(
        rng=generator(seed, "random"), n=n, cards=(2, 4), hidden=hidden, max_parents=max_parents
    )
    assert world.visible == tuple(f"v{i + 1}" for i in range(n))
    assert len(world.hidden) == hidden
    for name in world.names:
        card = world.variable(name).cardinality
        grid = world.mechanism(name).cpt(card) * 1024
        assert np.abs(grid - np.round(grid)).max() < 1e-10
        assert grid.min() >= 16 - 1e-10
        assert len(world.parents(name)) <= max_parents
    for name in world.hidden:
        assert world.parents(name) == ()
        assert world.variable(name).cardinality in {2, 3}
        assert 2 <= len(world.full_diagram.children(name)) <= 3


def test_names_tell_nothing_of_the_causal_order():
    """Over a hundred draws each of two names is upstream at least 20 times."""
    worlds = [random_scm(rng=generator(0, "order", i), n=2, edge=1.0) for i in range(100)]
    first = sum("v1" in world.parents("v2") for world in worlds)
    assert 20 <= first <= 80


def test_given_names_are_used():
    """Names can be given, and a hidden name steps aside."""
    world = random_scm(rng=generator(0, "n"), n=3, hidden=1, names=["rain", "h1", "wet"])
    assert world.visible == ("rain", "h1", "wet")
    assert world.hidden == ("h1_",)


def test_a_coupling_can_be_asked_for():
    """With "monotone" every table rises with the noise."""
    world = random_scm(rng=generator(0, "m"), n=5, coupling="monotone")
    for name in world.names:
        assert (np.diff(world.mechanism(name).table, axis=0) >= 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 1, "hidden": 1}, "no two variables have room"),
        ({"n": 4, "hidden": 3, "max_parents": 1}, "no two variables have room"),
        ({"n": 2, "names": ["a"]}, "1 names for n=2"),
        ({"n": 0}, "n=0"),
    ],
)
def test_impossible_families_are_refused(options, message):
    """A family that can't be drawn is refused with advice."""
    with pytest.raises(WorldError, match=message):
        random_scm(rng=generator(0, "bad"), **options)


def test_linear_parameters_lie_on_the_grid():
    """Weights keep away from zero, and all parameters are multiples of 1/1024."""
    world = random_linear(rng=generator(1, "linear"), n=6, hidden=2)
    assert world.is_linear
    for name in world.names:
        mechanism = world.mechanism(name)
        found = np.array([*mechanism.weights, mechanism.intercept, mechanism.std]) * 1024
        assert found.tolist() == np.round(found).tolist()
        assert all(0.25 <= abs(w) <= 1.5 for w in mechanism.weights)
