"""Beyond the limit an interval holds the exact value."""

from __future__ import annotations

import numpy as np
import pytest
from policy_builders import Whim
from test_policy_laws import _program

from causalbench.errors import CouplingError, TooWideError, WorldError
from causalbench.scm import TableMechanism
from causalbench.scm.play import Play
from causalbench.scm.program import Program
from causalbench.task.sequential import load_sequence
from causalbench.task.sequential.slices import Slices
from causalbench.truth.policy import planner, policy_value, reference, references

SLACK = 1e-12


def _hidden(horizon=4):
    """A hidden switch that is told of noisily and can be turned."""
    slices = Slices(horizon).add("switch", "off on", hidden=True).add("turn", "no yes")
    slices.add("sign", "a b c").add("pay", "no yes")
    slices.chance("switch", "", lambda: 0.4, when="first")
    slices.chance(
        "switch", "switch_before turn_before", lambda s, t: 0.1 + 0.8 * (s != t), when="later"
    )
    slices.chance("sign", "switch", lambda s: [0.5, 0.3, 0.2] if s else [0.2, 0.3, 0.5])
    slices.chance("turn", "switch", lambda s: 0.3 + 0.2 * s)
    slices.chance("pay", "switch turn", lambda s, t: [[0.2, 0.1], [0.9, 0.7]][s][t])
    play = Play("p", ("turn=no", "turn=yes"), ("turn", "sign", "pay"), ((1.0, "pay=yes"),))
    return Program(slices.process(), play)


@pytest.mark.parametrize(("regime", "limit"), [("do", 200), ("intent", 1000)])
def test_bounds_hold_the_exact_value(regime, limit):
    """Below is a real policy's value, above a relaxation; both are near in a small world."""
    program = _hidden()
    exact = reference(program, regime).value
    found = reference(program, regime, limit=limit)
    assert exact.exact
    assert not found.value.exact
    assert found.value.low <= exact.value + SLACK
    assert exact.value <= found.value.high + SLACK
    told = policy_value(program, found.policy, regime)
    assert told.value == pytest.approx(found.value.low, abs=SLACK)


@pytest.mark.parametrize("regime", ["do", "intent"])
@pytest.mark.parametrize("seed", range(20))
def test_bounds_hold_in_random_worlds(seed, regime):
    """The interval that a limit of 1 gives holds the exact value."""
    program = _program(seed)
    exact = reference(program, regime).value.value
    found = reference(program, regime, limit=2).value
    if not found.exact and found.histories < 10**5:  # (else its lower end is an estimate)
        assert found.low <= exact + SLACK
    assert exact <= found.high + SLACK


@pytest.mark.parametrize("seed", [57, 59, 254])
def test_where_no_rule_can_be_worked_out_an_interval_is_left(seed):
    """Too many histories even for rounded beliefs: uniform choice bounds from below."""
    program = _program(seed)
    exact = reference(program, "intent").value.value
    found = reference(program, "intent", limit=1)
    assert found.policy is None
    assert found.value.low - SLACK <= exact <= found.value.high + SLACK


def test_a_lucky_estimate_does_not_turn_the_interval_round():
    """Drawn episodes earned more than the best policy can: the lower end stays below the upper."""
    found = reference(load_sequence("two-shifts").program(), "do", limit=50).value
    assert not found.exact
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("seed", [39, 97, 248])
def test_an_estimate_of_the_see_policy_stays_within_what_is_possible(seed):
    """Episodes drawn may earn more than any policy can on average; the value told does not."""
    found = reference(_program(seed), "see", limit=1).value
    assert not found.exact
    assert found.low <= found.value <= found.high


def test_replay_is_estimated_from_drawn_courses():
    """Courses that are drawn and solved exactly give the value, within 5 standard errors."""
    program = _hidden(4)
    exact = reference(program, "replay").value
    found = reference(program, "replay", limit=40_000).value
    assert exact.exact
    assert not found.exact
    assert found.high - found.low < 0.05
    error = (found.high - found.low) / (2 * 1.96)
    assert abs(found.value - exact.value) < 5 * error + (found.high - found.low) / 2


def test_a_policy_with_too_long_a_memory_is_rolled_out():
    """Beyond the limit a policy's value is estimated, and the interval is about the exact value."""
    program = _hidden(4)
    policy = Whim(2, recalls=True, size=997)
    exact = policy_value(program, policy, "do")
    found = policy_value(program, policy, "do", limit=10, samples=20_000)
    assert exact.exact
    assert not found.exact
    assert found.histories == 20_000
    assert abs(found.value - exact.value) < 5 * (found.high - found.low) / (2 * 1.96)


def test_planners_say_where_they_cannot_plan():
    """A planner that would look nowhere, or watch only, or at too much, is refused."""
    program = _hidden(4)
    with pytest.raises(WorldError, match="1 step ahead"):
        planner(program, 0)
    with pytest.raises(WorldError, match="under 'see'"):
        planner(program, 1, "see")
    with pytest.raises(TooWideError, match="histories"):
        planner(program, 2, limit=5)


def test_a_world_without_couplings_has_two_rungs():
    """Where mechanisms have no coupling there are references for see and do alone."""
    table = np.array([[[0.8, 0.2], [0.9, 0.1]], [[0.1, 0.9], [0.3, 0.7]]])
    bare = _hidden().process.replace({"pay": TableMechanism(("switch", "turn"), table)})
    program = Program(bare, _hidden().play)
    assert list(references(program)) == ["see", "do"]
    with pytest.raises(CouplingError, match="intent"):
        reference(program, "intent")
