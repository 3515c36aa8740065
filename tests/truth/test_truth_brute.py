"""The engine against brute force over every unit."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import brute, brute_joint
from truth_builders import random_atom, random_query, random_term, random_world

from causalbench.errors import ZeroProbabilityError
from causalbench.truth import table, truth, value


def agree(scm, query):
    """Compare engine and oracle on one query; return whether its conditions were possible."""
    expected = brute(scm, query)
    if expected is None:
        with pytest.raises(ZeroProbabilityError):
            value(scm, query)
        return False
    actual = value(scm, query)
    assert expected == pytest.approx(actual, abs=1e-12)
    return True


@pytest.mark.parametrize("seed", range(12))
def test_values_agree_with_brute_force(seed):
    """Random worlds, random queries of all rungs with nesting: agreement to 1e-12."""
    rng = np.random.default_rng([seed, 1])
    answered = 0
    for _ in range(30):
        scm = random_world(rng, n=int(rng.integers(2, 6)), hidden=int(rng.integers(0, 3)))
        answered += sum(agree(scm, random_query(rng, scm)) for _ in range(8))
    assert answered >= 90


@pytest.mark.parametrize("seed", range(8))
def test_values_agree_on_six_variables(seed):
    """Six variables, two hidden: agreement to 1e-12."""
    rng = np.random.default_rng([seed, 2])
    scm = random_world(rng, n=6, hidden=2, noises=(2, 3, 3))
    assert sum(agree(scm, random_query(rng, scm, forced=3)) for _ in range(20)) >= 8


@pytest.mark.parametrize("seed", range(10))
def test_tables_agree_with_brute_force(seed):
    """Joint tables of up to three terms, repeats included, agree cell by cell."""
    rng = np.random.default_rng([seed, 3])
    scm = random_world(rng, n=4)
    for _ in range(10):
        terms = [random_term(rng, scm) for _ in range(int(rng.integers(1, 4)))]
        terms += terms[:1] if rng.random() < 0.3 else []
        given = [random_atom(rng, scm) for _ in range(int(rng.integers(0, 3)))]
        actual = table(scm, terms, given)
        expected = np.zeros(actual.shape)
        for labels, probability in brute_joint(scm, terms, given).items():
            code = [scm.variable(t.variable).code(v) for t, v in zip(terms, labels, strict=True)]
            expected[tuple(code)] = probability
        assert expected == pytest.approx(actual, abs=1e-12)
        assert ((actual == 0) == (expected == 0)).all()


@pytest.mark.parametrize("seed", range(4))
def test_imagine_is_the_truth(seed):
    """The imagine reading is the truth, and lower rungs read themselves."""
    rng = np.random.default_rng([seed, 4])
    scm = random_world(rng, n=4)
    checked = 0
    for _ in range(30):
        query = random_query(rng, scm, depth=1)
        if brute(scm, query) is None:
            continue
        found = truth(scm, query)
        assert found.readings["imagine"] == found.value
        if found.rung <= 2:
            assert found.readings["do"] == found.value
        if found.rung == 1:
            assert found.readings["see"] == found.value
        checked += 1
    assert checked >= 10
