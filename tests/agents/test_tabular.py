"""Tabular Q: exact means, budgets, and what it does not know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from causalbench.agent.lessons import lessons
from causalbench.agent.protocol import Abstain, Choice, Clock
from causalbench.agent.tabular import QOffline, QOnline, QTable
from causalbench.errors import AgentError
from causalbench.truth.knowledge import Budget

WORLD = "umbrella-rain"


def study(agent, scm, dossier, lab, seed=0):
    """Let an agent study and return it."""
    del scm
    agent.study(dossier, lab, rng=np.random.default_rng(seed), clock=Clock())
    return agent


def test_the_table_holds_means():
    """Adding steps at once gives the mean reward of each pair met."""
    table = QTable()
    seen = np.array([[0, 1], [0, 1], [0, 1], [2, 2]])
    table.add(seen, np.array([0, 0, 1, 1]), np.array([1.0, 0.0, 0.25, 1.0]), 3)
    means, counts = table.row(np.array([0, 1]), 3)
    assert (means.tolist(), counts.tolist()) == ([0.5, 0.25, 0.0], [2, 1, 0])


def test_an_action_never_tried_is_never_best():
    """Even where all that was tried paid nothing; ties go to the first."""
    table = QTable()
    table.add(np.array([[0], [0]]), np.array([1, 2]), np.array([0.0, 0.0]), 3)
    assert (table.best(np.array([0])), table.best(np.array([5]))) == (1, None)


def test_online_q_keeps_within_steps_and_budget(lab_case, lab_for):
    """The option and the budget both bound what is spent."""
    scm, dossier = lab_case(WORLD, "act-cheap", interventions=500)
    lab, other = lab_for(scm, dossier), lab_for(scm, dossier)
    study(QOnline(steps=70), scm, dossier, lab)
    study(QOnline(steps=9000), scm, dossier, other)
    assert (lab.spent, other.spent) == (Budget(interventions=70), Budget(interventions=500))


def test_decisions_share_the_budget(lab_case, lab_for):
    """Each decision gets its share of what is left; bets are paid in rows."""
    ids = ("bet", "act-cheap", "act-dear", "redo-dear")
    scm, dossier = lab_case(WORLD, *ids, rows=0, interventions=101, replays=40)
    lab = lab_for(scm, dossier)
    found = []
    for decision, steps in lessons(dossier, lab, 60):
        found.append((decision.id, steps))
        env = lab.env(decision.id)
        for _ in range(steps):
            env.reset()
    assert found == [("act-cheap", 50), ("act-dear", 51), ("redo-dear", 40)]


def test_lessons_stay_within_the_regime(lab_case, lab_for):
    """Where replaying is forbidden a redo is left out, and answered by abstaining."""
    scm, dossier = lab_case(
        WORLD, "act-cheap", "redo-dear", regime="do", interventions=60, replays=60
    )
    lab = lab_for(scm, dossier)
    assert [decision.id for decision, _ in lessons(dossier, lab, 10)] == ["act-cheap"]


def test_online_q_abstains_on_what_it_never_met(lab_case, lab_for, ask):
    """An observation, or a decision, without training is "unseen"."""
    scm, dossier = lab_case(WORLD, "act-cheap", "redo-dear", regime="do", interventions=60)
    agent = study(QOnline(), scm, dossier, lab_for(scm, dossier))
    rng = np.random.default_rng(0)
    assert agent.answer(ask(dossier.decision("redo-dear")), rng=rng) == Abstain("unseen")
    assert isinstance(agent.answer(ask(dossier.decision("act-cheap")), rng=rng), Choice)


def test_q_abstains_before_studying(lab_case, ask):
    """Nothing studied, nothing known."""
    _, dossier = lab_case(WORLD, "act-cheap")
    answer = QOnline().answer(ask(dossier.decision("act-cheap")), rng=np.random.default_rng(0))
    assert answer == Abstain("nothing was studied")


def test_online_q_bets_from_rows(lab_case, lab_for, ask):
    """Betting is practised on watched units: on umbrella=no, no rain is likelier."""
    scm, dossier = lab_case(WORLD, "bet", regime="see")
    dossier = replace(dossier, budget=Budget(rows=2000))
    lab = lab_for(scm, dossier)
    agent = study(QOnline(), scm, dossier, lab)
    decision = dossier.decision("bet")
    rng = np.random.default_rng(0)
    answers = [agent.answer(ask(decision, {"umbrella": u}), rng=rng) for u in ("no", "yes")]
    assert answers == [Choice("rain=no"), Choice("rain=yes")]
    assert lab.spent == Budget(rows=2000)


def test_online_q_stops_when_the_clock_does(lab_case, lab_for):
    """Without time nothing is practised."""
    scm, dossier = lab_case(WORLD, "act-cheap", interventions=500)
    lab = lab_for(scm, dossier)
    QOnline().study(dossier, lab, rng=np.random.default_rng(0), clock=Clock(0.0))
    assert lab.spent == Budget()


def test_offline_q_spends_nothing_where_rows_are_given(lab_case, lab_for):
    """It reads the rows; the lab stays shut."""
    scm, dossier = lab_case(WORLD, "act-cheap", rows=100, interventions=100)
    lab = lab_for(scm, dossier)
    study(QOffline(), scm, dossier, lab)
    assert lab.spent == Budget()


def test_offline_q_watches_where_no_rows_are_given(lab_case, lab_for, ask):
    """Watching is all it does, up to its option."""
    scm, dossier = lab_case(WORLD, "act-cheap")
    dossier = replace(dossier, budget=Budget(rows=3000, interventions=50))
    lab = lab_for(scm, dossier)
    agent = study(QOffline(rows=2000), scm, dossier, lab)
    answer = agent.answer(ask(dossier.decision("act-cheap")), rng=np.random.default_rng(0))
    assert (lab.spent, answer) == (Budget(rows=2000), Choice("umbrella=no"))


def test_offline_q_without_anything_abstains(lab_case, lab_for, ask):
    """An empty log teaches nothing, and breaks nothing."""
    scm, dossier = lab_case(WORLD, "act-cheap")
    agent = study(QOffline(), scm, dossier, lab_for(scm, dossier))
    answer = agent.answer(ask(dossier.decision("act-cheap")), rng=np.random.default_rng(0))
    assert answer == Abstain("unseen")


@pytest.mark.parametrize("kind", [QOnline, QOffline])
def test_q_is_deterministic_in_its_generators(kind, lab_case, lab_for):
    """The same rows, lab and generator give the same table."""
    tables = []
    for _ in range(2):
        scm, dossier = lab_case(
            WORLD, "act-cheap", "redo-dear", rows=200, interventions=90, replays=90
        )
        agent = study(kind(), scm, dossier, lab_for(scm, dossier))
        rows = agent._table._rows
        tables.append({key: (m.tolist(), n.tolist()) for key, (m, n) in rows.items()})
    assert tables[0] == tables[1]


def test_negative_rows_are_refused():
    """Rows are counted from 0."""
    with pytest.raises(AgentError, match="give 0 or more"):
        QOffline(rows=-1)
