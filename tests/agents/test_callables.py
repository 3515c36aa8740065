"""Plain functions and stable-baselines3 models as agents."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
import stable_baselines3

import causalbench.env
from causalbench.agent.protocol import Abstain, Choice, Clock
from causalbench.agent.registry import make_agent
from causalbench.errors import AnswerError
from causalbench.task.observation import ObservationSpace

WORLD = "umbrella-rain"
DECISIONS = ("bet", "act-cheap", "act-dear", "redo-cheap", "redo-dear")


@pytest.fixture
def said(lab_case, lab_for, ask):
    """Return a function: what an agent answers to a decision of the umbrella world."""

    def run(agent, decision_id="act-cheap"):
        scm, dossier = lab_case(WORLD, *DECISIONS)
        made = make_agent(agent).factory()
        made.study(dossier, lab_for(scm, dossier), rng=np.random.default_rng(0), clock=Clock())
        question = ask(dossier.decision(decision_id))
        return made.answer(question, rng=np.random.default_rng(0))

    return run


@pytest.mark.parametrize(
    ("returned", "answer"),
    [
        (1, Choice("umbrella=no")),
        (np.int64(2), Choice("seed=yes")),
        (np.array([0]), Choice("pass")),
        ("seed=yes", Choice("seed=yes")),
        (None, Abstain("the policy gave no action")),
    ],
)
def test_a_function_may_return_an_index_a_label_or_nothing(said, returned, answer):
    """Whatever names an action is read as one."""
    assert said(lambda _: returned) == answer


@pytest.mark.parametrize("returned", [3, -1, 0.5, True, "umbrella", [0, 1]])
def test_what_names_no_action_is_refused(said, returned):
    """One line says what may be returned."""
    with pytest.raises(AnswerError, match="return an index from 0 to 2, or a label"):
        said(lambda _: returned)


def test_a_function_sees_the_encoded_observation(said, lab_case):
    """It gets the vector of the shared space: here the stated evidence of the redo."""
    kept = []
    said(lambda obs: kept.append(obs) or 0, "redo-dear")
    _, dossier = lab_case(WORLD, *DECISIONS)
    decision = dossier.decision("redo-dear")
    expected = ObservationSpace(dossier).encode(dict(decision.given), "redo", "redo-dear")
    assert kept[0].tolist() == expected.tolist()


def test_a_function_is_named_after_itself():
    """Tables show the function's name; it plays decisions only."""

    def always_pass(obs):
        del obs
        return 0

    made = make_agent(always_pass)
    assert (made.name, made.accepts) == ("always_pass", {"bet", "act", "redo"})
    assert make_agent(lambda _: 0).name == "policy"


def test_functions_digest_by_code_and_closure():
    """Another constant inside makes another agent; the same code is the same agent."""

    def constant(index):
        return lambda _: index

    digests = [make_agent(constant(index)).source_digest for index in (0, 0, 1)]
    assert (digests[0] == digests[1], digests[0] == digests[2]) == (True, False)


@pytest.mark.slow
def test_a_stable_baselines3_model_plays(said):
    """A model trained on the registered environment answers in a dossier of the same space."""
    gymnasium.register_envs(causalbench.env)
    env = gymnasium.make("causalbench/UmbrellaRain-v0")
    model = stable_baselines3.PPO("MlpPolicy", env, n_steps=64, seed=0, device="cpu", gamma=0.0)
    model.learn(64)
    action = model.predict(env.reset(seed=0)[0], deterministic=True)[0]
    assert said(model) == Choice(env.unwrapped.actions[int(action)])
    assert make_agent(model).source_digest == make_agent(model).source_digest


@pytest.mark.slow
def test_a_model_of_another_space_abstains(said):
    """A model that was trained on other observations says so."""
    space = gymnasium.spaces.MultiDiscrete([2, 2])

    class Other(gymnasium.Env):
        observation_space = space
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed, options=options)
            return np.zeros(2, dtype=np.int64), {}

        def step(self, action):
            del action
            return np.zeros(2, dtype=np.int64), 0.0, True, False, {}

    model = stable_baselines3.PPO("MlpPolicy", Other(), n_steps=64, seed=0, device="cpu")
    assert said(model) == Abstain("the model was trained on another observation space")
