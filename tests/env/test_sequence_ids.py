"""Registered ids: all of them, under every regime, scalar and vector."""

from __future__ import annotations

import subprocess
import sys
from ast import literal_eval

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv

import causalbench.env
from causalbench.env import ENV_IDS, SequenceEnv, SequenceVectorEnv, WorldEnv, WorldVectorEnv
from causalbench.env.fresh import FreshVectorEnv, random_program
from causalbench.env.ids import FAMILY_ENVS, family_programs
from causalbench.errors import AgentError, NotFoundError, WorldError
from causalbench.scm.play import REGIMES
from causalbench.task.sequential import FAMILIES, load_family
from causalbench.task.world import list_worlds, load_world

SEQUENTIAL = ENV_IDS[2:]
OPTIONS = {"causalbench/World-v0": {"world": "umbrella-rain", "decision": "act-cheap"}}


def test_the_table_of_ids_is_that_of_the_families():
    """So that registering an id loads no family."""
    assert set(FAMILY_ENVS) == set(FAMILIES)
    assert {f"causalbench/{FAMILY_ENVS[name]}-v0" for name in FAMILIES} == {
        load_family(name).id for name in FAMILIES
    }


def test_importing_the_environments_loads_nothing_heavy():
    """No family, no compiler, no torch."""
    heavy = ("numba", "torch", "matplotlib", "pandas")
    code = "import sys, causalbench.env; print([*sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(literal_eval(found.stdout))
    assert not loaded & set(heavy)
    assert not [name for name in loaded if ".families" in name]


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("env_id", SEQUENTIAL)
def test_check_env_accepts_every_id(env_id, regime):
    """Gymnasium's own conformance test passes, which covers reseeding."""
    gymnasium.register_envs(causalbench.env)
    env = gymnasium.make(env_id, regime=regime)
    assert isinstance(env.unwrapped, SequenceEnv)
    check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize("regime", [None, "do", "intent", "replay", "see"])
def test_check_env_accepts_one_step_decisions(regime):
    """Those of a world file, on the path of sequential worlds."""
    env = gymnasium.make("causalbench/World-v0", regime=regime, **OPTIONS["causalbench/World-v0"])
    assert isinstance(env.unwrapped, SequenceEnv)
    check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize("env_id", SEQUENTIAL)
def test_make_vec_gives_that_many_scalar_ones(env_id):
    """The native vector environment, from the same seed, step by step under do."""
    many = gymnasium.make_vec(env_id, num_envs=3)
    assert isinstance(many, SequenceVectorEnv)
    sync = SyncVectorEnv([lambda: gymnasium.make(env_id).unwrapped] * 3, autoreset_mode="SameStep")
    assert np.array_equal(many.reset(seed=4)[0], sync.reset(seed=4)[0])
    many.action_space.seed(0)
    for _ in range(30):
        actions = many.action_space.sample()
        one, two = many.step(actions), sync.step(actions)
        assert all(np.array_equal(a, b) for a, b in zip(one[:4], two[:4], strict=True))


def test_generated_worlds_differ_and_come_back():
    """The same number is the same world; several make a vector of different ones."""
    one, again, other = (family_programs("key-maze", index)[0] for index in (0, 0, 1))
    assert one.process == again.process
    assert one.process != other.process
    many = gymnasium.make_vec("causalbench/KeyMaze-v0", num_envs=4, worlds=3)
    assert len({hash(program.process) for program in many.unwrapped.programs}) == 3


def test_registered_environments_give_practice_worlds_alone():
    """The split that is kept for scoring is no option."""
    with pytest.raises(NotFoundError, match="has no knob 'split'"):
        gymnasium.make("causalbench/KeyMaze-v0", world=0, split="test")
    practice = load_family("key-maze").world(0, split="practice")
    assert family_programs("key-maze", 0)[0].process == practice.process


def test_options_that_do_not_fit_are_refused():
    """A file is one world, and there is at least one."""
    with pytest.raises(WorldError, match="is a file"):
        family_programs("key-maze", "some.yaml", difficulty="easy")
    with pytest.raises(AgentError, match="worlds is 0; give a whole number, 1 or more"):
        family_programs("key-maze", worlds=0)
    with pytest.raises(AgentError, match=r"make_vec"):
        gymnasium.make("causalbench/KeyMaze-v0", worlds=3)
    with pytest.raises(NotFoundError, match="has no phase 'wet'"):
        gymnasium.make("causalbench/OilyGripper-v0", phase="wet")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"world": -1}, AgentError),
        ({"world": 1.5}, AgentError),
        ({"world": [1]}, AgentError),
        ({"worlds": "a"}, AgentError),
        ({"num_envs": 2.5}, AgentError),
        ({"autoreset_mode": "foo"}, AgentError),
        ({"difficulty": 3}, NotFoundError),
        ({"phase": 0}, NotFoundError),
        ({"length": "a"}, WorldError),
        ({"length": float("nan")}, WorldError),
    ],
)
def test_options_of_another_kind_are_refused(options, error):
    """In the project's own words, whatever stands where a number or a name should."""
    with pytest.raises(error):
        gymnasium.make_vec("causalbench/KeyMaze-v0", **{"num_envs": 2, **options})


def test_a_render_mode_that_is_none_is_refused():
    """Those that there are are named."""
    with pytest.raises(AgentError, match="give ansi, rgb_array or None"):
        SequenceEnv(random_program(0), render_mode="human")


def test_what_is_no_program_is_played_as_before():
    """A stated observation takes the other path, under the same id."""
    stated = [
        (world, decision.id)
        for world in list_worlds()
        for decision in load_world(world).decisions
        if decision.given is not None or decision.factual != "pass"
    ]
    world, decision = stated[0]
    options = {"world": world, "decision": decision}
    env = gymnasium.make("causalbench/World-v0", **options)
    many = gymnasium.make_vec("causalbench/World-v0", num_envs=3, **options)
    assert isinstance(env.unwrapped, WorldEnv)
    assert isinstance(many, WorldVectorEnv)
    with pytest.raises(AgentError, match="in the same step alone"):
        gymnasium.make_vec("causalbench/World-v0", num_envs=3, autoreset_mode="NextStep", **options)


def test_random_worlds_fill_a_vector():
    """By default, fresh ones in each copy; numbered ones are kept, and may be shared."""
    env = gymnasium.make_vec("causalbench/RandomWorlds-v0", num_envs=5, num_variables=6)
    env.reset(seed=2)
    assert isinstance(env.unwrapped, FreshVectorEnv)
    wanted = [random_program(0, num_variables=6, seed=2 + copy) for copy in range(5)]
    assert [p.process for p in env.unwrapped.programs] == [p.process for p in wanted]
    shared = gymnasium.make_vec("causalbench/RandomWorlds-v0", num_envs=5, worlds=2)
    assert len(shared.unwrapped.programs) == 2
    kept = gymnasium.make_vec("causalbench/RandomWorlds-v0", num_envs=3, world=4, seed=1)
    assert kept.unwrapped.programs[2].process == random_program(6, seed=1).process
    one = gymnasium.make("causalbench/RandomWorlds-v0", world=4, seed=1)
    assert one.unwrapped.program.process == random_program(4, seed=1).process
    with pytest.raises(AgentError, match=r"world is 1\.5; give a whole number, 0 or more"):
        gymnasium.make_vec("causalbench/RandomWorlds-v0", num_envs=2, world=1.5)
    with pytest.raises(AgentError, match="worlds is 0; give a whole number, 1 or more"):
        gymnasium.make_vec("causalbench/RandomWorlds-v0", num_envs=5, worlds=0)
