"""Exchange with pgmpy and dowhy, against their own engines."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from causalbench.errors import WorldError
from causalbench.rng import generator
from causalbench.scm import SCM, random_linear, random_scm

# Other packages' warnings are theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("seed", range(4))
def test_pgmpy_and_back(seed):
    """CPTs, labels, diagram and hiddenness go to pgmpy and come back."""
    world = random_scm(rng=generator(seed, "pgmpy"), n=4, cards=(2, 3), hidden=1)
    model = world.to_pgmpy()
    assert model.check_model()
    found = SCM.from_pgmpy(model)
    assert found.full_diagram == world.full_diagram
    assert found.hidden == world.hidden
    assert not found.couplings_known
    for name in world.names:
        turn = [found.parents(name).index(parent) for parent in world.parents(name)]
        mine = found.cpt(name).transpose([*turn, len(turn)])
        assert np.abs(mine - world.cpt(name)).max() < 1e-14


def test_pgmpy_computes_our_probabilities(umbrella):
    """Pgmpy's own inference finds the published P(rain | seed=yes) = .80."""
    from pgmpy.inference import VariableElimination

    engine = VariableElimination(umbrella.to_pgmpy())
    found = engine.query(["rain"], evidence={"seed": "yes"}, show_progress=False)
    expected = (0.8 * 0.05 * 0.35 + 0.2 * 0.9 * 0.9) / (0.8 * 0.05 + 0.2 * 0.9)
    assert found.get_value(rain="yes") == pytest.approx(expected, abs=1e-12)


def test_pgmpy_orders_of_values_are_matched():
    """A CPD that lists a parent's values in another order means the same."""
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.models import DiscreteBayesianNetwork

    model = DiscreteBayesianNetwork([("a", "b")])
    names = {"a": ["n", "y"]}
    model.add_cpds(
        TabularCPD("a", 2, [[0.25], [0.75]], state_names=names),
        TabularCPD("b", 2, [[1, 0], [0, 1]], ["a"], [2], {"a": ["y", "n"], "b": [0, 1]}),
    )
    found = SCM.from_pgmpy(model, hidden=["a"])
    assert found.cpt("b").tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert found.variable("b").labels == ("0", "1")
    assert found.hidden == ("a",)


def test_pgmpy_models_without_tables_are_refused():
    """A node without a CPD, a hidden stranger and another kind of object are named."""
    from pgmpy.models import DiscreteBayesianNetwork

    model = DiscreteBayesianNetwork([("a", "b")])
    with pytest.raises(WorldError, match="'a' has no table"):
        SCM.from_pgmpy(model)
    with pytest.raises(WorldError, match="the hidden 'c' is no node"):
        SCM.from_pgmpy(model, hidden=["c"])
    with pytest.raises(WorldError, match="reads a DiscreteBayesianNetwork, not a int"):
        SCM.from_pgmpy(3)


def test_rounded_pgmpy_tables_are_mended_on_request_only():
    """A row that sums to .999 is refused by its place, or divided with a warning."""
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.models import DiscreteBayesianNetwork

    model = DiscreteBayesianNetwork()
    model.add_nodes_from(["a"])
    model.add_cpds(TabularCPD("a", 2, [[0.25], [0.749]]))
    with pytest.raises(WorldError, match=r"mechanism of 'a': cpt: the .* sum to 0\.999"):
        SCM.from_pgmpy(model)
    with pytest.warns(UserWarning, match="1 rows of the network"):
        found = SCM.from_pgmpy(model, renormalise=True)
    assert found.cpt("a")[0] == pytest.approx(0.25 / 0.999, abs=1e-15)


def test_linear_models_have_no_pgmpy_form():
    """Pgmpy's discrete networks hold no real variables."""
    with pytest.raises(WorldError, match="linear-Gaussian"):
        random_linear(rng=generator(0, "x")).to_pgmpy()


def test_dowhy_and_back_discrete(umbrella):
    """A discrete model comes back from dowhy unchanged, couplings and all."""
    assert SCM.from_dowhy(umbrella.to_dowhy()) == umbrella


@pytest.mark.parametrize("seed", range(4))
def test_dowhy_and_back_linear(seed):
    """A linear model comes back from dowhy unchanged."""
    world = random_linear(rng=generator(seed, "dowhy"), n=4, hidden=1)
    assert SCM.from_dowhy(world.to_dowhy()) == world


@pytest.mark.parametrize("seed", range(3))
def test_dowhy_finds_our_counterfactuals(seed):
    """Dowhy's abduction, action and prediction give what solve gives, unit by unit."""
    from dowhy import gcm

    world = random_linear(rng=generator(seed, "dowhy"), n=4, hidden=1)
    unit = world.draw_noise(50, rng=generator(seed, "units"))
    name = world.order[1]
    expected = world.solve(unit, {name: 1.5})
    seen = pd.DataFrame(world.solve(unit))
    found = gcm.counterfactual_samples(world.to_dowhy(), {name: lambda _: 1.5}, observed_data=seen)
    for other in world.names:
        assert np.abs(found[other] - expected[other]).max() < 1e-9


def test_dowhy_noise_codes_give_our_units(umbrella):
    """With our noise codes as noise data, dowhy's discrete counterfactuals are ours."""
    from dowhy import gcm

    unit = umbrella.draw_noise(200, rng=generator(0, "units"))
    free = umbrella.solve(unit)
    noise = pd.DataFrame(unit).astype(object)
    noise["season"] = np.array(umbrella.variable("season").labels)[free["season"]]
    found = gcm.counterfactual_samples(
        umbrella.to_dowhy(), {"seed": lambda _: "yes"}, noise_data=noise
    )
    expected = umbrella.solve(unit, {"seed": "yes"})
    for name in umbrella.names:
        labels = np.array(umbrella.variable(name).labels, dtype=object)
        assert found[name].tolist() == labels[expected[name]].tolist()


def test_dowhy_draws_our_law(umbrella):
    """Samples that dowhy draws under do(seed=yes) rain in .46 of cases."""
    from dowhy import gcm
    from dowhy.gcm.util.general import set_random_seed

    n = 20_000
    set_random_seed(0)
    found = gcm.interventional_samples(
        umbrella.to_dowhy(), {"seed": lambda _: "yes"}, num_samples_to_draw=n
    )
    bound = math.sqrt(math.log(2 / 1e-9) / (2 * n))
    assert abs((found["rain"] == "yes").mean() - 0.46) < bound


def test_fitted_dowhy_models_are_read():
    """A linear model fitted by dowhy is read as fitted: weights, intercept and noise."""
    from dowhy import gcm

    world = random_linear(rng=generator(2, "dowhy"), n=3)
    data = world.sample(2000, rng=generator(0, "rows"))
    model = gcm.InvertibleStructuralCausalModel(nx.DiGraph(world.to_networkx().edges))
    model.graph.add_nodes_from(world.names)
    for name in world.names:
        normal = gcm.ScipyDistribution(stats.norm)
        regression = gcm.AdditiveNoiseModel(gcm.ml.create_linear_regressor(), normal)
        model.set_causal_mechanism(name, regression if world.parents(name) else normal)
    gcm.fit(model, data)
    found = SCM.from_dowhy(model)
    for name in world.names:
        ours, theirs = world.mechanism(name), found.mechanism(name)
        # Least squares with 2,000 rows: standard errors here are below .05.
        assert theirs.parents == ours.parents
        assert theirs.weights == pytest.approx(ours.weights, abs=0.3)
        assert theirs.std == pytest.approx(ours.std, rel=0.2)


def test_dowhy_mechanisms_without_closed_form_are_refused():
    """What can't be converted is named, never sampled and refitted."""
    from dowhy import gcm

    model = gcm.StructuralCausalModel(nx.DiGraph([("a", "b")]))
    model.set_causal_mechanism("a", gcm.EmpiricalDistribution())
    with pytest.raises(WorldError, match="'a' has the mechanism EmpiricalDistribution"):
        SCM.from_dowhy(model)
    model.set_causal_mechanism("a", gcm.ScipyDistribution(stats.norm, loc=0, scale=1))
    model.set_causal_mechanism("b", gcm.ClassifierFCM())
    with pytest.raises(WorldError, match="'b' has the mechanism ClassifierFCM"):
        SCM.from_dowhy(model)
    boosted = gcm.ml.create_hist_gradient_boost_regressor()
    model.set_causal_mechanism("b", gcm.AdditiveNoiseModel(boosted))
    with pytest.raises(WorldError, match="not a fitted linear regression"):
        SCM.from_dowhy(model)
    model.set_causal_mechanism("a", gcm.ScipyDistribution(stats.uniform, loc=0, scale=1))
    with pytest.raises(WorldError, match="not a normal"):
        SCM.from_dowhy(model)
    with pytest.raises(WorldError, match=r"reads a dowhy\.gcm causal model, not a str"):
        SCM.from_dowhy("model")


def test_dowhy_nodes_without_mechanism_are_refused():
    """A node that was given no mechanism is named."""
    from dowhy import gcm

    with pytest.raises(WorldError, match="'a' has the mechanism NoneType"):
        SCM.from_dowhy(gcm.StructuralCausalModel(nx.DiGraph([("a", "b")])))
