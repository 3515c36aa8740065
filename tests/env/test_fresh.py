"""Worlds drawn by the thousand are ordinary worlds: same rollouts, same values, fresh in time."""

from __future__ import annotations

import copy
import math
from collections import Counter

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from causalbench.env import SequenceVectorEnv
from causalbench.env.fresh import FreshEnv, FreshVectorEnv, names_of, random_program
from causalbench.env.stream import key_of, word
from causalbench.errors import AgentError, UnknownNameError, WorldError
from causalbench.scm.play import REGIMES
from causalbench.truth.policy.controls import uniform

MODES = (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP)


def assert_alike(one, two):
    """Compare two results of a step, masked parts of info apart."""
    for mine, theirs in zip(one[:4], two[:4], strict=True):
        assert np.array_equal(mine, theirs)
    if two[4]:
        assert np.array_equal(one[4]["final_obs"], np.stack(list(two[4]["final_obs"])))


@pytest.mark.parametrize("size", [5, 10, 13, 31])
@pytest.mark.parametrize("regime", REGIMES)
def test_a_bulk_of_worlds_plays_as_its_programs_do(regime, size):
    """The arrays drawn in bulk, and those laid out from ordinary programs, bit for bit."""
    copies = 40
    bulk = FreshVectorEnv(copies, size, renew=0, regime=regime)
    bulk.reset(seed=7)
    plain = SequenceVectorEnv(bulk.programs, copies, regime)
    plain._binary = None  # the general loops
    plain.reset(seed=0)
    plain._keys[:], plain._clocks[0::3] = bulk._keys, -1
    assert np.array_equal(bulk.reset(seed=7)[0], plain.reset()[0])
    rng = np.random.default_rng(0)
    for _ in range(12):
        actions = rng.integers(len(bulk.actions), size=copies)
        assert_alike(bulk.step(actions), plain.step(actions))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("renew", [0, 1, 3])
@pytest.mark.parametrize("regime", REGIMES)
def test_the_vector_environment_is_that_many_scalar_ones(regime, renew, mode):
    """Also where worlds come and go, and where some copies begin an episode out of turn."""
    many = FreshVectorEnv(3, renew=renew, regime=regime, autoreset_mode=mode)
    makers = [lambda: FreshEnv(renew=renew, regime=regime)] * 3
    sync = SyncVectorEnv(makers, autoreset_mode=mode)
    assert np.array_equal(many.reset(seed=4)[0], sync.reset(seed=4)[0])
    rng = np.random.default_rng(0)
    for turn in range(9):
        if turn == 4:
            mask = np.array([True, False, True])
            one, two = (env.reset(options={"reset_mask": mask})[0] for env in (many, sync))
            assert np.array_equal(one, two)
        actions = rng.integers(many.single_action_space.n, size=3)
        assert_alike(many.step(actions), sync.step(actions))


def test_the_worlds_of_a_copy_are_those_of_its_seed():
    """World g of seed s is a numbered one, whatever copy it is in, however many there are."""
    env = FreshVectorEnv(3, renew=2)
    env.reset(seed=[5, 8, 9])
    for step in range(6):
        wanted = [random_program(step // 2, seed=seed) for seed in (5, 8, 9)]
        assert [p.process for p in env.programs] == [p.process for p in wanted]
        assert [p.play for p in env.programs] == [p.play for p in wanted]
        env.step(np.zeros(3, dtype=np.int64))
    env.reset(seed=[None, 8, None])
    assert env.program(1).process == random_program(0, seed=8).process
    assert env.program(0).process == random_program(3, seed=5).process


def test_single_copies_go_over_to_fresh_worlds_by_themselves():
    """Where a mask has begun episodes in one alone, it is ahead of the others."""
    env = FreshVectorEnv(2, renew=3)
    env.reset(seed=0)
    env.reset(options={"reset_mask": np.array([True, False])})
    told = []
    for _ in range(5):
        env.step(np.zeros(2, dtype=np.int64))
        told.append(env._numbers.tolist())
    assert told == [[0, 0], [1, 0], [1, 1], [1, 1], [2, 1]]


def test_what_is_played_is_worth_what_the_exact_engine_says():
    """The mean reward of random actions in a world, within Hoeffding's bound at 1e-9 each."""
    episodes, copies = 40_000, 5
    env = FreshVectorEnv(copies, renew=0)
    env.reset(seed=3)
    rng = np.random.default_rng(0)
    total = sum(env.step(rng.integers(3, size=copies))[1] for _ in range(episodes))
    off = math.sqrt(math.log(2e9) / (2 * episodes))
    for index in range(copies):
        assert abs(total[index] / episodes - uniform(env.program(index)).value) <= off


def test_worlds_have_the_structure_that_is_promised():
    """What is paid is changed by ``v1``; causes are few, confounders have two or three effects."""
    seen = Counter()
    for index in range(200):
        program = random_program(index, num_variables=7)
        scm = program.process.first
        diagram = scm.full_diagram
        assert scm.names == names_of(7)
        for _, event in program.play.reward:
            assert "v1" in diagram.ancestors(event.split("=")[0])
        for name in scm.names:
            cpt = scm.cpt(name) * 1024
            assert np.array_equal(cpt, np.rint(cpt))
            assert cpt.min() >= 16
            assert len(scm.parents(name)) <= 3
        for name in scm.hidden:
            assert not scm.parents(name)
            assert len(diagram.children(name)) in {2, 3}
        seen["causes of v1"] += len(scm.parents("v1")) > 0
        seen["terms"] += len(program.play.reward)
        seen[str(diagram)] += 1
    assert 100 < seen.pop("causes of v1") < 200
    assert 200 < seen.pop("terms") < 400
    assert max(seen.values()) == 1


def test_all_orders_and_thresholds_come_up_as_often_as_they_should():
    """Within Hoeffding's bound at 1e-9 each, over 20,000 worlds of five variables."""
    copies = 20_000
    env = FreshVectorEnv(copies, 5, renew=0)
    env.reset(seed=1)
    off = math.sqrt(math.log(2e9) / (2 * copies))
    # v1 is one of the first two of three, so it is the first in half of the worlds, and then no
    # visible variable is a cause of it; in the other half, the one before it is with chance 1/2.
    drawn = env._drawn
    caused = (drawn.parents[:, 0] % 32 < 3).any(axis=1).ravel()[:copies]
    assert abs(caused.mean() - 0.25) <= off
    # Probabilities are uniform on 16 ... 1008.
    cuts = drawn.last[:, 0, 0].ravel()[:copies] + 1
    assert cuts.min() == 16
    assert cuts.max() == 1008
    for level in (200, 512, 800):
        assert abs((cuts <= level).mean() - (level - 15) / 993) <= off
    assert abs(env._laws.good[:, 0].mean() - 0.5) <= off


def test_no_word_serves_both_a_world_and_what_happens_in_it():
    """Their counters are 2**63 apart, and worlds have keys of their own."""
    keys = {word(key_of(seed), number) for seed in range(50) for number in range(50)}
    assert len(keys) == 2500


def test_fresh_worlds_are_forked_and_refused_like_others():
    """A deep copy goes on alike; what is no action, number or size is refused, to no effect."""
    env = FreshVectorEnv(2, renew=1)
    env.reset(seed=1)
    twin = copy.deepcopy(env)
    with pytest.raises(UnknownNameError, match="from 0 to 2"):
        env.step(np.array([0, 3]))
    for _ in range(3):
        both = np.array([1, 2])
        assert_alike(env.step(both), twin.step(both))
    with pytest.raises(AgentError, match="renew is -1"):
        FreshVectorEnv(2, renew=-1)
    for size in (4, 32, 5.5):
        with pytest.raises(WorldError, match="give 5 to 31"):
            random_program(0, num_variables=size)
