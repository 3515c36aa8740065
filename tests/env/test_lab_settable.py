"""A lab in which only some variables may be set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from causalbench.agent.lessons import lessons
from causalbench.errors import AccessError
from causalbench.task.encode import canonical_json, dossier_from_dict, dossier_to_dict
from causalbench.task.lab import Lab
from causalbench.task.types import Decision, Dossier
from causalbench.truth.knowledge import Budget, Knowledge


@pytest.fixture
def dossier(scm):
    """A lab that may set w alone, with a decision about w and one about x too."""
    return Dossier(
        id="d",
        cell="lab",
        variables=tuple(scm.variable(name) for name in scm.visible),
        knowledge=Knowledge("do", "none", manipulable=("w",)),
        budget=Budget(rows=8, interventions=8),
        decisions=(
            Decision("own", "act", ("w=no", "w=yes"), ((1.0, "y=1"),)),
            Decision("both", "act", ("w=no", "x=1"), ((1.0, "y=1"),)),
        ),
    )


@pytest.fixture
def lab(scm, dossier):
    """Its lab."""
    return Lab(scm, dossier, np.random.default_rng(0))


def test_what_may_be_set_is_set(lab):
    """The variable that the knowledge names is forced in every unit."""
    assert set(lab.do({"w": "yes"}, 4)["w"]) == {"yes"}


@pytest.mark.parametrize("settings", [{"x": "1"}, {"w": "no", "x": "1"}])
def test_what_may_not_be_set_is_refused_and_costs_nothing(lab, settings):
    """The line says which variable and what to do instead."""
    with pytest.raises(AccessError, match="'x' may not be set in this lab; set only w"):
        lab.do(settings, 3)
    assert lab.spent == Budget()


def test_a_unit_is_not_run_again_under_a_setting_that_is_not_allowed(scm, dossier):
    """Replaying sets variables too."""
    known = Knowledge("replay", "none", manipulable=("w",))
    told = replace(dossier, knowledge=known, budget=Budget(8, 8, 8))
    lab = Lab(scm, told, np.random.default_rng(0))
    unit = lab.see(1).index[0]
    with pytest.raises(AccessError, match="'x' may not be set"):
        lab.replay([unit], {"x": "1"})
    assert lab.spent == Budget(rows=1)


def test_only_a_decision_that_may_be_tried_has_an_environment(lab):
    """An environment would set what may not be set; the other decision is open."""
    assert lab.env("own").action_space.n == 2
    with pytest.raises(AccessError, match="'x' may not be set"):
        lab.env("both")


def test_learners_practise_what_may_be_tried(dossier, lab):
    """A decision that offers to set x is left out of the lessons."""
    assert [decision.id for decision, _ in lessons(dossier, lab, 8)] == ["own"]


def test_the_dossier_says_what_may_be_set_and_keeps_it(dossier):
    """In words, and through JSON and back."""
    record = dossier_to_dict(dossier)
    again = dossier_from_dict(record)
    assert again.knowledge == dossier.knowledge
    assert canonical_json(dossier_to_dict(again)) == canonical_json(record)
    assert "The only variables that you may set: w." in dossier.text


def test_a_lab_that_may_set_everything_says_nothing_of_it(dossier):
    """Dossiers without the restriction keep their bytes and their words."""
    free = replace(dossier, knowledge=Knowledge("do", "none"))
    assert "manipulable" not in canonical_json(dossier_to_dict(free))
    assert "may set" not in free.text
