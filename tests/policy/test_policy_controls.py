"""Controls, memories, and what a policy is shown."""

from __future__ import annotations

import numpy as np
import pytest
from policy_builders import Whim
from policy_oracle import Case, policy_worth
from test_policy_brute import _case

from causalbench.env.sequence_vector import SequenceVectorEnv
from causalbench.errors import AccessError
from causalbench.scm.play import Play
from causalbench.scm.process import Process
from causalbench.scm.program import Program
from causalbench.task.sequential.slices import Slices
from causalbench.task.world import load_world
from causalbench.truth.policy import (
    Moment,
    Uniform,
    clone,
    natural,
    policy_value,
    reference,
    uniform,
)
from causalbench.truth.policy.memory import distinct, pick


def _driver(*, hidden, horizon=3):
    """A driver brakes when the light is red; whether an imitator sees the light is to choose."""
    slices = Slices(horizon).add("light", "green red", hidden=hidden).add("act", "go brake")
    slices.add("fine", "no yes")
    slices.chance("light", "", lambda: 0.4, when="first")
    slices.chance("light", "light_before", lambda was: 0.75 if was else 0.2, when="later")
    slices.rule("act", "light", lambda _, light: light)
    slices.rule("fine", "light act", lambda _, light, act: light != act)
    seen = ("act",) if hidden else ("light", "act")
    play = Play("p", ("act=go", "act=brake"), seen, ((-1.0, "fine=yes"),))
    return Program(slices.process(), play)


def test_an_imitator_that_sees_what_the_expert_sees_is_as_good():
    """Where nature's choice follows what is seen, the imitator, memory or none, earns as much."""
    program = _driver(hidden=False)
    assert natural(program).value == pytest.approx(1.0)
    assert clone(program).value.value == pytest.approx(1.0)
    assert clone(program, recalls=False).value.value == pytest.approx(1.0)


def test_an_imitator_that_sees_less_is_not():
    """By hand for one step: it draws brake with .4 as the driver does; right in .4^2 + .6^2."""
    program = _driver(hidden=True, horizon=1)
    assert natural(program).value == pytest.approx(1.0)
    assert clone(program).value.value == pytest.approx(0.4**2 + 0.6**2)
    assert clone(program, recalls=False).value.value == pytest.approx(0.4**2 + 0.6**2)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("recalls", [True, False])
def test_the_imitator_is_worth_what_it_earns_unit_by_unit(seed, recalls):
    """Its value is that of its policy in the naive world."""
    case, program, _ = _case(seed)
    found = clone(program, recalls=recalls)
    assert found.policy is not None
    assert found.policy.recalls is recalls
    expected = policy_worth(case, found.policy, "do")
    assert (found.value.value, found.value.goal, found.value.length) == pytest.approx(
        expected, abs=1e-12
    )


@pytest.mark.parametrize("seed", range(12))
def test_nature_is_worth_its_courses(seed):
    """The behaviour policy's value is the mean over natural courses, whatever the policy asked."""
    case, program, _ = _case(seed)
    courses = [(weight, case.nature(unit)) for weight, unit in case.units()]
    paid = sum(w * sum(case.pay(v, case.play.reward) for v in course) for w, course in courses)
    length = sum(w * len(course) for w, course in courses)
    found = natural(program)
    assert (found.value, found.length) == pytest.approx((case.scale(paid), length), abs=1e-12)
    assert policy_value(program, Uniform(len(program.force)), "see") == found


@pytest.mark.parametrize("regime", ["do", "intent", "replay"])
def test_chance_is_worth_the_mean_of_all_it_may_do(regime):
    """Acting at random is valued as in the naive world."""
    case, program, _ = _case(4)
    expected = policy_worth(case, Uniform(len(program.force)), regime)[0]
    assert uniform(program, regime).value == pytest.approx(expected, abs=1e-12)


def test_greedy_takes_the_likeliest_action():
    """A policy valued greedily is the policy that is sure of its likeliest action."""
    _, program, _ = _case(5)
    actions = len(program.force)
    drawn = policy_value(program, Whim(actions, recalls=True), "do", greedy=True)
    sure = policy_value(program, Whim(actions, recalls=True, sure=True), "do")
    assert drawn == sure


def test_a_policy_without_memory_is_asked_once_for_each_observation():
    """Copies that see the same at a step are one, whatever they are in."""
    _, program, _ = _case(8)
    asked = []

    class Counted(Uniform):
        def act(self, moment: Moment, memory: None) -> tuple[np.ndarray, None]:
            asked.append(moment.seen)
            return super().act(moment, memory)

    policy_value(program, Counted(len(program.force)), "do")
    assert len(asked) == program.horizon
    assert all(len(np.unique(seen, axis=0)) == len(seen) for seen in asked)


def test_there_are_no_other_regimes():
    """Neither a reference nor a value exists under a regime that does not."""
    _, program, _ = _case(1)
    with pytest.raises(AccessError, match="regime 'dream'"):
        reference(program, "dream")
    with pytest.raises(AccessError, match="regime 'dream'"):
        policy_value(program, Uniform(2), "dream")


@pytest.mark.parametrize(("mode", "regime"), [("redo", "do"), ("redo", "replay"), ("bet", "see")])
def test_other_modes_are_shown_as_the_environment_shows_them(mode, regime):
    """A redo of a fresh unit shows nothing, and bets can be made while watching."""
    scm = load_world("umbrella-rain").scm
    actions = ("rain=yes", "rain=no") if mode == "bet" else ("pass", "seed=yes", "umbrella=no")
    reward = () if mode == "bet" else ((-1.0, "rain=yes"), (-0.1, "wet=yes"))
    seen = ("seed", "umbrella") if mode == "bet" else ("seed", "rain", "umbrella", "wet")
    program = Program(Process(scm, scm, 1), Play("p", actions, seen, reward, mode=mode))
    policy = Whim(len(actions), recalls=False, sure=True, size=5)
    env = SequenceVectorEnv(program, 20_000, regime)
    first, _ = env.reset(seed=3)
    action = policy.act(Moment(first, np.full(20_000, -1), np.zeros(20_000), 0), None)[0]
    _, reward, *_ = env.step(action.argmax(axis=1))
    expected = policy_value(program, policy, regime).value
    error = float(np.std(reward)) / np.sqrt(20_000)
    assert abs(float(np.mean(reward)) - expected) <= 5 * error + 1e-12


def test_memories_may_be_nested():
    """Rows of a memory are equal where all of its parts are."""
    memory = {"a": np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0]]), "b": (np.array([1, 1, 1]), None)}
    assert distinct(memory, 3).tolist() == [0, 0, 1]
    assert pick(memory, np.array([2]))["a"].tolist() == [[1.0, 3.0]]
    assert distinct(None, 3).tolist() == [0, 0, 0]


def test_the_naive_world_reads_its_own_early_variables():
    """The oracle and the program, which share no code for it, agree on what comes before acting."""
    for seed in range(12):
        case, program, _ = _case(seed)
        early = {name for name in program.names if program.early[program.slot[name]]}
        assert early == set(Case(case.process, case.play).names) - case.late
