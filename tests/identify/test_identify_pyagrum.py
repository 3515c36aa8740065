"""Rung-2 verdicts and values against pyAgrum's causalImpact."""

from __future__ import annotations

import numpy as np
import pytest
from identify_builders import ground_of, random_diagram, random_effect, world_of
from peers import causal_model, impact, network
from witness_search import settles

import causalbench as cb
from causalbench.graph import Diagram
from causalbench.query import Query, parse
from causalbench.truth.identify.interventional import identify_effect
from causalbench.truth.knowledge import Knowledge
from causalbench.truth.permitted import Permitted

pytest.importorskip("pyagrum")

SHORTCUT = "No causal effect"


def compare(diagram, quantity, rng):
    """Return (verdict, value) of both, pyAgrum's explanation, and the truth or None."""
    scm = world_of(diagram, rng)
    permitted = Permitted(scm, Knowledge("see", "diagram"))
    estimand = identify_effect(permitted.ground, quantity)
    ours = estimand is not None, None if estimand is None else estimand.evaluate(permitted)
    built, exact = network(scm, diagram)
    found, value, why = impact(causal_model(built, diagram), quantity)
    truth = cb.truth(scm, Query(((1.0, quantity),))).value if exact else None
    return ours, (found, value), why, truth


def questions(seed, number, conditions):
    """Yield random diagrams with a question each."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        nodes = int(rng.integers(2, 7))
        diagram = random_diagram(rng, nodes, rng.choice([0.3, 0.5, 0.7]), rng.choice([0.15, 0.4]))
        yield diagram, random_effect(rng, diagram.nodes, conditions=conditions), rng


def test_effects_agree():
    """Without conditions: the same verdicts, the same values."""
    ours, theirs, left, right = [], [], [], []
    for diagram, quantity, rng in questions(0, 150, 0):
        mine, other, _, truth = compare(diagram, quantity, rng)
        ours.append(mine[0])
        theirs.append(other[0])
        if truth is not None and mine[0]:
            left.append(mine[1])
            right.append(other[1])
    assert ours == theirs
    assert len(left) > 50
    assert left == pytest.approx(right, abs=1e-9)


def test_conditional_effects_agree_but_for_a_shortcut():
    """With conditions pyAgrum's shortcut for "no causal effect" errs; elsewhere we agree."""
    compared = 0
    for diagram, quantity, rng in questions(1, 200, 2):
        mine, other, why, truth = compare(diagram, quantity, rng)
        if why.startswith(SHORTCUT) and quantity.given:
            continue
        compared += 1
        assert mine[0] == other[0]
        if truth is not None and mine[0]:
            assert mine[1] == pytest.approx(other[1], abs=1e-9)
    assert compared > 120


def test_where_the_shortcut_errs_the_truth_is_ours():
    """In v -> x -> y with x forced y says nothing of v; pyAgrum answers P(v | y)."""
    diagram = Diagram.parse("v -> x; x -> y")
    ((_, quantity),) = parse("P(v=0 | do(x=0), y=1)").terms
    mine, other, why, truth = compare(diagram, quantity, np.random.default_rng(0))
    assert why.startswith(SHORTCUT)
    assert mine[1] == pytest.approx(truth, abs=1e-12)
    assert abs(other[1] - truth) > 1e-3


def test_a_verdict_that_the_shortcut_gets_wrong():
    """Not identified, for two worlds show it; pyAgrum says that v0 does not matter."""
    diagram = Diagram.parse("v0 -> v1; v1 -> v2; v0 <-> v1; v0 <-> v2")
    ((_, quantity),) = parse("P(v2=1 | do(v0=0), v1=0)").terms
    assert identify_effect(ground_of(diagram), quantity) is None
    assert not settles(diagram, [()], quantity, np.random.default_rng(0))
    assert compare(diagram, quantity, np.random.default_rng(0))[1][0]
