"""Sequential environments: scalar and vector are one, seeds replay, seals hold."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from drawn_programs import drawn_program
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from causalbench.env import SequenceEnv, SequenceVectorEnv
from causalbench.errors import (
    AccessError,
    AgentError,
    BudgetExhausted,
    CouplingError,
    UnknownNameError,
    WorldError,
)
from causalbench.scm import SCM, TableMechanism
from causalbench.scm.play import REGIMES, Play
from causalbench.scm.process import Process
from causalbench.scm.program import Program
from causalbench.task.lab import Meter
from causalbench.truth.knowledge import Budget

MODES = (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP)
ENDS = "end=1, aid!=0"


def rollout(env, steps, seed=3):
    """Return everything that random actions bring about."""
    rng = np.random.default_rng(seed)
    told = [env.reset(seed=seed)[0].tolist()]
    for _ in range(steps):
        seen, reward, over, _, _ = env.step(int(rng.integers(env.action_space.n)))
        told.append((seen.tolist(), reward, over))
        if over:
            told.append(env.reset()[0].tolist())
    return told


def alike(one, two):
    """Return whether two results of a step are the same, masked parts of info apart."""
    if not all(np.array_equal(a, b) for a, b in zip(one[:4], two[:4], strict=True)):
        return False
    if not two[4]:
        return not one[4]
    mask = two[4]["_final_obs"]
    final = np.stack(list(two[4]["final_obs"][mask]))
    same = np.array_equal(one[4]["_final_obs"], mask)
    return same and np.array_equal(one[4]["final_obs"][mask], final) and set(one[4]) == set(two[4])


def thawed(env):
    """Return an environment that has been to disk and back."""
    return pickle.loads(pickle.dumps(env))  # noqa: S301  (our own bytes)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize(("worlds", "ends"), [(1, ""), (1, ENDS), (3, ENDS)])
def test_the_vector_environment_is_that_many_scalar_ones(worlds, ends, regime, mode):
    """Bit for bit what `SyncVectorEnv` gives, with one world or several, in both autoresets."""
    programs = [drawn_program(seed, 4, ends=ends) for seed in range(worlds)]
    many = SequenceVectorEnv(programs, 7, regime, autoreset_mode=mode)
    makers = [lambda i=i: SequenceEnv(programs[i % worlds], regime) for i in range(7)]
    sync = SyncVectorEnv(makers, autoreset_mode=mode)
    assert np.array_equal(many.reset(seed=5)[0], sync.reset(seed=5)[0])
    rng = np.random.default_rng(0)
    for _ in range(60):
        actions = rng.integers(many.single_action_space.n, size=7)
        assert alike(many.step(actions), sync.step(actions))


@pytest.mark.parametrize("regime", REGIMES)
def test_seeds_replay_whole_rollouts(regime):
    """The same seed, the same rollout; another, another."""
    env = SequenceEnv(drawn_program(1, 3, ends=ENDS), regime)
    first = rollout(env, 40)
    assert first == rollout(env, 40)
    assert first != rollout(env, 40, seed=4)


def test_a_reset_without_a_seed_shows_fresh_units():
    """Many resets show many first observations, seeded or not."""
    env = SequenceEnv(drawn_program(1, 3), "replay")
    assert len({tuple(env.reset()[0]) for _ in range(60)}) > 5
    other = SequenceEnv(drawn_program(1, 3), "replay")
    assert [env.reset()[0].tolist() for _ in range(9)] != [
        other.reset()[0].tolist() for _ in range(9)
    ]


def test_seeds_of_single_copies_can_be_given():
    """A list of seeds sets each copy; None leaves one in its stream."""
    program = drawn_program(1, 3)
    env = SequenceVectorEnv(program, 3, "replay")
    wanted = [SequenceEnv(program, "replay").reset(seed=s)[0].tolist() for s in (9, 2, 5)]
    assert env.reset(seed=[9, 2, 5])[0].tolist() == wanted
    assert env.reset(seed=[9, None, 5])[0].tolist()[::2] == wanted[::2]
    with pytest.raises(AgentError, match="2 seeds for 3 copies"):
        env.reset(seed=[1, 2])


@pytest.mark.parametrize("fork", [copy.deepcopy, thawed])
@pytest.mark.parametrize("regime", REGIMES)
def test_public_environments_can_be_forked(fork, regime):
    """A copy in the middle of an episode goes on as the original does."""
    env = SequenceEnv(drawn_program(1, 4), regime)
    env.reset(seed=1)
    env.step(0)
    twin = fork(env)
    for _ in range(2):
        one, two = env.step(0), twin.step(0)
        assert (one[0].tolist(), one[1:4]) == (two[0].tolist(), two[1:4])


@pytest.mark.parametrize(
    "make",
    [
        lambda program, rng: SequenceEnv(program, "do", rng=rng),
        lambda program, rng: SequenceVectorEnv(program, 3, "do", rng=rng),
    ],
)
@pytest.mark.parametrize("fork", [copy.copy, copy.deepcopy, pickle.dumps])
def test_sealed_environments_cannot_be_forked(make, fork):
    """A fork would replay a unit."""
    env = make(drawn_program(1), np.random.default_rng(0))
    with pytest.raises(AccessError, match="cannot be copied or pickled"):
        fork(env)


@pytest.mark.parametrize("peek", ["__getstate__", "__reduce__"])
def test_sealed_environments_do_not_hand_out_their_state(peek):
    """What a pickle would be made of holds the noise to come."""
    program = drawn_program(1)
    for made in (SequenceEnv, SequenceVectorEnv):
        with pytest.raises(AccessError, match="cannot be copied or pickled"):
            getattr(made(program, rng=np.random.default_rng(0)), peek)()


def test_sealed_environments_do_not_say_what_they_play():
    """The program holds the laws that are to be learnt."""
    program = drawn_program(1)
    env = SequenceEnv(program, rng=np.random.default_rng(0))
    env.reset()
    many = SequenceVectorEnv(program, 2, rng=np.random.default_rng(0))
    for where, name in ((env, "program"), (env, "picture"), (many, "programs")):
        with pytest.raises(AccessError, match="of a sealed environment is not told"):
            getattr(where, name)
    assert SequenceEnv(program).program is program
    assert SequenceVectorEnv(program, 2).programs == (program,)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("regime", ["do", "intent", "replay"])
def test_some_copies_are_begun_anew_as_gymnasium_does(regime, mode):
    """`reset_mask` leaves the other copies where they are, and shows them again."""
    program = drawn_program(3)
    mine = SequenceVectorEnv(program, 4, regime, autoreset_mode=mode)
    theirs = SyncVectorEnv([lambda: SequenceEnv(program, regime)] * 4, autoreset_mode=mode)
    rng = np.random.default_rng(0)
    for env in (mine, theirs):
        env.reset(seed=9)
    for step in range(40):
        if step % 3 == 0:
            mask = rng.random(4) < 0.5
            mask[step % 4] = True
            seeds = [None, 7, None, step] if step % 2 else None
            shown = [
                env.reset(seed=seeds, options={"reset_mask": mask.copy()})[0]
                for env in (mine, theirs)
            ]
            assert np.array_equal(*shown)
        actions = rng.integers(len(mine.actions), size=4)
        for one, other in zip(mine.step(actions)[:4], theirs.step(actions)[:4], strict=True):
            assert np.array_equal(one, other)


def test_copies_that_are_begun_are_paid_for_alone():
    """A mask of two copies costs two steps."""
    purse = Meter(Budget(interventions=7))
    env = SequenceVectorEnv(drawn_program(3), 4, rng=np.random.default_rng(0), meter=purse)
    env.reset()
    env.reset(options={"reset_mask": np.array([True, False, True, False])})
    assert purse.left("interventions") == 1


@pytest.mark.parametrize("mask", [np.zeros(2, dtype=bool), np.ones(3, dtype=bool), [1, 0], "both"])
def test_a_mask_that_does_not_fit_is_refused(mask):
    """And nothing is begun."""
    env = SequenceVectorEnv(drawn_program(3), 2)
    env.reset(seed=0)
    with pytest.raises(AgentError, match="reset_mask has shape"):
        env.reset(options={"reset_mask": mask})


def test_a_mask_before_the_first_reset_is_refused():
    """The other copies have nothing to show."""
    env = SequenceVectorEnv(drawn_program(3), 2)
    with pytest.raises(ResetNeeded, match="without reset_mask first"):
        env.reset(options={"reset_mask": np.array([True, False])})


@pytest.mark.parametrize("seeds", [[1, -1], [1, "x"], [1, 2.5]])
def test_seeds_that_are_none_are_refused(seeds):
    """Each is a whole number or None."""
    with pytest.raises(AgentError, match="is none; give whole numbers"):
        SequenceVectorEnv(drawn_program(3), 2).reset(seed=seeds)


def test_copies_without_a_seed_of_their_own_differ():
    """None among the first seeds takes a stream of its own, not one that all such copies share."""
    env = SequenceVectorEnv(drawn_program(1), 6)
    env.reset(seed=[1, None, None, None, None, None])
    assert len(set(env._keys.tolist())) == 6


def test_sealed_environments_ignore_seeds():
    """Reseeding shows fresh units, whose stream is the generator's alone."""
    program = drawn_program(1)

    def seen(seed, vector):
        rng = np.random.default_rng(0)
        env = SequenceVectorEnv(program, 4, rng=rng) if vector else SequenceEnv(program, rng=rng)
        return [env.reset(seed=seed)[0].tolist() for _ in range(30)]

    for vector in (False, True):
        shown = seen(5, vector)
        assert shown == seen(6, vector)
        assert len({str(row) for row in shown}) > 5


@pytest.mark.parametrize(
    ("regime", "kind", "steps"),
    [("see", "rows", 3), ("do", "interventions", 3), ("intent", "interventions", 3),
     ("replay", "replays", 5)],
)  # fmt: skip
def test_steps_are_paid_for_as_they_are_shown(regime, kind, steps):
    """An episode costs its steps, those of a watched course included; its end shows no other."""
    meter = Meter(Budget(**{kind: 100}))
    env = SequenceEnv(drawn_program(1, 3), regime, rng=np.random.default_rng(0), meter=meter)
    env.reset()
    assert meter.env_steps == 1
    while not env.step(0)[2]:
        pass
    assert (meter.env_steps, meter.left(kind)) == (steps, 100 - steps)


def test_the_last_paid_step_of_a_scalar_environment_is_delivered():
    """It is paid, shows nothing of the next one, is cut short; then nothing is to be had."""
    meter = Meter(Budget(interventions=5))
    env = SequenceEnv(drawn_program(1, 3), "do", rng=np.random.default_rng(0), meter=meter)
    env.reset()
    for _ in range(3):
        *_, over, cut, _ = env.step(1)
    assert (over, cut) == (True, False)
    env.reset()
    env.step(1)
    seen, reward, over, cut, info = env.step(1)
    assert (seen == env._plan.blank).all()
    assert (type(reward), over, cut, info) == (float, False, True, {})
    for act in (lambda: env.step(1), env.reset):
        with pytest.raises(BudgetExhausted):
            act()
    assert meter.left("interventions") == 0


def test_the_last_paid_step_of_a_vector_environment_is_delivered():
    """Where the budget does not pay for all copies, nothing more is shown to any."""
    meter = Meter(Budget(interventions=10))
    env = SequenceVectorEnv(drawn_program(1, 3), 4, rng=np.random.default_rng(0), meter=meter)
    env.reset()
    actions = np.ones(4, dtype=np.int64)
    env.step(actions)
    seen, rewards, _, cut, _ = env.step(actions)
    assert (seen == env._plan.blank).all()
    assert (cut.all(), rewards.shape, meter.left("interventions")) == (True, (4,), 2)
    with pytest.raises(BudgetExhausted, match="last paid step was delivered"):
        env.step(actions)
    with pytest.raises(BudgetExhausted, match="2 of 10 left"):
        env.reset()


@pytest.mark.parametrize("action", [1, -1, "x", 0.5, None])
def test_seeing_only_watches(action):
    """What the regime forbids is refused in a plain line."""
    env = SequenceEnv(drawn_program(1), "see")
    env.reset()
    assert env.actions == ("watch",)
    with pytest.raises(AccessError, match="which only watches"):
        env.step(action)


@pytest.mark.parametrize("action", [4, -1, "x", 0.5, None])
def test_actions_that_do_not_exist_are_refused(action):
    """And nothing has happened: the episode goes on."""
    env = SequenceEnv(drawn_program(1))
    env.reset(seed=1)
    with pytest.raises(UnknownNameError, match="index from 0 to 3"):
        env.step(action)
    other = SequenceEnv(drawn_program(1))
    other.reset(seed=1)
    assert env.step(np.int64(2))[0].tolist() == other.step(2)[0].tolist()


@pytest.mark.parametrize("actions", [[0], [0, 4], [-1, 0], [0.0, 1.0], [[0, 1]]])
def test_arrays_of_actions_that_do_not_fit_are_refused(actions):
    """And nothing has happened to any copy."""
    env, other = (SequenceVectorEnv(drawn_program(1), 2) for _ in range(2))
    env.reset(seed=1)
    other.reset(seed=1)
    with pytest.raises(UnknownNameError, match="give 2 integers from 0 to 3"):
        env.step(np.array(actions))
    both = np.array([1, 2])
    assert np.array_equal(env.step(both)[0], other.step(both)[0])


def test_a_step_needs_an_episode():
    """Before a reset, and after the end."""
    env, many = SequenceEnv(drawn_program(1, 1)), SequenceVectorEnv(drawn_program(1, 1), 2)
    with pytest.raises(ResetNeeded):
        env.step(0)
    with pytest.raises(ResetNeeded):
        many.step(np.zeros(2, dtype=np.int64))
    env.reset()
    env.step(0)
    with pytest.raises(ResetNeeded):
        env.step(0)


def test_returned_arrays_belong_to_the_caller():
    """Changing what was returned changes nothing inside."""
    env, other = (SequenceEnv(drawn_program(1, 4)) for _ in range(2))
    one, two = (SequenceVectorEnv(drawn_program(1, 4), 2) for _ in range(2))
    for each in (env, other, one, two):
        each.reset(seed=2)[0][:] = 0
    for _ in range(8):
        seen = env.step(1)[0]
        assert seen.tolist() == other.step(1)[0].tolist()
        seen[:] = 9
        actions = np.ones(2, dtype=np.int64)
        result = one.step(actions)
        assert np.array_equal(result[0], two.step(actions)[0])
        for array in (*result[:3], *result[4].values()):
            if isinstance(array, np.ndarray):
                array[:] = 1
        if env._state is None:
            env.reset()
            other.reset()


def test_programs_that_differ_in_more_than_their_laws_are_refused():
    """One environment has one set of variables, actions and steps."""
    with pytest.raises(WorldError, match="program 1 differs"):
        SequenceVectorEnv([drawn_program(1, 3), drawn_program(1, 4)], 2)
    with pytest.raises(WorldError, match="give one or more"):
        SequenceVectorEnv([], 2)


def test_copies_and_autoresets_that_do_not_exist_are_refused():
    """No copies, or a mode that would leave ended episodes standing."""
    with pytest.raises(AgentError, match="1 or more"):
        SequenceVectorEnv(drawn_program(1), 0)
    with pytest.raises(AgentError, match="give SameStep or NextStep"):
        SequenceVectorEnv(drawn_program(1), 2, autoreset_mode=AutoresetMode.DISABLED)


@pytest.mark.parametrize("kind", [SequenceEnv, SequenceVectorEnv])
def test_units_without_a_coupling_are_not_run_twice(kind):
    """Tables say nothing of what a unit would have done."""
    base = drawn_program(1, 1)
    scm = base.process.first
    tables = {name: TableMechanism(scm.parents(name), scm.cpt(name)) for name in scm.names}
    bare = SCM(scm.variables, tables)
    program = Program(Process(bare, bare, 1), base.play)
    options = {} if kind is SequenceEnv else {"num_envs": 2}
    kind(program, regime="do", **options)
    for regime in ("intent", "replay"):
        with pytest.raises(CouplingError):
            kind(program, regime=regime, **options)


def test_regimes_that_do_not_exist_are_refused():
    """With the names that there are."""
    with pytest.raises(AccessError, match="choose one of see, do, intent, replay"):
        SequenceEnv(drawn_program(1), "sea")


@pytest.mark.parametrize("regime", ["see", "intent"])
def test_a_redo_needs_a_unit_to_be_run_again(regime):
    """Or, under do, fresh units and nothing seen."""
    play = Play("redo", ("pass", "act=1"), ("cue",), ((1.0, "out=3"),), mode="redo")
    with pytest.raises(AccessError, match="use replay, or do"):
        SequenceEnv(Program(drawn_program(1, 1).process, play), regime)


def test_a_redo_of_several_steps_is_refused():
    """Regime replay of an act says what is meant."""
    play = Play("redo", ("pass", "act=1"), ("cue",), ((1.0, "out=3"),), mode="redo")
    with pytest.raises(WorldError, match="redoes 3 steps"):
        SequenceEnv(Program(drawn_program(1, 3).process, play), "replay")


def hidden_turned(program):
    """Return the program with the hidden variable's values exchanged, and all that is seen kept."""
    process = program.process
    later = process.later
    names = [name for name in ("hid", "hid_before") if name in later.variables]
    turned = Process(
        process.first.relabel({"hid": [1, 0]}),
        later.relabel({name: [1, 0] for name in names}),
        process.horizon,
    )
    return Program(turned, program.play)


@pytest.mark.parametrize("regime", REGIMES)
def test_exchanging_hidden_values_changes_nothing(regime):
    """Whatever is returned is a function of what is seen: the law of that is kept, and so is it."""
    program = drawn_program(3, 4, ends="end=1")
    turned = hidden_turned(program)
    one, two = SequenceEnv(program, regime), SequenceEnv(turned, regime)
    assert rollout(one, 200) == rollout(two, 200)
    hidden = [program.process.first.cpt("hid"), turned.process.first.cpt("hid")]
    assert not np.array_equal(*hidden)


def test_hidden_values_reach_no_observation():
    """Only visible places exist, the unobserved are never seen, and info is empty."""
    program = drawn_program(3, 3, observes=("cue", "out"))
    for regime in REGIMES:
        env = SequenceEnv(program, regime)
        assert env.observation_space.nvec.tolist() == [4, 3, 4, 13, 3, 3, 1]
        seen, info = env.reset(seed=0)
        for _ in range(300):
            assert (seen[[1, 2, 4]] == [2, 3, 2]).all()
            assert info == {}
            seen, _, over, _, info = env.step(0)
            if over:
                seen, info = env.reset()


def test_vector_info_holds_last_observations_alone():
    """Nothing hidden travels in it."""
    env = SequenceVectorEnv(drawn_program(3, 2), 5)
    assert env.reset(seed=0)[1] == {}
    infos = [env.step(np.zeros(5, dtype=np.int64))[4] for _ in range(4)]
    assert infos[0] == {}
    assert set(infos[1]) == {"final_obs", "_final_obs", "final_info", "_final_info"}
    assert infos[1]["final_info"] == {}
