"""Laws that hold in every world, over random worlds."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from truth_builders import random_atom, random_term, random_world
from truth_builders import settings as assignments

from causalbench.query import Atom, Term
from causalbench.truth import interventional_tables, law, table

# 2^-52 times the few hundred additions and products that one answer takes
ROUND_OFF = 1e-13
SEEDS = st.integers(min_value=0, max_value=2**32 - 1)
LAW = settings(max_examples=40, deadline=None, derandomize=True)


def setup(seed, **options):
    """Return a generator and a random world."""
    rng = np.random.default_rng(seed)
    return rng, random_world(rng, **{"n": int(rng.integers(2, 7)), **options})


def constant_term(rng, scm, forced=2):
    """Draw a term whose subscript holds constants alone."""
    return random_term(rng, scm, depth=0, forced=forced)


@LAW
@given(SEEDS)
def test_tables_sum_to_the_evidence(seed):
    """The table of any term, nested or not, sums to the probability of the evidence."""
    rng, scm = setup(seed)
    given_ = [random_atom(rng, scm) for _ in range(2)]
    whole = float(table(scm, [], given_))
    assert whole == pytest.approx(table(scm, [random_term(rng, scm)], given_).sum(), abs=ROUND_OFF)
    assert 0 <= whole <= 1 + ROUND_OFF


@LAW
@given(SEEDS)
def test_marginalisation(seed):
    """Summing a term out of a joint table gives the table without it."""
    rng, scm = setup(seed)
    first, second = random_term(rng, scm), random_term(rng, scm)
    joint = table(scm, [first, second])
    assert joint.sum(axis=1) == pytest.approx(table(scm, [first]), abs=ROUND_OFF)


@LAW
@given(SEEDS)
def test_total_probability(seed):
    """P(term) is the sum over evidence values of P(term, evidence)."""
    rng, scm = setup(seed)
    term, seen = random_term(rng, scm), random_term(rng, scm)
    parts = [
        table(scm, [term], [Atom(seen, "=", label)]) for label in scm.variable(seen.variable).values
    ]
    assert sum(parts) == pytest.approx(table(scm, [term]), abs=ROUND_OFF)


@LAW
@given(SEEDS)
def test_effectiveness(seed):
    """A forced variable has the value it is forced to, exactly."""
    rng, scm = setup(seed)
    name = str(rng.choice(scm.names))
    label = str(rng.choice(scm.variable(name).values))
    others = [p for p in constant_term(rng, scm).subscript if p[0] != name]
    term = Term(name, tuple(sorted([*others, (name, label)])))
    expected = np.eye(scm.variable(name).cardinality)[scm.variable(name).code(label)]
    assert expected.tolist() == table(scm, [term]).tolist()


@LAW
@given(SEEDS)
def test_consistency(seed):
    """Where X = x, Y[x] is Y: the joint law of (Y[x], Y) given X = x is on the diagonal."""
    rng, scm = setup(seed)
    x, y = (str(name) for name in rng.choice(scm.names, size=2, replace=False))
    for label in scm.variable(x).values:
        joint = table(scm, [Term(y, ((x, label),)), Term(y)], [Atom(Term(x), "=", label)])
        assert joint.tolist() == np.diag(np.diag(joint)).tolist()


@LAW
@given(SEEDS)
def test_composition(seed):
    """Where X[w] = x, Y[x, w] is Y[w]: exactly diagonal again."""
    rng, scm = setup(seed, n=4)
    x, y, w = (str(name) for name in rng.choice(scm.names, size=3, replace=False))
    other = (w, str(rng.choice(scm.variable(w).values)))
    for label in scm.variable(x).values:
        both = Term(y, tuple(sorted([(x, label), other])))
        seen = [Atom(Term(x, (other,)), "=", label)]
        joint = table(scm, [both, Term(y, (other,))], seen)
        assert joint.tolist() == np.diag(np.diag(joint)).tolist()


@LAW
@given(SEEDS)
def test_nested_natural_values_change_nothing(seed):
    """Y[m = M[w], w] is Y[w], as a joint law on the diagonal."""
    rng, scm = setup(seed, n=4)
    m, y, w = (str(name) for name in rng.choice(scm.names, size=3, replace=False))
    world = ((w, str(rng.choice(scm.variable(w).values))),)
    nested = Term(y, tuple(sorted([*world, (m, Term(m, world))], key=lambda pair: pair[0])))
    joint = table(scm, [nested, Term(y, world)])
    assert joint.tolist() == np.diag(np.diag(joint)).tolist()


@LAW
@given(SEEDS)
def test_empty_do(seed):
    """An intervention on nothing leaves every law alone, bit for bit."""
    _, scm = setup(seed)
    assert law(scm, scm.visible, {}).tolist() == law(scm, scm.visible).tolist()


@LAW
@given(SEEDS)
def test_do_is_the_law_of_the_mutilated_world(seed):
    """P(V | do(x)) is the plain law of the world after `do`."""
    rng, scm = setup(seed)
    forced = dict(constant_term(rng, scm).subscript)
    expected = law(scm.do(forced), scm.names)
    assert expected == pytest.approx(law(scm, scm.names, forced), abs=ROUND_OFF)


@LAW
@given(SEEDS)
def test_rung_three_survives_interventions_made_elsewhere(seed):
    """A counterfactual table of the world after do(w) is that with w put on every subscript."""
    rng, scm = setup(seed, n=4)
    w = str(rng.choice(scm.names))
    setting = (w, str(rng.choice(scm.variable(w).values)))
    terms = [constant_term(rng, scm) for _ in range(2)]
    within = [
        Term(t.variable, t.subscript if w in dict(t.subscript) else (*t.subscript, setting))
        for t in terms
    ]
    expected = table(scm.do({w: setting[1]}), terms)
    assert expected == pytest.approx(table(scm, within), abs=ROUND_OFF)


@LAW
@given(SEEDS)
def test_seeing_a_root_is_doing(seed):
    """For a variable without parents, P(y, x) = P(x) P(y | do(x))."""
    rng, scm = setup(seed)
    roots = [name for name in scm.names if not scm.parents(name)]
    x, y = str(rng.choice(roots)), str(rng.choice(scm.names))
    for label in scm.variable(x).values:
        weight = float(table(scm, [], [Atom(Term(x), "=", label)]))
        seen = table(scm, [Term(y)], [Atom(Term(x), "=", label)])
        assert seen == pytest.approx(weight * law(scm, [y], {x: label}), abs=ROUND_OFF)


@LAW
@given(SEEDS)
def test_all_interventional_tables_are_laws(seed):
    """Each Q[V - S] agrees, cell by cell, with the law under that intervention."""
    _, scm = setup(seed, n=4, hidden=1, cards=(2, 3))
    tables = interventional_tables(scm)
    assert len(tables) == 2 ** len(scm.visible)
    for forced, actual in tables.items():
        for setting in assignments(scm, forced):
            at = tuple(
                scm.variable(n).code(setting[n]) if n in setting else slice(None)
                for n in scm.visible
            )
            free = [name for name in scm.visible if name not in setting]
            expected = law(scm, free, setting)
            assert expected == pytest.approx(actual[at], abs=ROUND_OFF)


@LAW
@given(SEEDS)
def test_interventional_tables_do_not_depend_on_coupling(seed):
    """Shuffling which noise value is which changes no table."""
    rng, scm = setup(seed, n=3)
    shuffled = {}
    for name in scm.names:
        mechanism = scm.mechanism(name)
        order = rng.permutation(len(mechanism.noise))
        shuffled[name] = type(mechanism)(
            mechanism.parents, mechanism.noise[order], mechanism.table[order]
        )
    other = interventional_tables(scm.replace(mechanisms=shuffled))
    for key, expected in interventional_tables(scm).items():
        assert expected == pytest.approx(other[key], abs=ROUND_OFF)


def quantity(scm, y, setting, seen):
    """Return P(y, seen | do(setting)) over y's values, and P(seen | do(setting))."""
    subscript = tuple(sorted(setting.items()))
    atoms = [Atom(Term(name, subscript), "=", label) for name, label in seen.items()]
    return table(scm, [Term(y, subscript)], atoms), float(table(scm, [], atoms))


def agree(left, right):
    """Compare two conditional laws without dividing: a/b = c/d as a*d = c*b."""
    assert left[0] * right[1] == pytest.approx(right[0] * left[1], abs=ROUND_OFF)


def diagrams(salt, count):
    """Yield random binary worlds with two hidden variables among six."""
    for seed in range(count):
        rng = np.random.default_rng([seed, salt])
        yield rng, random_world(rng, n=6, hidden=2, cards=(2,))


def draw(rng, scm, *names):
    """Draw a value for each name that is not None."""
    return {n: str(rng.choice(scm.variable(n).values)) for n in names if n is not None}


def check_rules(rng, scm, y, z, x, w):
    """Check the rules that hold for P(y | do(x), do(z) or z or neither, w); return how many."""
    do, see, more = draw(rng, scm, x), draw(rng, scm, w), draw(rng, scm, z)
    known = set(do) | set(see)
    without = scm.diagram.without_incoming(do)
    plain = quantity(scm, y, do, see)
    seen = quantity(scm, y, do, {**see, **more})
    done = quantity(scm, y, {**do, **more}, see)
    cut = set() if see and z in without.ancestors(see) else {z}
    rules = [
        (without, seen, plain),
        (without.without_outgoing(z), done, seen),
        (without.without_incoming(cut), done, plain),
    ]
    holds = [diagram.d_separated(y, z, known) for diagram, _, _ in rules]
    for applies, (_, left, right) in zip(holds, rules, strict=True):
        if applies:
            agree(left, right)
    return np.array(holds, dtype=int)


def test_do_calculus():
    """Rules 1, 2 and 3 wherever their m-separation holds in the mutilated diagram.

    Reference: Pearl, Causality (2nd edition), theorem 3.4.1.
    """
    used = np.zeros(3, dtype=int)
    for rng, scm in diagrams(30, 12):
        names = scm.visible
        for y, z in permutations(names, 2):
            rest = [None, *(name for name in names if name not in {y, z})]
            for x, w in product(rest, repeat=2):
                if x is None or x != w:
                    used += check_rules(rng, scm, y, z, x, w)
    assert used.min() > 100


def test_separated_in_the_diagram_means_independent():
    """m-separation in the visible diagram is independence in the law that is seen."""
    checked = 0
    for _, scm in diagrams(31, 12):
        for x, y, z in permutations(scm.visible, 3):
            if scm.diagram.d_separated(x, y, {z}):
                joint = law(scm, [x, y, z])
                left = joint * joint.sum(axis=(0, 1))
                right = joint.sum(axis=1)[:, None] * joint.sum(axis=0)[None]
                assert left == pytest.approx(right, abs=ROUND_OFF)
                checked += 1
    assert checked > 30
