"""The algorithms of stable-baselines3: adapter, policies, checkpoints, and what they reach."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from scipy.stats import norm

from causalbench.agent.learn.policies import History
from causalbench.agent.learn.registry import make_learner
from causalbench.agent.learn.sb3_build import KINDS, Falling
from causalbench.agent.learn.sb3_env import FieldVecEnv, one_hot
from causalbench.agent.learn.sb3_policy import highest
from causalbench.errors import AccessError, AgentError, MissingExtraError
from causalbench.truth.policy import Moment

CASINO = "casino-rounds"
NAMES = list(KINDS)
FREE = ["a2c", "ppo", "recurrent-ppo", "trpo"]  # train on what they just did
BRIEF = {"copies": 4, "rollout": 8}
SMALL = {"copies": 4, "warmup": 16, "updates": 1, "batch": 16}
ROUNDING = 1e-9


def brief(name):
    """Return options that make a training short."""
    return BRIEF if name in FREE else SMALL


def watched(program, field, steps=3):
    """Return what copies of a policy have before them, step by step, acting at random."""
    env, rng = field.env(6), np.random.default_rng(0)
    seen, _ = env.reset()
    action, found = np.full(6, -1), []
    for step in range(min(steps, program.horizon)):
        found.append(Moment(seen, action, np.zeros(6), step))
        action = rng.integers(len(field.actions), size=6)
        seen = env.step(action)[0]
    return found


def played(policy, moments):
    """Return the probabilities at each step."""
    memory, found = policy.begin(6), []
    for moment in moments:
        chances, memory = policy.act(moment, memory)
        found.append(chances)
    return np.stack(found)


def test_codes_become_zeros_and_ones():
    """One 1 for each place, at its code."""
    rows = np.array([[0, 2], [1, 0]], dtype=np.int16)
    assert one_hot(rows, np.array([2, 3])).tolist() == [[1, 0, 0, 0, 1], [0, 1, 1, 0, 0]]


def test_scores_stand_for_the_highest(program_of, field_of):
    """DDPG's and SAC's vectors are actions: where the highest score is, ties to the first."""
    field = field_of(program_of(CASINO), "do")
    history = History(tuple(field.nvec), 3, 2)
    env = FieldVecEnv(field.env(3), history, scores=True)
    env.reset()
    env.step_async(np.array([[0.1, 0.9, -1.0], [0.0, 0.0, 0.0], [-1.0, -0.9, -0.8]]))
    assert env._chosen.tolist() == [1, 0, 2]


def test_the_last_observation_of_an_episode_is_told(program_of, field_of):
    """What ended is in the info, and what is returned has begun anew: its step is 0."""
    field = field_of(program_of(CASINO), "do")
    history = History(tuple(int(n) for n in field.nvec), 3, 2)
    env = FieldVecEnv(field.env(3), history, scores=False)
    first = env.reset()
    for _ in range(2):
        env.step_async(np.array([1, 1, 2]))
        seen, _, over, infos = env.step_wait()
    assert over.all()
    assert np.array_equal(seen, first)  # nothing has happened at a start
    at_end = np.stack([info["terminal_observation"] for info in infos])
    assert at_end[:, -3:].tolist() == [[0, 0, 1]] * 3  # step 2 of 2
    assert not any(info["TimeLimit.truncated"] for info in infos)


def test_the_highest_of_normal_scores_is_integrated():
    """Of two it has a closed form; of three alike each is the highest equally often."""
    mean, spread = np.array([[0.3, -0.2]]), np.array([[0.5, 1.2]])
    expected = norm.cdf(0.5 / np.hypot(0.5, 1.2))
    assert highest(mean, spread)[0, 0] == pytest.approx(expected, abs=2e-3)
    assert highest(np.zeros((1, 3)), np.ones((1, 3)))[0].tolist() == pytest.approx([1 / 3] * 3)


def test_exploration_falls_with_steps_not_with_calls():
    """From 1 to its last share over a number of steps, whatever a call's progress is."""
    falling = Falling(100, 0.2)
    shares = []
    for taken in (0, 50, 100, 500):
        falling.taken = taken
        shares.append(falling(0.0))
    assert shares == pytest.approx([1.0, 0.6, 0.2, 0.2])


@pytest.mark.parametrize("name", NAMES)
def test_policies_are_frozen_laws_over_the_actions(name, program_of, field_of, trained):
    """Float64, summing to 1 to rounding, and untouched by training that follows."""
    program = program_of(CASINO)
    field = field_of(program, "do")
    learner = trained(name, field, 64, **brief(name))
    policy, moments = learner.policy(), watched(program, field)
    before = played(policy, moments)
    learner.train(192)
    assert before.dtype == np.float64
    assert np.abs(before.sum(axis=2) - 1).max() < 1e-12
    assert (before >= 0).all()
    assert np.array_equal(played(policy, moments), before)
    assert learner._model.num_timesteps == 192


@pytest.mark.parametrize("name", ["ppo", "dqn", "sac", "recurrent-ppo"])
def test_parts_of_a_training_are_the_training(name, program_of, field_of, trained):
    """Weights after 64, 128, 256 steps are those after 256; another generator gives others."""
    weights = []
    for parts, seed in (((256,), 0), ((64, 128, 256), 0), ((256,), 1)):
        field = field_of(program_of(CASINO), "do")
        learner = trained(name, field, *parts, seed=seed, **brief(name))
        state = learner._model.policy.state_dict().values()
        weights.append(np.concatenate([value.numpy().ravel() for value in state]))
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


@pytest.mark.parametrize("name", ["a2c", "qr-dqn", "ddpg", "recurrent-ppo"])
def test_checkpoints_bring_the_network_back(name, program_of, field_of, trained, tmp_path):
    """What was saved acts as what was loaded, counts on, and remembers its steps."""
    program = program_of(CASINO)
    field = field_of(program, "do")
    saved = trained(name, field, 64, **brief(name))
    saved.save(tmp_path)
    loaded = trained(name, field_of(program, "do", 1), seed=8, **brief(name))
    loaded.load(tmp_path)
    moments = watched(program, field)
    expected = played(saved.policy(), moments)
    assert np.array_equal(played(loaded.policy(), moments), expected)
    loaded.train(96)
    assert loaded._model.num_timesteps == 96
    buffer = getattr(loaded._model, "replay_buffer", None)
    assert buffer is None or buffer.pos == 96 // 4


def test_another_algorithms_checkpoint_is_refused(program_of, field_of, trained, tmp_path):
    """Networks of two algorithms are not the same."""
    field = field_of(program_of(CASINO), "do")
    trained("a2c", field).save(tmp_path)
    with pytest.raises(AgentError, match="is of 'a2c'"):
        trained("ppo", field).load(tmp_path)


def test_global_generators_are_left_alone(program_of, field_of, trained):
    """The library seeds all three; nobody else may notice."""

    def drawn():
        random.seed(5)
        np.random.seed(5)  # noqa: NPY002
        torch.manual_seed(5)
        yield
        yield random.random(), np.random.rand(), torch.rand(1).item()  # noqa: S311, NPY002

    quiet, noisy = drawn(), drawn()
    next(quiet)
    expected = next(quiet)
    next(noisy)
    learner = trained("dqn", field_of(program_of(CASINO), "do"), 64, **SMALL)
    learner.policy()
    assert next(noisy) == expected


def test_the_recurrent_memory_is_rows_of_its_copies(program_of, field_of, trained):
    """Copies in another order, or one at a time, do the same."""
    program = program_of(CASINO)
    field = field_of(program, "do")
    policy = trained("recurrent-ppo", field, 64, **BRIEF).policy()
    moments = watched(program, field)
    order = np.array([5, 3, 1, 0, 2, 4])
    turned = [Moment(m.seen[order], m.action[order], m.reward, m.step) for m in moments]
    assert np.allclose(played(policy, moments)[:, order], played(policy, turned), atol=1e-6)
    assert policy.begin(6).shape == (6, 2 * 32)


def test_steps_are_whole_rollouts(program_of, field_of, trained):
    """What does not fill a rollout is left for later; shown besides are the next observations."""
    field = field_of(program_of(CASINO), "do")
    learner = trained("ppo", field, 31, 40, 100, **BRIEF)
    assert learner._model.num_timesteps == 96
    assert field.meter.steps == 96 + 4


def test_progress_is_told(program_of, field_of, trained):
    """A hook hears of every step of all copies."""
    learner = trained("ppo", field_of(program_of(CASINO), "do"), **BRIEF)
    heard = []
    learner.progress = heard.append
    learner.train(64)
    assert heard == list(range(4, 65, 4))


def test_phases_go_on_with_one_network(program_of, field_of, trained):
    """The next phase begins with what has been learnt."""
    program = program_of(CASINO)
    field = field_of(program, "do")
    learner = trained("dqn", field, 64, **SMALL)
    moments = watched(program, field)
    before = played(learner.policy(), moments)
    learner.enter(field_of(program_of(CASINO, index=1), "do", 1))
    assert np.array_equal(played(learner.policy(), moments), before)
    learner.train(128)
    assert learner._model.num_timesteps == 128


def test_a_log_cannot_be_acted_in(program_of, field_of, trained):
    """Regime see gives no environment."""
    with pytest.raises(AccessError, match="gives no environment"):
        trained("ppo", field_of(program_of(CASINO), "see"))


def test_learners_need_their_extra(monkeypatch):
    """Without sb3-contrib one line says what to install."""
    monkeypatch.setattr("causalbench.agent.learn.sb3.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'causalbench-ladder\[rl\]'"):
        make_learner("trpo")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rollout": 0}, "rollout 0"),
        ({"learning_rate": -1}, "learning_rate -1"),
        ({"entropy": -0.1}, "entropy -0.1"),
        ({"lerning_rate": 0.1}, "Did you mean 'learning_rate'"),
        ({"timed": 1}, "give true or false"),
    ],
)
def test_impossible_networks_are_refused(options, message):
    """Numbers that cannot train, and options that there are not."""
    with pytest.raises(AgentError, match=message):
        make_learner("ppo", options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "regime"), [*((name, "do") for name in NAMES), ("ppo", "intent"), ("dqn", "intent")]
)
def test_each_reaches_its_regimes_reference_and_no_more(
    name, regime, program_of, field_of, ladder_of, trained, worth
):
    """Acting, the best do-policy; shown its intent, the best that sees it."""
    program, ladder = program_of(CASINO), ladder_of(CASINO)
    learner = trained(name, field_of(program, regime), 8192)
    value = worth(learner, program, regime)
    below = {"do": "see", "intent": "do"}[regime]
    assert ladder[below] + 0.05 < value <= ladder[regime] + ROUNDING
