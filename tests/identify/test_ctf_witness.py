"""Verdicts of counterfactual identification against numbers that know nothing of its theory."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from ctf_builders import numeric_search, random_counterfactual
from identify_builders import ground_of, random_diagram

from causalbench.errors import ZeroProbabilityError
from causalbench.graph import Diagram
from causalbench.query import Vocabulary, parse
from causalbench.truth.identify.counterfactual import identify_counterfactual

# Families with few hidden states settle more than all worlds do (an instrument with as many values
# as its confounder has states, say); these are enough for the diagrams drawn here.
STATES = 4


def constant(search, rng):
    """Tell whether the question has one answer in every world, as P(x=1 | x=1) has."""
    answer, _ = search.query(search.family.draw(rng))
    return abs(answer - round(answer)) < 1e-9


@pytest.mark.parametrize(
    ("nodes", "card", "diagrams", "seed"), [(3, 2, 200, 21), (4, 2, 80, 22), (3, 3, 60, 23)]
)
def test_verdicts_equal_those_of_numeric_search(nodes, card, diagrams, seed):
    """Identified is settled numerically, and not identified is not, from all sorts of knowledge."""
    rng = np.random.default_rng(seed)
    verdicts = Counter()
    while diagrams:
        diagram = random_diagram(rng, nodes, edge=0.6, bow=0.35)
        # A response type of two parents with three values each would be one of 3^9.
        most = max(len(diagram.parents(name)) for name in diagram.nodes)
        if most > 4 - card or len(diagram.bidirected) > 3:
            continue
        diagrams -= 1
        for _ in range(4):
            some = rng.choice(diagram.nodes, size=nodes // 2, replace=False).tolist()
            ground = ground_of(
                diagram, manipulable=[(), diagram.nodes, some][rng.integers(3)], card=card
            )
            quantity = random_counterfactual(rng, diagram, ground.labels, nested=0.2)
            try:
                found = identify_counterfactual(ground, quantity)
            except ZeroProbabilityError:
                continue
            if found is not None and rng.random() < 0.6:
                continue  # most are identified; the others are of more interest
            search = numeric_search(ground, quantity, states=STATES)
            if constant(search, rng):
                verdicts["constant", found is not None] += 1
                continue
            settled = search.settled(rng, tries=2)
            assert settled == (found is not None), (str(diagram), quantity, ground.manipulable)
            verdicts[settled] += 1
    assert verdicts[False] > 20
    assert verdicts[True] > 40


@pytest.mark.parametrize("edges", ["z -> x; z -> y; x -> y", "x -> m -> y; x <-> y"])
@pytest.mark.parametrize("name", ["PNS", "PN", "PS"])
@pytest.mark.parametrize("manipulable", [(), ("x",), ("x", "y", "z", "m")])
def test_probabilities_of_causation_are_not_settled(edges, name, manipulable):
    """Back-door and front-door graphs fix the effect of x, not what it does to one unit."""
    diagram = Diagram.parse(edges)
    ground = ground_of(diagram, manipulable=set(manipulable) & set(diagram.nodes))
    vocabulary = Vocabulary(dict(ground.labels))
    ((_, quantity),) = parse(f"{name}(x: 0 -> 1; y=1)", vocabulary).terms
    assert identify_counterfactual(ground, quantity) is None
    search = numeric_search(ground, quantity, states=2)
    assert not search.settled(np.random.default_rng(9), tries=1)


def test_an_unidentified_question_has_a_second_world():
    """Newton steps along the null direction reach equal laws and another effect on the treated."""
    diagram = Diagram.parse("x -> y; x <-> y")
    ground = ground_of(diagram)
    ((_, quantity),) = parse("P(y[x=0]=1 | x=1)", Vocabulary(dict(ground.labels))).terms
    assert identify_counterfactual(ground, quantity) is None
    rng = np.random.default_rng(5)
    search = numeric_search(ground, quantity, states=STATES)
    here = search.family.draw(rng)
    there = search.witness(here)
    assert abs(search.query(there)[0] - search.query(here)[0]) > 1e-3
    assert np.abs(search.laws(there)[0] - search.laws(here)[0]).max() < 1e-11


@pytest.mark.parametrize(
    ("edges", "text", "manipulable"),
    [
        # What ctf-ID leaves to consistency, all with two values of x.
        ("x -> y; x <-> y", "P(y[x=0]=1 | x=1)", "x"),
        ("x -> y; x <-> y", "P(y[x=0]=1, x=1, y[x=0]=1)", "x"),
        ("z -> x -> y; x <-> y", "P(y[x=0]=1, x=1 | z=1)", "x"),
        ("x -> m -> y; x <-> m; m <-> y", "P(m[x=0]=1 | x=1)", "xm"),
        ("x -> y; x <-> y; y -> w", "P(w[x=0]=1 | x=1)", "x"),
    ],
)
def test_what_consistency_adds(edges, text, manipulable):
    """Each is settled numerically, and found by the one rule that depends on cardinality."""
    diagram = Diagram.parse(edges)
    ground = ground_of(diagram, manipulable=tuple(manipulable))
    ((_, quantity),) = parse(text, Vocabulary(dict(ground.labels))).terms
    rng = np.random.default_rng(6)
    assert numeric_search(ground, quantity, states=STATES).settled(rng)
    found = identify_counterfactual(ground, quantity)
    assert found is not None
    assert found[1].endswith("consistency")
    wider = ground_of(diagram, manipulable=tuple(manipulable), card=3)
    assert identify_counterfactual(wider, quantity) is None
