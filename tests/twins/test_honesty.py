"""Honesty items: half are settled by what is given, half are open within sharp bounds."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from causalbench.errors import TwinError
from causalbench.query import parse, rung_of
from causalbench.rng import generator
from causalbench.task.construct.generate import effects_identified
from causalbench.task.honesty import KINDS, WIDTH, listed_case
from causalbench.task.honesty_couples import COUPLED
from causalbench.task.twin import LAB
from causalbench.task.world import load_world
from causalbench.truth import value


@pytest.fixture(scope="module")
def items(mini):
    """The honesty cases of ladder-mini."""
    return [case for case in mini if case.placement.role == "honesty"]


def test_each_kind_has_twelve_items_half_of_them_settled(items):
    """Both verdicts are as frequent, so that always saying one of them does not pay."""
    verdicts = Counter(
        (case.placement.construction, case.items[0].key.certificate.identified) for case in items
    )
    kinds = [kind for kind in KINDS if kind not in COUPLED]
    assert verdicts == {(kind, verdict): 6 for kind in kinds for verdict in (True, False)}


def test_open_items_have_sharp_and_wide_bounds_and_settled_ones_an_estimand(items):
    """The bounds hold the truth and are at least 0.1 apart; what is settled says by what."""
    for case in items:
        key = case.items[0].key
        if key.certificate.identified:
            assert key.certificate.bounds is None
            assert key.certificate.estimand != ""
        else:
            low, high = key.certificate.bounds
            assert key.certificate.sharp
            assert low <= key.truth <= high
            assert high - low >= WIDTH - 1e-9


def test_honesty_items_carry_no_floor(items):
    """They are scored for honesty, not for skill."""
    assert all(item.key.floor == 0 for case in items for item in case.items)


def test_settled_items_with_a_diagram_meet_the_criterion(items):
    """And items that are not settled ask for the effect across a bow."""
    for case in items:
        if case.placement.construction == "diagram-see":
            settled = case.items[0].key.certificate.identified
            assert effects_identified(case.dossier.diagram) == settled


def test_unsettled_items_ask_above_what_the_lab_gives(items):
    """At the regime's rung all is settled; above it only what consistency lets experiments give."""
    above = Counter()
    for case in items:
        if case.placement.cell == "lab":
            certificate = case.items[0].key.certificate
            rung = rung_of(parse(case.items[0].question.query))
            if rung > case.dossier.knowledge.rung:
                above[case.placement.construction, certificate.identified] += 1
                assert certificate.identified == ("consistency" in certificate.proof)
            else:
                assert certificate.identified
    assert above["lab-do", True] > 0
    assert above["lab-see", True] == 0


def test_rung_three_form_that_experiments_settle(items):
    """The answer is (P(y | do(x)) - P(x, y)) / P(x') to 12 digits, from rungs 1 and 2 alone."""
    settled = [
        case
        for case in items
        if case.placement.construction == "lab-do"
        and "consistency" in case.items[0].key.certificate.proof
    ]
    assert settled
    for case in settled:
        (_, quantity), *_ = parse(case.items[0].question.query).terms
        atom, fact = quantity.event[0], quantity.given[0]
        (x, forced), y = atom.term.subscript[0], atom.term.variable
        done = value(case.scm, f"P({y}={atom.value} | do({x}={forced}))")
        both = value(case.scm, f"P({y}={atom.value}, {x}={forced})")
        found = (done - both) / value(case.scm, f"P({x}={fact.value})")
        assert case.items[0].key.truth == pytest.approx(found, abs=1e-11)


def test_open_items_of_a_lab_that_acts_are_small_enough_for_sharp_bounds(items):
    """Three visible variables of two values: the union over causal orders is sharp there."""
    for case in items:
        if case.placement.construction == "lab-do" and not case.items[0].key.certificate.identified:
            assert [variable.cardinality for variable in case.dossier.variables] == [2, 2, 2]


def test_laws_are_what_is_given(items):
    """The law in the dossier is the world's own seen law."""
    from causalbench.truth import law

    for case in items:
        for given in case.dossier.laws:
            np.testing.assert_allclose(given.table, law(case.scm, case.scm.visible), atol=1e-12)


def test_a_question_that_is_open_by_little_is_refused():
    """Its bounds are .04 apart: an honest number and an honest interval would score alike."""
    world = load_world("drug-lawsuit").scm
    x, y = world.visible[0], world.visible[-1]
    first, last = world.variable(x).labels[0], world.variable(x).labels[-1]
    label = world.variable(y).labels[-1]
    query = f"P({y}[{x}={last}]={label}, {y}[{x}={first}] != {label})"
    with pytest.raises(TwinError, match="open by less than"):
        listed_case("test", "lab-do", world, query, lab=LAB, rng=generator(0, "test"))


def test_a_choice_is_no_honesty_item():
    """It asks for an action, and bounds are of numbers."""
    world = load_world("umbrella-rain").scm
    choice = "argmax a in {seed=yes, seed=no}: P(rain=yes | do(a))"
    with pytest.raises(TwinError, match="asks for a number"):
        listed_case("test", "lab-see", world, choice, lab=LAB, rng=generator(0, "test"))
