"""PPO: budgets, determinism, and leaving no trace."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from causalbench.agent.ppo import PPOAgent
from causalbench.agent.protocol import Abstain, Choice, Clock
from causalbench.errors import AgentError, MissingExtraError
from causalbench.truth.knowledge import Budget

WORLD = "umbrella-rain"


@pytest.fixture
def trained(lab_case, lab_for):
    """Return a function: (agent, dossier, lab) after study."""

    def run(steps, *ids, clock=None, seed=0, **budget):
        scm, dossier = lab_case(WORLD, *ids, **budget)
        lab = lab_for(scm, dossier)
        agent = PPOAgent(steps=steps)
        agent.study(dossier, lab, rng=np.random.default_rng(seed), clock=clock or Clock())
        return agent, dossier, lab

    return run


@pytest.mark.parametrize(
    ("steps", "budget", "spent"),
    [
        (1024, 9000, 1024),
        (9000, 1024, 1024),
        (1100, 1100, 1088),  # 17 rollouts of 64
        (100, 100, 96),  # 6 rollouts of 16, the shortest there are
        (16, 16, 16),
        (9, 9, 0),  # not one step of each environment
    ],
)
def test_ppo_keeps_within_steps_and_budget(trained, steps, budget, spent):
    """What is played is what is paid, in whole rollouts."""
    _, _, lab = trained(steps, "act-cheap", interventions=budget)
    assert lab.spent == Budget(interventions=spent)


def test_ppo_answers_legally_and_abstains_where_it_never_practised(trained, ask):
    """Decisions that the budget left out are "unseen"."""
    agent, dossier, _ = trained(32, "act-cheap", "redo-dear", interventions=32)
    rng = np.random.default_rng(0)
    act, redo = (ask(decision) for decision in dossier.decisions)
    assert agent.answer(act, rng=rng).action in act.actions
    assert agent.answer(redo, rng=rng) == Abstain("unseen")


def test_ppo_is_deterministic_in_its_generators(trained):
    """The same lab and generator train the same weights; another generator others."""
    weights = []
    for seed in (0, 0, 1):
        agent, _, _ = trained(512, "act-cheap", interventions=512, seed=seed)
        state = agent._policies["act-cheap"].state_dict()
        weights.append(np.concatenate([value.numpy().ravel() for value in state.values()]))
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_ppo_leaves_global_generators_alone(trained):
    """Its library seeds all three; nobody else may notice."""
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    expected = random.random(), np.random.rand(), torch.rand(1).item()  # noqa: S311, NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    trained(512, "act-cheap", interventions=512)
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == expected  # noqa: S311, NPY002


def test_ppo_stops_when_the_clock_does(trained):
    """Without time nothing is practised."""
    _, _, lab = trained(512, "act-cheap", interventions=512, clock=Clock(0.0))
    assert lab.spent == Budget()


def test_ppo_learns_from_observations(lab_case, lab_for, ask):
    """Bets differ with what is seen: on umbrella=no rain is unlikely, on yes likely."""
    scm, dossier = lab_case(WORLD, "bet", regime="see")
    dossier = replace(dossier, budget=Budget(rows=8192))
    agent = PPOAgent()
    agent.study(dossier, lab_for(scm, dossier), rng=np.random.default_rng(0), clock=Clock())
    questions = [ask(dossier.decisions[0], {"umbrella": seen}) for seen in ("no", "yes")]
    answers = [agent.answer(question, rng=np.random.default_rng(0)) for question in questions]
    assert answers == [Choice("rain=no"), Choice("rain=yes")]


def test_ppo_needs_its_extra(monkeypatch):
    """Without stable-baselines3 one line says what to install."""
    monkeypatch.setattr("causalbench.agent.ppo.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'causalbench-ladder\[rl\]'"):
        PPOAgent()


@pytest.mark.parametrize(
    "options", [{"steps": 0}, {"learning_rate": 0.0}, {"entropy": -1.0}, {"epochs": 0}]
)
def test_impossible_options_are_refused(options):
    """Numbers that cannot train are refused in one line."""
    with pytest.raises(AgentError, match="give positive numbers"):
        PPOAgent(**options)
