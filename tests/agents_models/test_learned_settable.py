"""A learner in a lab that lets it set only some variables."""

from __future__ import annotations

import numpy as np

from causalbench.agent.learned import ModelLearned
from causalbench.agent.protocol import Clock
from causalbench.task.answer import Abstain, Choice
from causalbench.task.honesty import honesty_case
from causalbench.task.lab import Lab
from causalbench.task.twin import LAB


def _answer(index):
    """Let the learner study an item of untried acts and answer it; 2 and 3 have no diagram."""
    case = honesty_case("test", "untried-acts", index, 0, lab=LAB)
    lab = Lab(case.scm, case.dossier, np.random.default_rng(0))
    agent = ModelLearned()
    agent.study(case.dossier, lab, rng=np.random.default_rng(1), clock=Clock())
    assert lab.spent.interventions > 0
    return case, agent.answer(case.items[0].question, rng=np.random.default_rng(2))


def test_it_declines_where_an_action_may_not_be_tried():
    """And says that it can't be known, which is right."""
    case, answer = _answer(2)
    assert not case.items[0].key.certificate.identified
    assert isinstance(answer, Abstain)
    assert answer.unidentified


def test_it_chooses_where_all_actions_may_be_tried():
    """Thousands of units tell it the best one."""
    case, answer = _answer(3)
    assert answer == Choice(case.items[0].key.truth)
