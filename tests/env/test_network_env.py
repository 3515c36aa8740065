"""Labs and environments on a world that has tables without couplings."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.env import Episodes
from causalbench.errors import CouplingError
from causalbench.scm import SCM, TableMechanism
from causalbench.task.dossier_text import dossier_text
from causalbench.task.types import Dossier
from causalbench.truth import value
from causalbench.truth.knowledge import Knowledge

ROWS = 4000
NEVER = 0.06  # a share of 4,000 rows is further off with probability below 1e-12 (Hoeffding)


@pytest.fixture
def scm(scm):
    """Return the room's world without its couplings."""
    tables = {name: TableMechanism(scm.parents(name), scm.cpt(name)) for name in scm.names}
    return SCM(scm.variables, tables)


@pytest.fixture
def episodes(scm, lab_of):
    """Return a function: decision id, regime -> the episodes of that decision."""
    space = lab_of()._space

    def get(decision_id, regime=None):
        return Episodes(scm, space.decisions[space.goal(decision_id)], space, regime)

    return get


def test_labs_watch_and_intervene(scm, lab_of):
    """Seeing and doing need no coupling, and follow the tables."""
    lab = lab_of("do", rows=ROWS, interventions=ROWS)
    assert abs((lab.see(ROWS)["w"] == "no").mean() - 0.75) < NEVER
    expected = scm.do(x="1").cpt("x")
    assert (lab.do({"x": "1"}, ROWS)["x"] == "1").mean() == expected[1]


def test_a_lab_that_replays_is_refused(lab_of):
    """A unit run again may go one way or another: the lab says so as it is made."""
    with pytest.raises(CouplingError, match="what a unit run again does depends on the coupling"):
        lab_of("replay", rows=1, replays=1)


@pytest.mark.parametrize(("decision_id", "regime"), [("bet", None), ("act", None), ("redo", "do")])
def test_bets_and_acts_are_played(episodes, decision_id, regime):
    """One course of a unit is shown, whatever the coupling."""
    observations, rewards = episodes(decision_id, regime).draw(50, np.random.default_rng(0))
    assert len(observations) == len(rewards) == 50


@pytest.mark.parametrize("decision_id", ["redo", "stated", "again"])
def test_redoing_is_refused(episodes, decision_id):
    """The same unit is played twice, so the coupling decides what it pays."""
    with pytest.raises(CouplingError, match=f"decision '{decision_id}' pays depends on the coupl"):
        episodes(decision_id)


def test_acts_pay_what_the_tables_say(scm, episodes):
    """The mean reward of each action is its expected utility, by the tables alone."""
    act = episodes("act")
    _, rewards = act.draw(ROWS, np.random.default_rng(1))
    low, high = act.decision.bounds
    for place, do in enumerate(("do(x=0)", "do(x=1)")):
        paid = value(scm, f"P(y=1 | {do})") - 0.25 * place
        assert abs(rewards[:, place].mean() - (paid - low) / (high - low)) < NEVER


def test_the_text_of_a_table_gives_its_rows(scm):
    """A dossier that shows such a world gives each setting's probabilities, and says no more."""
    variables = tuple(scm.variable(name) for name in scm.visible)
    dossier = Dossier("d", "mechanisms", variables, Knowledge("see", "mechanisms"), mechanisms=scm)
    text = dossier_text(dossier)
    assert "Known are its probabilities alone" in text
    assert "    z=1: 0.25, 0.75" in text
