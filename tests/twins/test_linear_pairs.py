"""Pairs of linear-Gaussian worlds: one law below their rung, answers that differ, no side shown."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from causalbench.errors import CertificateError, TwinError
from causalbench.query import Expectation, parse
from causalbench.rng import child, generator
from causalbench.scm import LinearMechanism
from causalbench.task.answer import Estimate
from causalbench.task.construct import linear
from causalbench.task.construct.forge import forge
from causalbench.task.construct.linear_net import draw_linear
from causalbench.task.construct.linear_sides import confounded, covered_edges, seen_edges, turned
from causalbench.task.construct.order import Order
from causalbench.task.construct.shapes import MOTIFS, draw_shape
from causalbench.task.dossiers import Place, pair_cases
from causalbench.task.dressing import sample_rows
from causalbench.task.encode import dossier_from_dict, dossier_to_dict
from causalbench.task.leaks import audit_blind, find_leaks, sealed_view
from causalbench.task.proof import prove
from causalbench.task.terms import terms
from causalbench.task.types import Traits
from causalbench.truth import truth

ROWS = {"mechanisms": "mechanisms", "diagram": "diagram-see-500"}
ASKED = [
    (form, ROWS.get(cell, "lab-see-256" if form == "conditional" else "lab-do-256"))
    for form, cells in linear.FORMS.items()
    for cell in cells
]


def _order(form, access, motif="free", size="small", index=0):
    return Order(form, terms(access), size, motif, "linear", index)


def _draft(order, salt=""):
    return forge(generator(0, f"test-linear/{order.form}/{order.motif}{salt}"), order)


def _solved(scm, do=None):
    """Return names, mean and covariance of all variables, by inverting I - B."""
    names, forced = list(scm.names), do or {}
    b = np.zeros((len(names), len(names)))
    level, noise = np.zeros(len(names)), np.zeros(len(names))
    for i, name in enumerate(names):
        if name in forced:
            level[i] = forced[name]
            continue
        mechanism = scm.mechanism(name)
        level[i], noise[i] = mechanism.intercept, mechanism.std**2
        for parent, weight in zip(mechanism.parents, mechanism.weights, strict=True):
            b[i, names.index(parent)] = weight
    a = np.linalg.inv(np.eye(len(names)) - b)
    return names, a @ level, a @ np.diag(noise) @ a.T


def _seen(scm, do=None):
    names, mean, cov = _solved(scm, do)
    places = [names.index(name) for name in scm.visible]
    return mean[places], cov[np.ix_(places, places)]


def _by_hand(scm, query):
    """Answer by conditioning a normal law with linear algebra."""
    total = 0.0
    for weight, quantity in parse(query, scm.vocabulary).terms:
        mean_only = isinstance(quantity, Expectation)
        term = quantity.term if mean_only else quantity.event[0].term
        names, mean, cov = _solved(scm, dict(term.subscript))
        y = names.index(term.variable)
        given = [names.index(atom.term.variable) for atom in quantity.given]
        stated = np.array([float(atom.value) for atom in quantity.given])
        gain = cov[y, given] @ np.linalg.inv(cov[np.ix_(given, given)]) if given else np.zeros(0)
        centre = mean[y] + gain @ (stated - mean[given])
        if mean_only:
            total += weight * centre
            continue
        spread = math.sqrt(cov[y, y] - gain @ cov[given, y])
        total += weight * 0.5 * math.erfc((quantity.event[0].value - centre) / spread / 2**0.5)
    return total


@pytest.mark.parametrize("motif", MOTIFS)
def test_turning_and_confounding_keep_the_seen_covariance(motif):
    """Every covered edge turned, every arrow made a hidden cause: what is seen varies as before."""
    rng = generator(0, f"test-linear-sides/{motif}")
    net = draw_linear(rng, draw_shape(rng, motif, 5), 16)
    before = net.covariance(net.visible)
    assert np.abs(np.diagonal(before, axis1=1, axis2=2) - 1.0).max() < 1e-12
    made = [turned(net, *edge) for edge in covered_edges(net)]
    made += [confounded(rng, net, *edge) for edge in seen_edges(net)]
    assert len(made) > 1
    for other in made:
        assert np.abs(other.covariance(net.visible) - before).max() < 1e-12


@pytest.mark.parametrize(("form", "access"), ASKED)
def test_sides_share_the_law_below_and_answers_differ(form, access):
    """Solved by hand: equal means and variances, at rung 2 covariances; answers apart and right."""
    for index, motif in enumerate(("chain", "front-door", "M", "free")):
        draft = _draft(_order(form, access, motif, index=index))
        (here, left), (there, right) = (_seen(side) for side in draft.sides)
        assert np.abs(here - there).max() < 1e-12
        assert np.abs(np.diag(left) - np.diag(right)).max() < 1e-12
        assert (np.abs(left - right).max() < 1e-12) == (draft.rung == 2)
        answers = [_by_hand(side, draft.query) for side in draft.sides]
        for side, answer in zip(draft.sides, answers, strict=True):
            assert float(truth(side, draft.query).value) == pytest.approx(answer, abs=1e-9)
        least = 0.2 if draft.query.startswith("P") else 0.3
        assert least - 1e-9 <= abs(answers[0] - answers[1]) <= 1.3
        assert max(map(abs, answers)) <= 1.5 + 1e-9


@pytest.mark.parametrize("form", ["interventional", "ATE"])
def test_readers_of_the_diagram_lose_the_floor(form):
    """With a diagram shown: regression on x, on x and all it does not reach, 0 without an arrow."""
    for index in range(6):
        draft = _draft(_order(form, "diagram-see-500", "free", index=index), salt=str(index))
        lost, answers = np.zeros(3), []
        for side in draft.sides:
            quantity = parse(draft.query, side.vocabulary).terms[0][1]
            y, ((x, value),) = quantity.term.variable, quantity.term.subscript
            diagram, names = side.diagram, list(side.visible)
            assert x in diagram.ancestors(y)
            mean, cov = _seen(side)
            answer = float(truth(side, draft.query).value)
            free = [n for n in names if n not in diagram.descendants(x) and n != y]
            step = value - mean[names.index(x)]
            level = mean[names.index(y)]
            if form == "ATE":
                other = parse(draft.query, side.vocabulary).terms[1][1].term.subscript[0][1]
                step, level = value - other, 0.0
            slopes = []
            for kept in ([x], [x, *free]):
                at = [names.index(n) for n in kept]
                slopes.append(np.linalg.solve(cov[np.ix_(at, at)], cov[at, names.index(y)])[0])
            slopes.append(slopes[0] * (x in diagram.parents(y)))
            lost += np.abs(level + np.array(slopes) * step - answer)
            answers.append(answer)
        assert lost.min() >= abs(answers[0] - answers[1]) - 1e-9


@pytest.mark.parametrize(("form", "access"), ASKED)
def test_cases_hide_their_side(form, access):
    """Dressed, both sides look alike but for the evidence, and dossiers survive JSON and text."""
    rng = generator(1, f"test-linear-cases/{form}/{access}")
    order = _order(form, access, "napkin", "medium")
    draft = forge(rng, order)
    place = Place("t", "estimates", order.terms.cell, 0, terms=order.terms, traits=Traits())
    cases = pair_cases(draft, place, lab={}, rng=child(rng))
    assert sealed_view(cases[0]) == sealed_view(cases[1])
    assert cases[0].placement.proof["max_deviation"] < 1e-9
    for case in cases:
        assert case.items[0].key.certificate.identified
        again = dossier_from_dict(dossier_to_dict(case.dossier))
        assert dossier_to_dict(again) == dossier_to_dict(case.dossier)
        assert case.items[0].question.query.split(" |")[0][2:6] in case.dossier.text
        shown = case.dossier.mechanisms
        if shown is None:
            assert case.dossier.rows.dtype == np.float64
            assert len(case.dossier.rows) in {256, 500}
            continue
        for name in shown.names:
            mechanism = shown.mechanism(name)
            for number in (*mechanism.weights.tolist(), mechanism.intercept, mechanism.std):
                assert round(number, 12) == number


def test_no_number_tells_the_side():
    """Over many pairs no digit, order or length of what is shown goes with the side."""
    cases, tail = [], []
    for index in range(40):
        rng = generator(index, "test-linear-leaks")
        order = _order("ATE", "mechanisms", index=index)
        place = Place("t", "estimates", "mechanisms", index, terms=order.terms, traits=Traits())
        first, second = pair_cases(forge(rng, order), place, lab={}, rng=child(rng))
        coin = index % 2
        cases.append((first, second)[coin])
        tail.append((second, first)[coin])
    assert find_leaks(cases + tail) == []
    assert not audit_blind(lambda *_: Estimate(0.3), cases + tail).caught


def test_gaps_spread_and_no_value_is_preferred():
    """Gaps reach from 0.3 to over 1, and answers are as often above 0 as below."""
    gaps, signs = [], Counter()
    for index in range(40):
        draft = _draft(_order("joint-intervention", "lab-do-256", index=index), salt=str(index))
        answers = [float(truth(side, draft.query).value) for side in draft.sides]
        gaps.append(abs(answers[0] - answers[1]))
        signs[sum(answers) > 0] += 1
    assert min(gaps) < 0.4
    assert max(gaps) > 1.0
    assert sum(gap < 0.5 for gap in gaps) < 20
    assert min(signs[True], signs[False]) >= 10  # under 10 of 40 heads: one fair coin in 1,000


def test_watched_rows_follow_the_law():
    """Rows have the mean and covariance of the world, to within five standard errors."""
    side = _draft(_order("conditional", "lab-see-256")).sides[0]
    rows = sample_rows(side, 4000, generator(0, "test-rows"))
    mean, cov = _seen(side)
    assert np.abs(rows.mean(axis=0) - mean).max() < 5 / 4000**0.5
    assert np.abs(np.cov(rows.T) - cov).max() < 5 * (2 / 4000) ** 0.5
    assert (np.round(rows, 6) == rows).all()


def test_forms_that_linear_worlds_are_not_asked_are_refused():
    """A type of question of rung 3, or exact tables of real numbers, are refused with a reason."""
    with pytest.raises(TwinError, match="not asked for 'PN'"):
        linear.build(generator(0, "refused"), _order("PN", "mechanisms"))
    with pytest.raises(TwinError, match="rows instead of exact laws"):
        linear.build(generator(0, "refused"), _order("ATE", "diagram-see-exact"))


def test_the_proof_refuses_other_covariances_and_rung_3():
    """Worlds of rung 1 are no twins for rung 2, and no linear worlds are any for rung 3."""
    sides = _draft(_order("conditional", "mechanisms")).sides
    names = sorted(sides[0].visible)
    first, second = (side.reorder([*names, *side.hidden]) for side in sides)
    rng = generator(0, "unused")
    assert prove((first, second), 1, rng=rng)["max_deviation"] < 1e-9
    with pytest.raises(TwinError, match="covariances"):
        prove((first, second), 2, rng=rng)
    with pytest.raises(TwinError, match="experiments settle it"):
        prove((first, first), 3, rng=rng)


def test_what_watching_cannot_settle_gets_no_certificate():
    """With only rows and a hidden cause of both, the effect of x on y is refused."""
    from causalbench.task.certificates import item_certificate
    from causalbench.truth import Knowledge

    rng = generator(0, "test-bow")
    net = draw_linear(rng, {"u": (), "x": ("u",), "y": ("x", "u")}, 1)
    world = net.world(0, {"u": "u", "x": "x", "y": "y"}, {})
    query = parse("E[y | do(x=1)]", world.vocabulary)
    with pytest.raises(CertificateError, match="no certificate is written"):
        item_certificate(world, query, Knowledge("see", "diagram"))
    assert item_certificate(world, query, Knowledge("do", "none")).identified
    assert isinstance(world.mechanism("x"), LinearMechanism)
