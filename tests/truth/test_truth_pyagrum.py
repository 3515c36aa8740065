"""The engine against pyAgrum: networks for see and do, an explicit twin network for imagine.

pyAgrum's own counterfactual function is wrong where evidence couples the noise, so the twin network
is built here, with every noise variable as a node.
"""

from __future__ import annotations

import numpy as np
import pytest
from truth_builders import random_world

from causalbench.query import Atom, Probability, Query, Term
from causalbench.truth import law, value

gum = pytest.importorskip("pyagrum")


def network(nodes):
    """Build a network from name -> (parents, float64[*parent cards, card])."""
    built = gum.BayesNet()
    for name, (_, array) in nodes.items():
        built.add(gum.LabelizedVariable(name, name, array.shape[-1]))
    for name, (parents, array) in nodes.items():
        for parent in parents:
            built.addArc(parent, name)
        for index in np.ndindex(array.shape[:-1]):
            at = dict(zip(parents, map(int, index), strict=True))
            built.cpt(name)[at] = array[index].tolist()
    return built


def posterior(nodes, target, evidence):
    """Return P(target | evidence) by lazy propagation; evidence by code."""
    engine = gum.LazyPropagation(network(nodes))
    engine.setEvidence(evidence)
    engine.makeInference()
    return engine.posterior(target).toarray()


def one_hot(codes, card):
    """Return the indicator of a table of codes."""
    return (codes[..., None] == np.arange(card)).astype(float)


def cpts(scm, forced):
    """Return the nodes of a network, mutilated where variables are forced."""
    nodes = {}
    for name in scm.order:
        card = scm.variable(name).cardinality
        if name in forced:
            nodes[name] = ((), one_hot(np.array(forced[name]), card))
        else:
            mechanism = scm.mechanism(name)
            table = np.einsum("s,s...->...", mechanism.noise, one_hot(mechanism.table, card))
            nodes[name] = (mechanism.parents, table)
    return nodes


def twin(scm, worlds):
    """Return the nodes of parallel worlds over shared noise nodes; a world is its forced codes."""
    nodes = {f"noise_{name}": ((), scm.mechanism(name).noise) for name in scm.order}
    for number, forced in enumerate(worlds):
        for name in scm.order:
            card, mechanism = scm.variable(name).cardinality, scm.mechanism(name)
            here = f"{name}_{number}"
            if name in forced:
                nodes[here] = ((), one_hot(np.array(forced[name]), card))
            else:
                parents = (f"noise_{name}", *(f"{p}_{number}" for p in mechanism.parents))
                nodes[here] = (parents, one_hot(mechanism.table, card))
    return nodes


def draw_question(rng, scm, worlds):
    """Draw a target, forced values per world, and evidence that a drawn unit shows."""
    names = list(scm.names)
    forced = []
    for _ in range(worlds):
        chosen = rng.choice(names, size=int(rng.integers(0, 3)), replace=False)
        forced.append({str(n): int(rng.integers(scm.variable(n).cardinality)) for n in chosen})
    units = scm.draw_noise(1, rng=rng)
    evidence = {}
    for number in range(worlds):
        codes = scm.solve(units, forced[number])
        for name in rng.choice(names, size=int(rng.integers(0, 3)), replace=False):
            evidence[str(name), number] = int(np.ravel(codes[name])[0])
    return str(rng.choice(names)), int(rng.integers(worlds)), forced, evidence


def ours(scm, target, number, forced, evidence):
    """Return the engine's posterior over the target's codes."""

    def term(name, world):
        items = sorted(forced[world].items())
        return Term(name, tuple((n, scm.variable(n).label(c)) for n, c in items))

    given = tuple(
        Atom(term(n, w), "=", scm.variable(n).label(code)) for (n, w), code in evidence.items()
    )
    return [
        value(
            scm,
            Query(((1.0, Probability((Atom(term(target, number), "=", label),), given)),)),
        )
        for label in scm.variable(target).values
    ]


@pytest.mark.parametrize("seed", range(15))
def test_see_and_do_agree_with_pyagrum(seed):
    """One world, forced or not, with evidence in it: lazy propagation agrees to 1e-9."""
    rng = np.random.default_rng([seed, 10])
    scm = random_world(rng, n=6, hidden=2)
    for _ in range(4):
        target, _, forced, evidence = draw_question(rng, scm, 1)
        codes = {name: code for (name, _), code in evidence.items()}
        expected = posterior(cpts(scm, forced[0]), target, codes)
        assert expected == pytest.approx(ours(scm, target, 0, forced, evidence), abs=1e-9)


@pytest.mark.parametrize("worlds", [2, 3])
@pytest.mark.parametrize("seed", range(10))
def test_imagine_agrees_with_an_explicit_twin_network(seed, worlds):
    """Two or three worlds with evidence in any: the twin network agrees to 1e-9."""
    rng = np.random.default_rng([seed, worlds, 11])
    scm = random_world(rng, n=5, hidden=1)
    for _ in range(3):
        target, number, forced, evidence = draw_question(rng, scm, worlds)
        codes = {f"{name}_{world}": code for (name, world), code in evidence.items()}
        expected = posterior(twin(scm, forced), f"{target}_{number}", codes)
        assert expected == pytest.approx(ours(scm, target, number, forced, evidence), abs=1e-9)


def test_joint_law_agrees_with_pyagrum():
    """The joint law of a world is the product of its network's tables."""
    scm = random_world(np.random.default_rng(12), n=5)
    built = network(cpts(scm, {}))
    joint = gum.Tensor(built.cpt(scm.order[0]))
    for name in scm.order[1:]:
        joint = joint * built.cpt(name)
    actual = law(scm, scm.order)
    for index in np.ndindex(actual.shape):
        at = dict(zip(scm.order, map(int, index), strict=True))
        assert joint[at] == pytest.approx(actual[index], abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_larger_worlds_agree_with_pyagrum(seed):
    """Eighteen variables, far beyond brute force, two worlds: agreement to 1e-9."""
    rng = np.random.default_rng([seed, 13])
    scm = random_world(rng, n=18, hidden=3, cards=(2, 3))
    for _ in range(3):
        target, number, forced, evidence = draw_question(rng, scm, 2)
        codes = {f"{name}_{world}": code for (name, world), code in evidence.items()}
        expected = posterior(twin(scm, forced), f"{target}_{number}", codes)
        assert expected == pytest.approx(ours(scm, target, number, forced, evidence), abs=1e-9)
