"""Regime intent: what a unit was about to do is told beside what follows from doing otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.errors import AccessError, BudgetExhausted, CouplingError
from causalbench.rng import generator
from causalbench.scm import SCM, LinearMechanism, Mechanism, Variable
from causalbench.scm.tables import TableMechanism
from causalbench.task.lab import Lab, natural_column
from causalbench.task.text import dossier_text
from causalbench.task.types import Dossier
from causalbench.truth import value
from causalbench.truth.knowledge import Budget, Knowledge

UNITS = 4000
TABLE = [[0.5, 0.5], [0.25, 0.75]]
CLOSE = 0.08  # 1e-9 by Hoeffding at 2000 units


def test_a_column_tells_each_natural_value(lab_of):
    """It follows the outcome, is named after what is set, and holds the variable's own values."""
    frame = lab_of("intent", interventions=60).do({"x": "1", "w": "no"}, 60)
    assert list(frame.columns) == ["y", "w", "x", "x (natural)", "w (natural)"]
    assert list(frame["x (natural)"].cat.categories) == list(frame["x"].cat.categories)
    assert set(frame["x"]) == {"1"}
    assert set(frame["x (natural)"]) == {"0", "1"}


def test_it_is_the_same_unit(lab_of, scm):
    """P(y[x=1]=1 | x=0), which no experiment tells, is the share among those who meant x=0."""
    frame = lab_of("intent", interventions=UNITS).do({"x": "1"}, UNITS)
    meant = frame[frame["x (natural)"] == "0"]
    assert len(meant) > UNITS / 3
    assert (meant["y"] == "1").mean() == pytest.approx(value(scm, "P(y[x=1]=1 | x=0)"), abs=CLOSE)


def test_outcome_and_price_are_those_of_regime_do(lab_of):
    """The same units, the same price: only the natural values are more."""
    told, plain = lab_of("intent", interventions=50), lab_of("do", interventions=50)
    frame = told.do({"x": "1"}, 50)
    assert frame[["y", "w", "x"]].equals(plain.do({"x": "1"}, 50))
    assert told.spent == plain.spent == Budget(interventions=50)


@pytest.mark.parametrize("regime", ["do", "replay"])
def test_no_other_regime_tells_them(lab_of, regime):
    """Below intent they are hidden; in replay the natural course is run again, at its price."""
    lab = lab_of(regime, interventions=9)
    assert list(lab.do({"x": "1"}, 4).columns) == ["y", "w", "x"]
    with pytest.raises(AccessError, match="in regime 'intent' alone"):
        lab.intend_codes({"x": "1"}, 4)


def test_nothing_else_of_the_natural_course_is_told(lab_of):
    """Only what is set has a natural value: y, which follows, and w, left alone, have none."""
    codes, natural = lab_of("intent", interventions=30).intend_codes({"x": "1"}, 30)
    assert codes.shape == natural.shape == (30, 3)
    assert (natural[:, :2] == -1).all()
    assert set(natural[:, 2]) == {0, 1}


def test_without_settings_it_is_see(lab_of):
    """Watching costs rows and shows no column more."""
    lab = lab_of("intent", rows=5)
    assert list(lab.do({}, 5).columns) == ["y", "w", "x"]
    assert lab.spent == Budget(rows=5)


def test_too_many_units_cost_nothing(lab_of):
    """As elsewhere."""
    lab = lab_of("intent", interventions=5)
    with pytest.raises(BudgetExhausted, match="6 interventions asked for"):
        lab.do({"x": "1"}, 6)
    assert lab.left.interventions == 5


def test_the_column_collides_with_no_name():
    """A variable that is called so itself keeps its name."""
    assert natural_column("x", ["x", "y"]) == "x (natural)"
    taken = ["x", "x (natural)", "x (natural 2)"]
    assert natural_column("x", taken) == "x (natural 3)"


def lab_on(scm, budget):
    """Return a lab of regime intent."""
    variables = tuple(scm.variable(name) for name in scm.visible)
    dossier = Dossier("d", "lab", variables, Knowledge("intent"), budget)
    return Lab(scm, dossier, generator(0, "intent")), dossier


def test_natural_values_of_effects_are_of_the_natural_course():
    """Where a cause and its effect are set, the effect's is what it was before either was."""
    bits = ("0", "1")
    scm = SCM(
        {name: Variable(name, bits) for name in "xy"},
        {
            "x": Mechanism((), np.ones(1), np.array([0])),
            "y": Mechanism(("x",), np.ones(1), np.array([[0, 1]])),
        },
    )
    frame = lab_on(scm, Budget(interventions=3))[0].do({"x": "1", "y": "1"}, 3)
    assert set(frame["y (natural)"]) == {"0"}


def test_real_variables_have_natural_values_too():
    """A linear world: x was about to be its own noise, and y follows from what was set."""
    scm = SCM(
        {name: Variable(name, None) for name in "xy"},
        {"x": LinearMechanism((), (), 0.0, 1.0), "y": LinearMechanism(("x",), (2.0,), 0.0, 0.0)},
    )
    frame = lab_on(scm, Budget(interventions=50))[0].do({"x": 1.0}, 50)
    assert set(frame["y"]) == {2.0}
    assert frame["x (natural)"].nunique() == 50


def test_a_world_without_couplings_has_none(scm):
    """What a unit was about to do while something else is done is not settled there."""
    loose = scm.replace(mechanisms={**scm.mechanisms, "y": TableMechanism(("x",), TABLE)})
    lab, _ = lab_on(loose, Budget(rows=2, interventions=2))
    assert len(lab.see(2)) == 2
    with pytest.raises(CouplingError, match="coupling"):
        lab.do({"x": "1"}, 2)
    assert lab.left.interventions == 2


def test_the_dossier_says_so(scm):
    """In one sentence."""
    _, dossier = lab_on(scm, Budget(interventions=2))
    assert "the lab tells its natural value too" in dossier_text(dossier)
