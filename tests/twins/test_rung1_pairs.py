"""Pairs for rung 1: equal laws of every variable, answers that differ, and no way round them."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

from causalbench.query import parse
from causalbench.rng import child, generator
from causalbench.task.construct import rung1
from causalbench.task.construct.net import Net
from causalbench.task.construct.order import Order
from causalbench.task.construct.rung1_line import bendable
from causalbench.task.construct.shapes import MOTIFS
from causalbench.task.dossiers import Place, pair_cases
from causalbench.task.terms import terms
from causalbench.task.types import Traits
from causalbench.truth import truth

ESTIMATES = ("marginal", "conditional", "explaining-away", "independence")
FORMS = (*ESTIMATES, "most-probable")
ACCESS = ("mechanisms", "diagram-see-exact", "diagram-see-500", "lab-see-256")


def _order(form, access="mechanisms", motif="free", size="small", index=0):
    return Order(form, terms(access), size, motif, "discrete", index)


def _draft(order, salt=""):
    rng = generator(0, f"test-rung1/{order.form}/{order.motif}/{order.terms.name}{salt}")
    found = (rung1.build(rng, order) for _ in range(100))
    return next(draft for draft in found if draft is not None)


@lru_cache(maxsize=8)
def _joint(scm):
    """Return the law of all variables as {codes: probability}, by multiplying row by row."""
    net = Net.from_scm(scm)
    names = list(net.cards)
    law = {}
    for codes in itertools.product(*(range(net.cards[name]) for name in names)):
        at = dict(zip(names, codes, strict=True))
        p = 1.0
        for name in names:
            p *= float(net.cpts[name][tuple(at[each] for each in net.parents[name])][at[name]])
        law[codes] = p
    return names, law


def _probability(scm, event):
    names, law = _joint(scm)
    places = [(names.index(name), int(value)) for name, value in event.items()]
    return sum(p for codes, p in law.items() if all(codes[i] == v for i, v in places))


def _by_hand(scm, query):
    """Answer a sum of (conditional) probabilities by adding up the joint law."""
    total = 0.0
    for weight, quantity in parse(query, scm.vocabulary).terms:
        given = {atom.term.variable: atom.value for atom in quantity.given}
        event = {atom.term.variable: atom.value for atom in quantity.event}
        total += weight * _probability(scm, {**given, **event}) / _probability(scm, given)
    return total


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("motif", MOTIFS)
def test_every_variable_keeps_its_own_law(form, motif):
    """Added up by hand, both sides have the same law of each visible variable, and one diagram."""
    draft = _draft(_order(form, motif=motif))
    first, second = draft.sides
    assert first.diagram == second.diagram
    for name in first.visible:
        for value in first.variable(name).labels:
            here, there = (_probability(side, {name: value}) for side in draft.sides)
            assert abs(here - there) < 1e-12


@pytest.mark.parametrize("form", ESTIMATES)
@pytest.mark.parametrize("access", ACCESS)
def test_answers_lie_apart_and_are_right(form, access):
    """The engine's answers are those added up by hand, and at least 0.2 apart."""
    for index, motif in enumerate(("chain", "collider", "front-door", "M", "free")):
        draft = _draft(_order(form, access, motif, index=index))
        answers = [_by_hand(side, draft.query) for side in draft.sides]
        for side, answer in zip(draft.sides, answers, strict=True):
            assert float(truth(side, draft.query).value) == pytest.approx(answer, abs=1e-12)
        assert abs(answers[0] - answers[1]) > 0.2 - 1e-9


@pytest.mark.parametrize("form", ["conditional", "explaining-away", "independence"])
@pytest.mark.parametrize("access", ["mechanisms", "diagram-see-500", "lab-see-256"])
def test_what_is_given_is_met_often_enough(form, access):
    """What is conditioned on has probability 0.01, and is met a dozen times where rows are all."""
    order = _order(form, access)
    draft = _draft(order)
    for side in draft.sides:
        for _, quantity in parse(draft.query, side.vocabulary).terms:
            given = {atom.term.variable: atom.value for atom in quantity.given}
            assert _probability(side, given) >= rung1.least_seen(order) - 1e-9


def test_least_seen_grows_as_rows_get_fewer():
    """A dozen of 256 rows is more than one in a hundred; of exact laws one in a hundred will do."""
    assert rung1.least_seen(_order("conditional", "lab-see-256")) == 12 / 256
    assert rung1.least_seen(_order("conditional", "diagram-see-exact")) == 0.01


@pytest.mark.parametrize("motif", ["collider", "chain", "back-door", "instrument"])
def test_one_side_is_independent_against_its_diagram(motif):
    """One answer is 0, by a table without the parent or by cancelling; the other is 0.2 or more."""
    for index in range(4):
        draft = _draft(_order("independence", motif=motif, index=index))
        low, high = sorted(abs(_by_hand(side, draft.query)) for side in draft.sides)
        assert low < 1e-12
        assert high > 0.2 - 1e-9


def test_which_side_is_independent_is_a_coin():
    """Neither side 0 nor a positive difference is a sign of dependence."""
    zero, signs = Counter(), Counter()
    for index in range(40):
        order = _order("independence", motif="free", index=index)
        draft = _draft(order, salt=str(index))
        place = Place("t", "estimates", "mechanisms", index, terms=order.terms, traits=Traits())
        cases = pair_cases(draft, place, lab={}, rng=generator(index, "coin"))
        answers = [float(case.items[0].key.truth) for case in cases]
        zero[int(abs(answers[1]) < 1e-9)] += 1
        signs[max(answers, key=abs) > 0] += 1
    assert min(zero[0], zero[1]) >= 10  # under 10 of 40 heads: one fair coin in 1,000
    assert min(signs[True], signs[False]) >= 10


def test_gaps_and_answers_spread():
    """Gaps do not pile up at the least, and answers are found all over [0, 1]."""
    gaps, answers = [], []
    for index in range(60):
        draft = _draft(_order("conditional", index=index), salt=str(index))
        both = [float(truth(side, draft.query).value) for side in draft.sides]
        gaps.append(abs(both[0] - both[1]))
        answers += both
    assert np.mean(np.array(gaps) < 0.3) < 0.5
    assert max(gaps) > 0.5
    assert np.histogram(answers, bins=4, range=(0, 1))[0].min() >= 12  # a tenth of all


@pytest.mark.parametrize("form", ESTIMATES)
def test_guessing_does_not_pay(form):
    """A uniform guess from what the form allows costs more than the floor, pair by pair."""
    low = -1.0 if form in {"explaining-away", "independence"} else 0.0
    for index in range(20):
        draft = _draft(_order(form, index=index), salt=str(index))
        both = np.array([float(truth(side, draft.query).value) for side in draft.sides])
        guesses = np.linspace(low, 1.0, 2001)
        lost = np.abs(guesses[:, None] - both).mean(axis=0).sum()
        assert lost > 1.05 * abs(both[0] - both[1])


@pytest.mark.parametrize("access", ACCESS)
@pytest.mark.parametrize("motif", ["chain", "back-door", "free"])
def test_bets_offer_the_most_probable_combination(access, motif):
    """Of all combinations of what is betted on, the best is on offer; no bet suits both sides."""
    draft = _draft(_order("most-probable", access, motif))
    decision = draft.decision
    rng = generator(0, "test-bets")
    place = Place("t", "decisions", terms(access).cell, 0, terms=terms(access))
    cases = pair_cases(draft, place, lab={}, rng=child(rng))
    assert sum(item.key.floor for item in cases[0].items) > 0.1 - 1e-9
    names = [part.partition("=")[0] for part in decision.actions[0].split(", ")]
    for case in cases:
        for item in case.items:
            seen = {k: v for k, v in item.question.observation.items() if v != "unseen"}
            mass = _probability(case.scm, seen)
            values = [case.scm.variable(name).labels for name in names]
            best = max(
                _probability(case.scm, {**seen, **dict(zip(names, each, strict=True))}) / mass
                for each in itertools.product(*values)
            )
            assert max(item.key.values) == pytest.approx(best, abs=1e-9)


def test_bendable_minds_what_comes_after():
    """A child alone with its cause keeps its law; one with a second, related cause need not."""
    chain = {"x": (), "y": ("x",), "w": ("y",)}
    assert bendable(chain, "y")
    assert bendable({**chain, "v": (), "w": ("y", "v")}, "y")
    assert not bendable({**chain, "w": ("y", "x")}, "y")
    assert not bendable(chain, "x")


def test_large_cores_are_built_as_well():
    """Five to eight visible variables, of which the halo makes more."""
    for form in FORMS:
        draft = _draft(_order(form, "lab-see-256", size="large"))
        assert 5 <= len(draft.sides[0].visible) <= 8
