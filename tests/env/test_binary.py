"""The fast loops for binary worlds of one step give what the general ones give, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

from causalbench.env import SequenceEnv, SequenceVectorEnv
from causalbench.errors import UnknownNameError
from causalbench.scm import SCM, Variable
from causalbench.scm.play import Play
from causalbench.scm.process import Process
from causalbench.scm.program import Program
from causalbench.scm.random import random_mechanism, random_scm

REWARD = ((1.0, "v2=1"), (-0.5, "v4=0, v1=1"), (0.25, "v3!=0"))
ACTIONS = ("v3=1", "pass", "v1=0, v5=1", "v5=0")


def binary_program(seed, *, coupling="monotone", reward=REWARD, card=2):
    """Return a world of eight variables, two of them hidden and three of the others observed."""
    rng = np.random.default_rng(seed)
    drawn = random_scm(rng=rng, n=6, hidden=2)
    variables = {
        name: Variable(name, ("0", "1"), drawn.variable(name).hidden) for name in drawn.names
    }
    variables["v6"] = Variable("v6", tuple(str(code) for code in range(card)))
    mechanisms = {}
    for name in drawn.names:
        parents = drawn.parents(name)
        mechanisms[name] = random_mechanism(
            rng=rng,
            parents=parents,
            shape=[variables[parent].cardinality for parent in parents],
            card=variables[name].cardinality,
            coupling=coupling,
        )
    scm = SCM(variables, mechanisms)
    play = Play("act", ACTIONS, ("v5", "v1", "v4"), reward)
    return Program(Process(scm, scm, 1), play)


def assert_alike(one, two):
    """Compare two results of a step."""
    for mine, theirs in zip(one[:4], two[:4], strict=True):
        assert np.array_equal(mine, theirs)
    assert np.array_equal(one[4]["final_obs"], np.stack(list(two[4]["final_obs"])))


@pytest.mark.parametrize(
    ("worlds", "copies"), [(1, 3), (1, 70), (2, 64), (3, 40), (33, 70), (70, 70)]
)
def test_the_fast_loops_give_what_the_general_ones_give(worlds, copies):
    """Whether the worlds fill the blocks, go round in them or leave lanes over."""
    programs = [binary_program(seed) for seed in range(worlds)]
    fast, slow = (SequenceVectorEnv(programs, copies) for _ in range(2))
    assert fast._binary is not None
    slow._binary = None
    assert np.array_equal(fast.reset(seed=5)[0], slow.reset(seed=5)[0])
    rng = np.random.default_rng(0)
    for turn in range(25):
        actions = rng.integers(len(ACTIONS), size=copies)
        assert_alike(fast.step(actions), slow.step(actions))
        if turn == 9:
            mask = {"reset_mask": rng.random(copies) < 0.5}
            assert np.array_equal(fast.reset(options=mask)[0], slow.reset(options=mask)[0])


def test_they_give_what_the_scalar_environment_gives():
    """Which is written in another way, in plain Python."""
    programs = [binary_program(seed) for seed in range(3)]
    many = SequenceVectorEnv(programs, 6)
    sync = SyncVectorEnv(
        [lambda i=i: SequenceEnv(programs[i % 3]) for i in range(6)], autoreset_mode="SameStep"
    )
    assert np.array_equal(many.reset(seed=5)[0], sync.reset(seed=5)[0])
    rng = np.random.default_rng(0)
    for _ in range(100):
        actions = rng.integers(len(ACTIONS), size=6)
        assert_alike(many.step(actions), sync.step(actions))


@pytest.mark.parametrize("variables", range(1, 12))
def test_observations_of_any_length_are_written(variables):
    """Eight places at a time, and what is left over one by one."""
    names = [f"v{number}" for number in range(variables)]
    rng = np.random.default_rng(variables)
    mechanisms = {
        name: random_mechanism(rng=rng, parents=(), shape=(), card=2, coupling="monotone")
        for name in names
    }
    scm = SCM({name: Variable(name, ("0", "1")) for name in names}, mechanisms)
    play = Play("act", ("v0=0", "v0=1"), tuple(names[::2]), ((1.0, "v0=1"),))
    fast, slow = (SequenceVectorEnv(Program(Process(scm, scm, 1), play), 40) for _ in range(2))
    assert fast._binary is not None
    slow._binary = None
    assert np.array_equal(fast.reset(seed=1)[0], slow.reset(seed=1)[0])
    for _ in range(5):
        assert_alike(fast.step(np.zeros(40, dtype=int)), slow.step(np.zeros(40, dtype=int)))


def test_what_they_cannot_step_is_left_to_the_general_ones():
    """Another regime, autoreset, coupling or number of values; or many variables paid together."""
    plain = binary_program(1)
    assert SequenceVectorEnv(plain, 2, "do")._binary is not None
    assert SequenceVectorEnv(plain, 2, "intent")._binary is None
    assert SequenceVectorEnv(plain, 2, autoreset_mode="NextStep")._binary is None
    assert SequenceVectorEnv(binary_program(1, card=3), 2)._binary is None
    couplings = [binary_program(seed, coupling="any") for seed in range(4)]
    assert SequenceVectorEnv(couplings, 4)._binary is None


def test_an_action_that_does_not_exist_changes_nothing():
    """Whichever copy it is given to."""
    env, other = (SequenceVectorEnv(binary_program(1), 40) for _ in range(2))
    env.reset(seed=1)
    other.reset(seed=1)
    for wrong in (-1, len(ACTIONS)):
        actions = np.zeros(40, dtype=int)
        actions[33] = wrong
        with pytest.raises(UnknownNameError, match="from 0 to 3"):
            env.step(actions)
    assert_alike(env.step(np.ones(40, dtype=int)), other.step(np.ones(40, dtype=int)))
