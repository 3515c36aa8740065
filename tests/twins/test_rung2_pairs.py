"""Rung 2 on any shape: one seen law by an independent route, far answers, settled, no easy way."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from rung2_oracle import draft_of, law_of, quantity_of

from causalbench.query import parse, rung_of
from causalbench.rng import generator
from causalbench.task.construct.order import Order
from causalbench.task.construct.rung2 import build
from causalbench.task.decide import decision_query, decision_values
from causalbench.task.terms import terms
from causalbench.truth import Knowledge, certify, truth
from causalbench.truth.certificate import Identified
from causalbench.truth.identify.interventional import why_not
from causalbench.truth.permitted import Permitted

ESTIMATES = (
    "interventional",
    "conditional-interventional",
    "ATE",
    "CATE",
    "CDE",
    "joint-intervention",
    "soft-intervention",
)
MOTIFS = ("back-door", "front-door", "anticausal")
ACCESS = ("mechanisms", "diagram-see-exact", "diagram-do", "lab-do-1024")
CASES = [
    (form, access, MOTIFS[(number + place) % len(MOTIFS)])
    for number, form in enumerate((*ESTIMATES, "best-action"))
    for place, access in enumerate(ACCESS)
]
_GAP, _FLOOR = 0.2 - 1e-9, 0.1 - 1e-9


@pytest.mark.parametrize(("form", "access", "motif"), CASES)
def test_twins_have_one_seen_law(form, access, motif):
    """Products of the mechanisms' probabilities, summed in pure Python, agree to 1e-9."""
    draft = draft_of(form, access, motif)
    names = sorted(draft.sides[0].visible)
    first, second = (law_of(side, names) for side in draft.sides)
    assert set(first) == set(second)
    assert all(abs(first[key] - second[key]) <= 1e-9 for key in first)
    assert math.isclose(sum(first.values()), 1.0, abs_tol=1e-9)


@pytest.mark.parametrize(("form", "access", "motif"), [c for c in CASES if c[0] != "best-action"])
def test_the_answers_lie_apart(form, access, motif):
    """The truncated product of both worlds gives answers that differ by 0.2 or more."""
    draft = draft_of(form, access, motif)
    query = parse(draft.query, draft.sides[0].vocabulary)
    assert rung_of(query) == 2
    values = []
    for side in draft.sides:
        value = sum(weight * quantity_of(side, each) for weight, each in query.terms)
        assert value == pytest.approx(float(truth(side, query).value), abs=1e-9)
        values.append(value)
    assert abs(values[0] - values[1]) >= _GAP


@pytest.mark.parametrize("access", ACCESS)
def test_decisions_keep_the_floor(access):
    """No action is good in both worlds: the regrets add up to a tenth of the range or more."""
    draft = draft_of("best-action", access, MOTIFS[0], index=3)
    rows = [decision_values(side, draft.decision) for side in draft.sides]
    floor = 0.0
    for first, second in zip(*rows, strict=True):
        assert first.weight == pytest.approx(second.weight, abs=1e-9)
        worth = np.array([first.values, second.values])
        regret = worth.max(axis=1, keepdims=True) - worth
        floor += first.weight * regret.sum(axis=0).min()
    assert floor >= _FLOOR


@pytest.mark.parametrize("form", ESTIMATES)
@pytest.mark.parametrize("motif", ["chain", "fork", "instrument", "feedback"])
def test_the_seen_law_and_the_diagram_settle_the_question(form, motif):
    """ID or IDC finds a formula in the diagram of either twin."""
    draft = draft_of(form, "diagram-see-exact", motif)
    for side in draft.sides:
        assert isinstance(certify(side, draft.query), Identified)


def test_the_seen_law_and_the_diagram_settle_every_action():
    """Each action's value has a formula in the diagram of either twin."""
    draft = draft_of("best-action", "diagram-see-exact", "mediation")
    for side in draft.sides:
        for row in decision_values(side, draft.decision):
            choice = parse(decision_query(draft.decision, row.observation), side.vocabulary)
            assert all(isinstance(certify(side, each), Identified) for _, each in choice.options())


@pytest.mark.parametrize("form", ["joint-intervention", "CDE"])
@pytest.mark.parametrize("motif", ["front-door", "free"])
def test_single_interventions_and_the_diagram_settle_a_joint_one(form, motif):
    """Where the laws under single interventions are given, two at once follow from one of them.

    The law under do(x) is the seen law of the world in which x is set, so a formula for the second
    step in that world is one in the laws that are given.
    """
    draft = draft_of(form, "diagram-do", motif)
    query = parse(draft.query, draft.sides[0].vocabulary)
    for side in draft.sides:
        assert any(
            all(_second_step(side, quantity, first) for _, quantity in query.terms)
            for first in dict(query.terms[0][1].event[0].term.subscript)
        )


def _second_step(side, quantity, first):
    """Say whether the seen law of the world with one variable set settles setting the other."""
    (atom,) = quantity.event
    world = dict(atom.term.subscript)
    rest = ", ".join(f"{name}={label}" for name, label in world.items() if name != first)
    asked = parse(f"P({atom.term.variable}={atom.value} | do({rest}))", side.vocabulary)
    ground = Permitted(side.do({first: world[first]}), Knowledge("see", "diagram")).ground
    return why_not(ground, asked.terms[0][1]) is None


@pytest.mark.parametrize(("form", "access", "motif"), [c for c in CASES if c[1] != "lab-do-1024"])
def test_what_is_set_reaches_what_is_asked_for_in_both_diagrams(form, access, motif):
    """Where the diagram is shown, a path from cause to effect tells the twins from nothing."""
    draft = draft_of(form, access, motif)
    if draft.query is None:
        outcome = draft.decision.utility[0][1].split("=")[0]
        setters = {label.split("=")[0] for label in draft.decision.actions} - {"pass"}
        reach = [side.diagram.ancestors([outcome]) for side in draft.sides]
        assert setters & reach[0] & reach[1]
        return
    query = parse(draft.query, draft.sides[0].vocabulary)
    for (_, quantity), side in itertools.product(query.terms, draft.sides):
        atom = quantity.event[0]
        forced = {name for name, _ in atom.term.subscript}
        assert forced <= side.diagram.ancestors([atom.term.variable])


@pytest.mark.parametrize(("form", "access", "motif"), CASES)
def test_twins_differ_in_the_diagram_and_share_all_names(form, access, motif):
    """Same variables, values and question; another diagram over them."""
    first, second = draft_of(form, access, motif).sides
    assert first.visible == second.visible
    assert all(first.variable(name) == second.variable(name) for name in first.visible)
    assert first.diagram != second.diagram


def test_an_order_yields_the_same_pair_again():
    """The same generator gives the same worlds and the same question."""
    order = Order("CATE", terms("diagram-see-exact"), motif="fork")
    pairs = []
    for _ in range(2):
        rng = generator(5, "again")
        pairs.append(next(d for d in (build(rng, order) for _ in range(400)) if d is not None))
    assert pairs[0].query == pairs[1].query
    assert [side.to_dict() for side in pairs[0].sides] == [s.to_dict() for s in pairs[1].sides]
