"""The compiled engine against brute force, and against the einsum engine's joint tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracle import brute
from truth_builders import random_atom, random_query, random_term, random_world

from causalbench.errors import ZeroProbabilityError
from causalbench.query import Atom, Expectation, Probability, Query, Term
from causalbench.truth import table, truth_many, value


def asked(quantity):
    """Ask for one quantity."""
    return Query(((1.0, quantity),))


def draw_worlds_query(rng, scm, worlds):
    """Draw P(event | evidence) whose atoms come from a few worlds, each at least once."""
    names = list(scm.names)
    subscripts = [()]
    for _ in range(worlds - 1):
        size = int(rng.integers(1, 3))
        chosen = sorted(rng.choice(names, size=size, replace=False).tolist())
        subscripts.append(tuple((n, str(rng.choice(scm.variable(n).values))) for n in chosen))
    atoms = []
    for subscript in subscripts + subscripts[:1]:
        name = str(rng.choice(names))
        atoms.append(Atom(Term(name, subscript), "=", str(rng.choice(scm.variable(name).values))))
    cut = int(rng.integers(1, len(atoms)))
    return asked(Probability(tuple(atoms[:cut]), tuple(atoms[cut:])))


@pytest.mark.parametrize("worlds", [1, 2, 3, 4])
def test_evidence_in_several_worlds(worlds):
    """One to four worlds, with evidence in any of them: agreement to 1e-12."""
    rng = np.random.default_rng([worlds, 31])
    answered = 0
    for _ in range(60 * worlds):
        scm = random_world(rng, n=int(rng.integers(2, 6)), hidden=1)
        query = draw_worlds_query(rng, scm, worlds)
        expected = brute(scm, query)
        if expected is None:
            with pytest.raises(ZeroProbabilityError):
                value(scm, query)
        else:
            answered += 1
            assert expected == pytest.approx(value(scm, query), abs=1e-12)
            assert 0.0 <= value(scm, query) <= 1.0
            assert (value(scm, query) == 0.0) == (expected == 0.0)
    assert answered >= 30


def test_a_batch_agrees_with_brute_force():
    """Hundreds of worlds and queries in one call; impossible conditions are NaN."""
    rng = np.random.default_rng(32)
    worlds = [random_world(rng, n=int(rng.integers(1, 6))) for _ in range(400)]
    queries = [random_query(rng, scm) for scm in worlds]
    expected = [brute(s, q) for s, q in zip(worlds, queries, strict=True)]
    actual = truth_many(worlds, queries, errors="nan")
    wanted = [math.nan if x is None else x for x in expected]
    assert wanted == pytest.approx(actual.tolist(), abs=1e-12, nan_ok=True)
    assert sum(x is not None for x in expected) >= 200


@pytest.mark.parametrize("seed", range(6))
def test_values_agree_with_the_einsum_engine(seed):
    """Ten variables, where brute force is too slow: the joint table gives the same number."""
    rng = np.random.default_rng([seed, 33])
    scm = random_world(rng, n=10, hidden=2, cards=(2, 3, 4))
    answered = 0
    for _ in range(25):
        term = random_term(rng, scm)
        given = tuple(random_atom(rng, scm) for _ in range(int(rng.integers(0, 4))))
        cells = table(scm, [term], given)
        if cells.sum() <= 0.0:
            with pytest.raises(ZeroProbabilityError):
                value(scm, asked(Expectation(term, given)))
            continue
        variable = scm.variable(term.variable)
        mean = float(np.dot(variable.numbers, cells) / cells.sum())
        assert mean == pytest.approx(value(scm, asked(Expectation(term, given))), abs=1e-12)
        for code, label in enumerate(variable.values):
            event = (Atom(term, "=", label),)
            expected = float(cells[code] / cells.sum())
            actual = value(scm, asked(Probability(event, given)))
            assert expected == pytest.approx(actual, abs=1e-12)
        answered += 1
    assert answered >= 8


def test_more_than_64_nodes():
    """Sets of nodes that do not fit one word: two worlds of a chain with a common cause."""
    rng = np.random.default_rng(34)
    scm = random_world(rng, n=90, hidden=2, cards=(2, 3), noises=(3, 4))
    answered = 0
    for _ in range(30):
        first, last, forced = (str(n) for n in rng.choice(scm.names, size=3, replace=False))
        term = Term(last, ((forced, scm.variable(forced).values[0]),))
        given = (
            Atom(Term(first), "=", scm.variable(first).values[0]),
            Atom(Term(last), "!=", scm.variable(last).values[0]),
        )
        cells = table(scm, [term], given)
        if cells.sum() <= 0.0:
            continue
        event = (Atom(term, "=", scm.variable(last).values[-1]),)
        expected = float(cells[-1] / cells.sum())
        actual = value(scm, asked(Probability(event, given)))
        assert expected == pytest.approx(actual, abs=1e-12)
        answered += 1
    assert answered >= 15
