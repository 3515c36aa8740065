"""Scalar and vector environments: one law, Gymnasium's contract, and what a lab adds."""

from __future__ import annotations

import copy
import math
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import causalbench.env
from causalbench.env import Episodes, WorldEnv, WorldVectorEnv, default_regime
from causalbench.errors import (
    AccessError,
    AgentError,
    BudgetExhausted,
    NotFoundError,
    UnknownNameError,
    WorldError,
    ZeroProbabilityError,
)
from causalbench.task.decide import decision_values
from causalbench.task.observation import ObservationSpace
from causalbench.task.types import Decision
from causalbench.truth.knowledge import Budget

IDS = ("bet", "act", "redo", "stated", "again")


@pytest.fixture
def parts(scm, lab_of):
    """Return a function: decision id -> (world, decision, space)."""
    space = lab_of()._space

    def get(decision_id):
        return scm, space.decisions[space.goal(decision_id)], space

    return get


def exact(scm, decision, space):
    """Return observation bytes -> (probability, value of each action)."""
    rows = decision_values(scm, decision, readings=False)
    return {
        space.encode(row.observation, decision.mode, decision.id).tobytes(): (
            row.weight,
            row.values,
        )
        for row in rows
    }


def deviation(observations, rewards, law):
    """Return the largest |frequency or mean - expectation|, in units of its Hoeffding bound.

    At most 1 with probability 1 - 1e-9 for each of the few quantities compared.
    """
    n = len(observations)
    worst, seen = 0.0, set()
    for key, (weight, values) in law.items():
        mine = np.array([row.tobytes() == key for row in observations])
        seen.add(key)
        bound = math.sqrt(math.log(2e9) / (2 * n))
        worst = max(worst, abs(mine.mean() - weight) / bound)
        bound = math.sqrt(math.log(2e9) / (2 * mine.sum()))
        worst = max(worst, *np.abs(rewards[mine].mean(axis=0) - values) / bound)
    assert {row.tobytes() for row in observations} <= seen
    return worst


@pytest.mark.parametrize("decision_id", IDS)
def test_episodes_have_the_exact_law(parts, decision_id):
    """Observations and rewards follow `decision_values`, within Hoeffding's bound."""
    scm, decision, space = parts(decision_id)
    observations, rewards = Episodes(scm, decision, space).draw(20_000, np.random.default_rng(1))
    assert deviation(observations, rewards, exact(scm, decision, space)) <= 1


@pytest.mark.parametrize("decision_id", IDS)
def test_scalar_and_vector_have_the_same_law(parts, decision_id):
    """Playing the same action for ever earns the exact value in both."""
    scm, decision, space = parts(decision_id)
    law = exact(scm, decision, space)
    value = sum(weight * values[1] for weight, values in law.values())
    scalar = WorldEnv(scm, decision, space)
    scalar.reset(seed=1)
    earned = []
    for _ in range(4000):
        earned.append(scalar.step(1)[1])
        scalar.reset()
    vector = WorldVectorEnv(scm, decision, space, num_envs=500)
    vector.reset(seed=2)
    paid = [vector.step(np.ones(500, dtype=np.int64))[1] for _ in range(8)]
    bound = math.sqrt(math.log(2e9) / (2 * 4000))
    assert max(abs(np.mean(earned) - value), abs(np.mean(paid) - value)) <= bound


@pytest.mark.parametrize("decision_id", IDS)
def test_check_env_accepts_a_public_environment(parts, decision_id):
    """Gymnasium's own conformance test passes."""
    check_env(WorldEnv(*parts(decision_id)), skip_render_check=True)


@pytest.mark.parametrize(("decision_id", "regime"), [("bet", "see"), ("redo", "replay")])
def test_check_env_accepts_a_labs_environment(lab_of, decision_id, regime):
    """It passes there too, said to be nondeterministic: seeds change nothing."""
    lab = lab_of(regime, rows=100, replays=100)
    spec = EnvSpec("LabEnv-v0", lambda: lab.env(decision_id), nondeterministic=True)
    check_env(gymnasium.make(spec).unwrapped, skip_render_check=True)


def test_the_registered_environment_is_made_by_name():
    """`gymnasium.make` and `make_vec` find the umbrella world, the latter natively."""
    gymnasium.register_envs(causalbench.env)
    env = gymnasium.make("causalbench/UmbrellaRain-v0")
    vector = gymnasium.make_vec("causalbench/UmbrellaRain-v0", num_envs=3, decision="act-dear")
    assert isinstance(env.unwrapped, WorldEnv)
    assert isinstance(vector, WorldVectorEnv)
    assert set(env.unwrapped.actions) == {"pass", "umbrella=no", "seed=yes"}
    check_env(env.unwrapped, skip_render_check=True)


def test_a_world_has_the_decisions_it_has():
    """An unknown decision of a world is refused with the names there are."""
    with pytest.raises(NotFoundError, match="act-cheap"):
        gymnasium.make("causalbench/UmbrellaRain-v0", decision="act-chep")


def test_what_is_not_drawn_is_refused_as_it_is_made():
    """One copy or many; the id that is drawn is named."""
    for make, more in ((gymnasium.make, {}), (gymnasium.make_vec, {"num_envs": 2})):
        with pytest.raises(AgentError, match="not drawn here; leave it out, or make World-v0"):
            make("causalbench/UmbrellaRain-v0", render_mode="ansi", **more)


def test_public_environments_honour_seeds(parts):
    """The same seed replays the same episodes, scalar and vector."""
    scalar = WorldEnv(*parts("redo"))
    vector = WorldVectorEnv(*parts("redo"), num_envs=40)
    first = [scalar.reset(seed=5)[0].tolist(), vector.reset(seed=5)[0].tolist()]
    vector.step(np.zeros(40, dtype=np.int64))
    again = [scalar.reset(seed=5)[0].tolist(), vector.reset(seed=5)[0].tolist()]
    assert first == again


def test_lab_environments_ignore_seeds(lab_of):
    """Resetting with a seed draws fresh units all the same."""
    env = lab_of("replay", replays=400).env("redo", num_envs=100)
    assert env.reset(seed=5)[0].tolist() != env.reset(seed=5)[0].tolist()
    scalar = lab_of("replay", replays=400).env("redo")
    seen = {tuple(scalar.reset(seed=5)[0]) for _ in range(60)}
    assert len(seen) > 1


@pytest.mark.parametrize("num_envs", [1, 4])
@pytest.mark.parametrize("fork", [copy.copy, copy.deepcopy, pickle.dumps])
def test_lab_environments_cannot_be_forked(lab_of, num_envs, fork):
    """A fork of an environment would replay its unit."""
    env = lab_of("do", interventions=9).env("act", num_envs)
    with pytest.raises(AccessError, match="cannot be copied or pickled"):
        fork(env)


def test_public_environments_can_be_copied(parts):
    """Training environments are the caller's own."""
    env = WorldEnv(*parts("act"))
    env.reset(seed=1)
    twin = copy.deepcopy(env)
    assert env.step(0)[1] == twin.step(0)[1]


@pytest.mark.parametrize(
    ("decision_id", "needed"), [("bet", "see"), ("act", "do"), ("redo", "replay")]
)
def test_the_default_regime_is_the_decisions(parts, decision_id, needed):
    """Betting needs to see, acting to do, redoing to replay."""
    assert default_regime(parts(decision_id)[1]) == needed


@pytest.mark.parametrize(
    ("regime", "decision_id"), [("see", "act"), ("see", "redo"), ("do", "redo"), ("intent", "redo")]
)
def test_an_environment_above_the_labs_regime_is_refused(lab_of, regime, decision_id):
    """What the regime forbids is not for sale in an environment either."""
    lab = lab_of(regime, rows=9, interventions=9, replays=9)
    with pytest.raises(AccessError, match=f"this lab has '{regime}'"):
        lab.env(decision_id)


@pytest.mark.parametrize(
    ("regime", "decision_id", "cost"),
    [
        ("replay", "bet", Budget(rows=3)),
        ("do", "act", Budget(interventions=3)),
        ("replay", "redo", Budget(replays=3)),
    ],
)
def test_episodes_are_paid_for_as_they_are_shown(lab_of, regime, decision_id, cost):
    """Three resets cost three units of the decision's kind, stepped or not."""
    lab = lab_of(regime, rows=9, interventions=9, replays=9)
    env = lab.env(decision_id)
    env.reset()
    env.step(0)
    env.reset()
    env.reset()
    assert (lab.spent, lab.env_steps) == (cost, 3)


def test_the_last_paid_step_of_a_scalar_environment_is_delivered(lab_of):
    """A budget of two plays two episodes; the third reset is refused."""
    env = lab_of("do", interventions=2).env("act")
    for _ in range(2):
        env.reset()
        assert env.step(0)[2] is True
    with pytest.raises(BudgetExhausted, match="0 of 2 left"):
        env.reset()


def test_the_last_paid_step_of_a_vector_environment_is_delivered(lab_of):
    """Eight episodes are two steps of four; what follows the last shows nothing."""
    lab = lab_of("replay", replays=9)
    env = lab.env("redo", num_envs=4)
    env.reset()
    actions = np.zeros(4, dtype=np.int64)
    env.step(actions)
    observations, rewards, ended, _, _ = env.step(actions)
    space = lab._space
    assert (observations == space.encode({}, "redo", "redo")).all()
    assert (len(rewards), ended.all(), lab.spent) == (4, True, Budget(replays=8))
    with pytest.raises(BudgetExhausted, match="last paid step was delivered"):
        env.step(actions)
    with pytest.raises(BudgetExhausted, match="1 of 9 left"):
        env.reset()


def test_a_learner_that_stops_pays_for_what_it_played(lab_of):
    """After `stop_after` the last step shows, and costs, nothing more."""
    lab = lab_of("do", interventions=100)
    env = lab.env("act", num_envs=4)
    env.stop_after(8)
    env.reset()
    for _ in range(2):
        observations = env.step(np.zeros(4, dtype=np.int64))[0]
    assert (observations == lab._space.encode({}, "act", "act")).all()
    assert lab.spent == Budget(interventions=8)
    with pytest.raises(BudgetExhausted):
        env.step(np.zeros(4, dtype=np.int64))


def test_environments_of_a_lab_share_its_budget(lab_of):
    """Two environments and a call draw on one purse."""
    lab = lab_of("do", interventions=3)
    lab.env("act").reset()
    lab.do({"x": "0"}, 1)
    lab.env("act").reset()
    with pytest.raises(BudgetExhausted):
        lab.env("act").reset()


def test_info_holds_nothing_hidden(parts):
    """Scalar info is empty; vector info repeats what was shown."""
    scalar = WorldEnv(*parts("act"))
    vector = WorldVectorEnv(*parts("act"), num_envs=3)
    before, info = vector.reset(seed=0)
    after = vector.step(np.zeros(3, dtype=np.int64))[4]
    assert (scalar.reset()[1], info, scalar.step(0)[4]) == ({}, {}, {})
    assert (after["final_obs"] == before).all()
    assert set(after) == {"final_obs", "_final_obs", "final_info"}


def test_the_vector_environment_says_how_it_resets(parts):
    """Its metadata names autoreset in the same step."""
    env = WorldVectorEnv(*parts("act"), num_envs=2)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


def test_returned_observations_belong_to_the_caller(parts):
    """Changing what was returned changes nothing inside."""
    env = WorldVectorEnv(*parts("act"), num_envs=2)
    observations, _ = env.reset(seed=0)
    kept = observations.copy()
    observations[:] = -7
    assert (env.step(np.zeros(2, dtype=np.int64))[4]["final_obs"] == kept).all()


def test_thousands_of_environments_step_at_once(parts):
    """Sixteen steps of 4096 environments are 65,536 episodes."""
    env = WorldVectorEnv(*parts("redo"), num_envs=4096)
    env.reset(seed=0)
    total = sum(len(env.step(np.zeros(4096, dtype=np.int64))[1]) for _ in range(16))
    assert total == 65_536


def test_a_step_needs_an_episode(parts):
    """Stepping twice, or before a reset, is refused."""
    scalar = WorldEnv(*parts("act"))
    vector = WorldVectorEnv(*parts("act"), num_envs=2)
    scalar.reset()
    scalar.step(0)
    with pytest.raises(ResetNeeded):
        scalar.step(0)
    with pytest.raises(ResetNeeded):
        vector.step(np.zeros(2, dtype=np.int64))


@pytest.mark.parametrize("action", [-1, 3, 0.5, "pass", None])
def test_actions_that_do_not_exist_are_refused(parts, action):
    """Only the indices of the decision's actions may be played."""
    env = WorldEnv(*parts("act"))
    env.reset()
    with pytest.raises(UnknownNameError, match="index from 0 to 2"):
        env.step(action)


@pytest.mark.parametrize("actions", [[0], [0, 3], [-1, 0], [0.0, 1.0], [[0, 1]]])
def test_arrays_of_actions_that_do_not_fit_are_refused(parts, actions):
    """One integer for each environment, in range."""
    env = WorldVectorEnv(*parts("act"), num_envs=2)
    env.reset()
    with pytest.raises(UnknownNameError, match="give 2 integers from 0 to 2"):
        env.step(np.array(actions))


def test_no_environments_are_refused(lab_of):
    """num_envs is at least 1."""
    with pytest.raises(AgentError, match="at least 1"):
        lab_of("do").env("act", num_envs=0)


def test_redo_under_do_shows_nothing_and_pays_what_acting_pays(parts):
    """Practised on fresh units, a redo is a rung-2 decision without observation."""
    scm, decision, space = parts("redo")
    observations, rewards = Episodes(scm, decision, space, "do").draw(
        20_000, np.random.default_rng(0)
    )
    act = Decision("redo", "act", decision.actions, decision.utility)
    (row,) = decision_values(scm, act, readings=False)
    assert (observations == space.encode({}, "redo", "redo")).all()
    bound = math.sqrt(math.log(2e9) / (2 * 20_000))
    assert np.abs(rewards.mean(axis=0) - row.values).max() <= bound


def test_intent_shows_ones_own_choice(scm):
    """Under regime intent an act may see what it would have done."""
    decision = Decision("d", "act", ("x=0", "x=1"), ((1.0, "y=1"),), observes=("x",))
    space = ObservationSpace(([scm.variable("x"), scm.variable("y")], [decision]))
    assert default_regime(decision) == "intent"
    with pytest.raises(AccessError, match="use regime 'intent'"):
        Episodes(scm, decision, space, "do")
    observations, rewards = Episodes(scm, decision, space).draw(20_000, np.random.default_rng(0))
    redo = Decision("d", "redo", decision.actions, decision.utility, observes=("x",))
    law = {row.observation["x"]: row.values for row in decision_values(scm, redo, readings=False)}
    for label, values in law.items():
        mine = observations[:, 0] == int(label)
        bound = math.sqrt(math.log(2e9) / (2 * mine.sum()))
        assert np.abs(rewards[mine].mean(axis=0) - values).max() <= bound


def test_an_act_that_sees_its_consequence_is_refused(scm):
    """Seeing an effect of the action first would be a redo."""
    decision = Decision("d", "act", ("x=0", "x=1"), ((1.0, "y=1"),), observes=("y",))
    space = ObservationSpace(([scm.variable("x"), scm.variable("y")], [decision]))
    with pytest.raises(WorldError, match="make it a redo"):
        Episodes(scm, decision, space)


def test_stated_evidence_that_never_happens_is_refused(scm, monkeypatch):
    """Drawing until it holds must end."""
    monkeypatch.setattr("causalbench.env.episodes._TRIES", 1000)
    decision = Decision(
        "d", "redo", ("pass", "w=yes"), ((1.0, "y=1"),), given=(("x", "0"),), factual="x=1"
    )
    space = ObservationSpace(([scm.variable("x"), scm.variable("y")], [decision]))
    with pytest.raises(ZeroProbabilityError, match="never happened"):
        Episodes(scm, decision, space).draw(4, np.random.default_rng(0))
