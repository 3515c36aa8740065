"""A million episodes in the environments earn what the solver says, within 5 standard errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from causalbench.env.sequence_vector import SequenceVectorEnv
from causalbench.task.sequential.catalogue import FAMILIES, load_sequence
from causalbench.truth.policy import Moment, clone, planner, policy_value, reference
from causalbench.truth.policy.simulate import roll

EPISODES = 10**6
BATCH = 50_000
LIMIT = 3 * 10**5


def _earned(program, policy, regime, seed, episodes=EPISODES):
    """Return the returns and lengths of a million episodes in the vector environment."""
    rng = np.random.default_rng([75, seed])
    totals, lengths = [], []
    env = SequenceVectorEnv(program, BATCH, regime)
    for batch in range(episodes // BATCH):
        seen, _ = env.reset(seed=10**6 * (seed + 1) + batch * BATCH)
        memory = policy.begin(BATCH)
        action, paid = np.full(BATCH, -1), np.zeros(BATCH)
        total, length = np.zeros(BATCH), np.zeros(BATCH, dtype=np.int64)
        going = np.ones(BATCH, dtype=np.bool_)
        for step in range(2 * program.horizon):
            chances, memory = policy.act(Moment(np.asarray(seen), action, paid, step), memory)
            bounds = np.cumsum(chances, axis=1)
            draws = rng.random(BATCH) * bounds[:, -1]
            action = np.minimum((bounds <= draws[:, None]).sum(axis=1), chances.shape[1] - 1)
            seen, reward, ended, cut, _ = env.step(action)
            assert not cut.any()
            # Copies whose episode has ended begin another, which does not count.
            total += np.where(going, reward, 0)
            length += going
            paid = np.asarray(reward)
            going &= ~ended
            if not going.any():
                break
        totals.append(total)
        lengths.append(length)
    env.close()
    return np.concatenate(totals), np.concatenate(lengths)


def _agrees(sample, expected):
    """Say whether a mean is within 5 standard errors, or of rounding, of what is expected."""
    error = 5 * float(sample.std(ddof=1)) / math.sqrt(len(sample))
    assert abs(float(sample.mean()) - expected) <= error + 1e-9


def _check(name, regime, episodes):
    program = load_sequence(name).program()
    found = reference(program, regime, limit=LIMIT)
    if found.policy is None:
        assert regime == "replay"  # an estimate from drawn courses, whose policy is not kept
        assert found.value.low <= found.value.high
        return
    under = "do" if regime == "see" else regime
    exact = policy_value(program, found.policy, under)
    assert exact.exact
    seed = list(FAMILIES).index(name)
    returns, lengths = _earned(program, found.policy, under, seed, episodes)
    _agrees(returns, exact.value)
    _agrees(lengths, exact.length)
    if found.value.exact:
        assert exact.value == pytest.approx(found.value.value, abs=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("regime", ["see", "do", "intent", "replay"])
def test_a_million_episodes_earn_the_references_value(regime):
    """The reference policies of casino-rounds, in the environment."""
    _check("casino-rounds", regime, EPISODES)


@pytest.mark.parametrize("regime", ["see", "do", "intent"])
@pytest.mark.parametrize("name", list(FAMILIES))
def test_reference_policies_earn_their_value_in_every_family(name, regime):
    """One batch of episodes in each family's published world, judged by its own standard error."""
    _check(name, regime, BATCH)


@pytest.mark.parametrize("name", ["umbrella-days", "anticausal-proxy", "two-shifts", "discover"])
def test_replay_policies_earn_their_value(name):
    """One batch of episodes that are watched first."""
    _check(name, "replay", BATCH)


@pytest.mark.parametrize("name", ["umbrella-days", "imitate"])
def test_own_episodes_agree_with_exact_values(name):
    """Episodes drawn by looking noise up in tables, goals among them, for stochastic policies."""
    program = load_sequence(name).program()
    rng = np.random.default_rng(76)
    for policy in (clone(program).policy, planner(program, 1)):
        exact = policy_value(program, policy, "do")
        returns, goals, lengths = roll(program, policy, "do", 50_000, rng=rng)
        _agrees(returns, exact.value)
        _agrees(goals, exact.goal)
        _agrees(lengths, exact.length)
