"""Honesty items: half are settled by what is given, half have a witness that says otherwise."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from causalbench.errors import TwinError
from causalbench.query import parse, rung_of
from causalbench.rng import generator
from causalbench.task.construct.generate import effects_identified
from causalbench.task.honesty import KINDS, WIDTH, settled_case
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
    assert verdicts == {(kind, verdict): 6 for kind in KINDS for verdict in (True, False)}


def test_witnesses_are_far_enough(items):
    """An item that is not settled has a witness at least 0.1 away; a settled one has none."""
    for case in items:
        key = case.items[0].key
        if key.certificate.identified:
            assert key.certificate.witness is None
        else:
            assert abs(key.truth - key.certificate.witness) >= WIDTH - 1e-9
            assert case.placement.proof["max_deviation"] <= 1e-9


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
    """At the regime's rung all is settled; above it only what a binary x lets experiments give."""
    above = Counter()
    for case in items:
        if case.placement.cell == "lab":
            certificate = case.items[0].key.certificate
            rung = rung_of(parse(case.items[0].question.query))
            if rung > case.dossier.knowledge.rung:
                above[case.placement.construction, certificate.identified] += 1
                assert certificate.identified == ("binary x" in certificate.proof)
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
        and "binary x" in case.items[0].key.certificate.proof
    ]
    for case in settled:
        (_, quantity), *_ = parse(case.items[0].question.query).terms
        atom, fact = quantity.event[0], quantity.given[0]
        (x, forced), y = atom.term.subscript[0], atom.term.variable
        done = value(case.scm, f"P({y}={atom.value} | do({x}={forced}))")
        both = value(case.scm, f"P({y}={atom.value}, {x}={forced})")
        found = (done - both) / value(case.scm, f"P({x}={fact.value})")
        assert case.items[0].key.truth == pytest.approx(found, abs=1e-11)


def test_witness_laws_are_what_is_given(items):
    """The law in the dossier is the world's own seen law."""
    from causalbench.truth import law

    for case in items:
        for given in case.dossier.laws:
            np.testing.assert_allclose(given.table, law(case.scm, case.scm.visible), atol=1e-12)


def test_a_witness_with_another_diagram_is_refused():
    """Where the diagram is shown, rung-2 twins with different diagrams are no witnesses."""
    sides = tuple(load_world(name).scm for name in ("umbrella-rain", "umbrella-rain-turned"))
    with pytest.raises(TwinError, match="different diagrams"):
        settled_case(
            "test",
            "diagram-see",
            sides,
            "P(rain=yes | do(umbrella=no))",
            lab=LAB,
            rng=generator(0, "test"),
        )


def test_a_witness_that_agrees_is_refused():
    """A world is no witness against itself."""
    world = load_world("umbrella-rain").scm
    with pytest.raises(TwinError, match="is within"):
        settled_case(
            "test",
            "lab-see",
            (world, world),
            "P(rain=yes | do(seed=yes))",
            lab=LAB,
            rng=generator(0, "test"),
        )
