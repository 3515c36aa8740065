"""The umbrella world as learners meet it: seeing misleads, acting does not, replaying tells.

Ten seeds each, as the world's numbers state; nothing here is retried or tuned to a seed.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from causalbench.agent.ppo import PPOAgent
from causalbench.agent.protocol import Choice, Clock
from causalbench.agent.tabular import QOffline, QOnline

M1, M1A, M2 = "umbrella-rain", "umbrella-rain-antitone", "umbrella-rain-turned"
ACTS = [
    (M1, "act-cheap", "seed=yes"),
    (M1, "act-dear", "pass"),
    (M1A, "act-cheap", "seed=yes"),
    (M1A, "act-dear", "pass"),
    (M2, "act-cheap", "umbrella=no"),
    (M2, "act-dear", "umbrella=no"),
]
REDOS = [(M1, "redo-dear", "pass"), (M1A, "redo-dear", "seed=yes"), (M1, "redo-cheap", "seed=yes")]


@pytest.fixture
def choices(lab_case, lab_for, ask):
    """Return a function: what ten fresh learners choose, each with its own seed."""

    def run(agent, world, decision_id, seeds=10, **budget):
        chosen = Counter()
        for seed in range(seeds):
            scm, dossier = lab_case(world, decision_id, seed=seed, **budget)
            learner = agent()
            learner.study(
                dossier, lab_for(scm, dossier, seed), rng=np.random.default_rng(seed), clock=Clock()
            )
            question = ask(dossier.decision(decision_id))
            answer = learner.answer(question, rng=np.random.default_rng(0))
            assert isinstance(answer, Choice)
            chosen[answer.action] += 1
        return dict(chosen)

    return run


@pytest.mark.parametrize("world", [M1, M1A, M2])
@pytest.mark.parametrize("decision_id", ["act-cheap", "act-dear"])
def test_offline_q_takes_the_umbrellas_away(choices, world, decision_id):
    """From 5,000 rows umbrella=no looks best, in every world and at either price."""
    assert choices(QOffline, world, decision_id, rows=5000) == {"umbrella=no": 10}


@pytest.mark.parametrize(("world", "decision_id", "best"), ACTS)
def test_online_q_does_what_doing_teaches(choices, world, decision_id, best):
    """2,000 steps in the lab: seed where it is cheap, pass where dear, turned: no umbrellas."""
    found = choices(QOnline, world, decision_id, interventions=2000)
    assert found == {best: 10}


@pytest.mark.parametrize(("world", "decision_id", "best"), REDOS)
def test_replaying_q_redoes_rightly(choices, world, decision_id, best):
    """2,000 replays of the stated evidence tell the two couplings apart."""
    assert choices(QOnline, world, decision_id, replays=2000) == {best: 10}


@pytest.mark.slow
@pytest.mark.parametrize(("world", "decision_id", "best"), [*ACTS[:2], *ACTS[4:]])
def test_ppo_does_what_doing_teaches(choices, world, decision_id, best):
    """8,192 steps of PPO choose as online Q does."""
    assert choices(PPOAgent, world, decision_id, interventions=8192) == {best: 10}


@pytest.mark.slow
@pytest.mark.parametrize(("world", "decision_id", "best"), REDOS[:2])
def test_replaying_ppo_redoes_rightly(choices, world, decision_id, best):
    """8,192 replays of PPO tell the two couplings apart."""
    assert choices(PPOAgent, world, decision_id, replays=8192) == {best: 10}


def test_offline_q_redoes_by_habit(choices):
    """Given the stated evidence, only passing ever met it: rows cannot say what else would do."""
    assert choices(QOffline, M1A, "redo-dear", rows=5000) == {"pass": 10}
