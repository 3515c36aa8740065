"""Bandits and deep learners in labs: the easy decisions, budgets, and one's own intent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from causalbench.agent.bandits import CausalThompsonAgent, ThompsonAgent, UCBAgent
from causalbench.agent.protocol import Abstain, Choice, Clock
from causalbench.agent.registry import make_agent
from causalbench.errors import AgentError, MissingExtraError
from causalbench.task.types import Decision
from causalbench.truth.knowledge import Budget

UMBRELLA, CASINO = "umbrella-rain", "greedy-casino"
EASY = [("act-cheap", Choice("seed=yes")), ("act-dear", Choice("pass"))]
BANDITS = ["ucb", "thompson", "causal-thompson"]
DEEP = ["a2c", "trpo", "dqn", "qr-dqn", "ddpg", "sac"]


def studied(agent, case, lab_for, seed=0, clock=None):
    """Let an agent study; return it and its lab."""
    lab = lab_for(*case)
    agent.study(case[1], lab, rng=np.random.default_rng(seed), clock=clock or Clock())
    return lab


@pytest.mark.parametrize("name", BANDITS)
@pytest.mark.parametrize(("decision", "best"), EASY)
def test_bandits_do_what_doing_teaches(name, decision, best, lab_case, lab_for, ask):
    """2,000 steps: seed where it is cheap, pass where it is dear."""
    case = lab_case(UMBRELLA, decision, interventions=2000)
    agent = make_agent(name).factory()
    lab = studied(agent, case, lab_for)
    answer = agent.answer(ask(case[1].decisions[0]), rng=np.random.default_rng(0))
    assert (answer, lab.spent) == (best, Budget(interventions=2000))


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize(("decision", "best"), EASY)
def test_deep_learners_do_what_doing_teaches(name, decision, best, lab_case, lab_for, ask):
    """2,048 steps suffice for what PPO learns, too."""
    case = lab_case(UMBRELLA, decision, interventions=2048)
    agent = make_agent(name).factory()
    lab = studied(agent, case, lab_for)
    answer = agent.answer(ask(case[1].decisions[0]), rng=np.random.default_rng(0))
    assert (answer, lab.spent) == (best, Budget(interventions=2048))


@pytest.mark.parametrize("name", ["dqn", "trpo"])
def test_deep_learners_keep_within_small_budgets(name, lab_case, lab_for, ask):
    """Rollouts become shorter; where not one step of each copy is left, nothing is practised."""
    case = lab_case(UMBRELLA, "act-cheap", interventions=100)
    agent = make_agent(name).factory()
    assert studied(agent, case, lab_for).spent == Budget(interventions=96)
    case = lab_case(UMBRELLA, "act-cheap", interventions=7)
    assert studied(agent, case, lab_for).spent == Budget()
    answer = agent.answer(ask(case[1].decisions[0]), rng=np.random.default_rng(0))
    assert answer == Abstain("unseen")


@pytest.mark.parametrize("kind", [UCBAgent, ThompsonAgent])
def test_bandits_stop_when_the_clock_does(kind, lab_case, lab_for):
    """Without time nothing is practised."""
    case = lab_case(UMBRELLA, "act-cheap", interventions=500)
    assert studied(kind(), case, lab_for, clock=Clock(0.0)).spent == Budget()


def test_an_observation_never_met_is_unseen(lab_case, lab_for, ask):
    """A bandit says so rather than guess."""
    case = lab_case(UMBRELLA, "act-cheap", "redo-dear", regime="do", interventions=60)
    agent = UCBAgent()
    studied(agent, case, lab_for)
    answer = agent.answer(ask(case[1].decisions[1]), rng=np.random.default_rng(0))
    assert answer == Abstain("unseen")


def test_deep_learners_need_their_extra(monkeypatch):
    """Without stable-baselines3 one line says what to install."""
    monkeypatch.setattr("causalbench.agent.sb3_agent.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'causalbench-ladder\[rl\]'"):
        make_agent("sac")


@pytest.mark.parametrize(
    ("name", "options"),
    [("ucb", {"steps": 0}), ("causal-thompson", {"rows": -1}), ("dqn", {"steps": 0})],
)
def test_impossible_practice_is_refused(name, options):
    """Steps and rows are counted from 1 and 0."""
    with pytest.raises(AgentError, match="give"):
        make_agent(name, options)


def test_causal_thompson_plays_against_its_inclination(lab_case, lab_for, ask):
    """Shown what it is drawn to, it counts the records, tries the other, and earns .45, not .15."""
    scm, dossier = lab_case(CASINO, regime="intent", rows=2000, interventions=600)
    shown = Decision(
        "gamble", "act", ("play=one", "play=two"), ((1.0, "payout=yes"),), observes=("play",)
    )
    case = scm, replace(dossier, decisions=(shown,))
    agent = CausalThompsonAgent(steps=600)
    lab = studied(agent, case, lab_for)
    counts = agent._policies["gamble"].probabilities
    answers = [
        agent.answer(ask(shown, {"play": drawn}), rng=np.random.default_rng(0))
        for drawn in ("one", "two")
    ]
    assert answers == [Choice("play=two"), Choice("play=one")]
    assert (lab.spent, len(counts)) == (Budget(interventions=600), 2)
