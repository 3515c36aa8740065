"""Laws that hold for every model, by Hypothesis on random ones."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from causalbench.rng import generator, permutation
from causalbench.scm import SCM, random_linear, random_scm

SETTINGS = settings(max_examples=60, deadline=None)


@st.composite
def worlds(draw):
    """Draw a discrete model with a confounder or none."""
    seed = draw(st.integers(0, 2**32 - 1))
    n = draw(st.integers(2, 5))
    return random_scm(
        rng=generator(seed, "laws"), n=n, cards=(2, 3), hidden=draw(st.integers(0, 1))
    )


@st.composite
def settings_of(draw, world):
    """Draw an intervention on one variable."""
    name = draw(st.sampled_from(world.names))
    return name, draw(st.sampled_from(world.variable(name).labels))


@given(worlds(), st.data())
@SETTINGS
def test_effectiveness(world, data):
    """Under do(x=a), x is a in every unit."""
    name, label = data.draw(settings_of(world))
    unit = world.draw_noise(20, rng=generator(0, "unit"))
    found = world.solve(unit, {name: label})[name]
    assert np.unique(found).tolist() == [world.variable(name).code(label)]


@given(worlds(), st.data())
@SETTINGS
def test_composition(world, data):
    """Forcing a variable to the value it has anyway changes nothing."""
    name, label = data.draw(settings_of(world))
    other = data.draw(st.sampled_from([v for v in world.names if v != name]))
    unit = world.draw_noise(50, rng=generator(0, "unit"))
    first = world.solve(unit, {name: label})
    second = world.solve(unit, {name: label, other: first[other]})
    assert all((first[v] == second[v]).all() for v in world.names)


@given(worlds(), st.data())
@SETTINGS
def test_non_descendants_stay(world, data):
    """An intervention changes no unit's non-descendants."""
    name, label = data.draw(settings_of(world))
    unit = world.draw_noise(50, rng=generator(0, "unit"))
    free, forced = world.solve(unit), world.solve(unit, {name: label})
    stay = set(world.names) - world.full_diagram.descendants(name)
    assert all((free[v] == forced[v]).all() for v in stay)


@given(worlds(), st.data())
@SETTINGS
def test_last_intervention_wins(world, data):
    """w.do(x=a).do(x=b) equals w.do(x=b)."""
    name, label = data.draw(settings_of(world))
    first = world.variable(name).labels[0]
    assert world.do({name: first}).do({name: label}) == world.do({name: label})


@given(worlds())
@SETTINGS
def test_empty_intervention_is_nothing(world):
    """w.do() equals w."""
    assert world.do() == world
    assert world.do({}) == world


@given(worlds(), st.data())
@SETTINGS
def test_interventions_commute(world, data):
    """Interventions on two variables can be done in either order, or at once."""
    first = data.draw(settings_of(world))
    second = data.draw(settings_of(world))
    if first[0] == second[0]:
        return
    there = world.do(dict([first])).do(dict([second]))
    assert there == world.do(dict([second])).do(dict([first])) == world.do(dict([first, second]))


@given(worlds())
@SETTINGS
def test_json_reads_back(world):
    """A model equals what its JSON text gives."""
    assert SCM.from_dict(json.loads(json.dumps(world.to_dict()))) == world


@given(st.integers(0, 2**32 - 1))
@SETTINGS
def test_linear_json_reads_back(seed):
    """A linear model equals what its JSON text gives."""
    world = random_linear(rng=generator(seed, "laws"), n=4, hidden=1)
    assert SCM.from_dict(json.loads(json.dumps(world.to_dict()))) == world


@given(worlds(), st.integers(0, 1000))
@SETTINGS
def test_digest_ignores_key_order(world, seed):
    """Keys in any order, at every level, give the same digest and hash."""
    rng = generator(seed, "keys")

    def shuffled(data):
        if not isinstance(data, dict):
            return data
        keys = list(data)
        return {keys[i]: shuffled(data[keys[i]]) for i in permutation(rng, len(keys))}

    turned = SCM.from_dict(shuffled(world.to_dict()))
    assert turned.digest == world.digest
    assert hash(turned) == hash(world)


@given(worlds(), st.data())
@SETTINGS
def test_digest_tells_models_apart(world, data):
    """An intervention on a variable that was not constant changes the digest."""
    name, label = data.draw(settings_of(world))
    cpt = world.cpt(name)
    assert cpt.max() < 1
    assert world.do({name: label}).digest != world.digest


@given(st.integers(0, 2**32 - 1))
@SETTINGS
def test_linear_composition(seed):
    """The laws of units hold for linear models: a value forced to itself changes nothing."""
    world = random_linear(rng=generator(seed, "laws"), n=4, hidden=1)
    unit = world.draw_noise(10, rng=generator(0, "unit"))
    free = world.solve(unit)
    for name in world.names:
        again = world.solve(unit, {name: free[name]})
        assert all((free[v] == again[v]).all() for v in world.names)
