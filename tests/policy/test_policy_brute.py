"""The solver agrees with plain recursion over every noise, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
from policy_builders import Whim, random_play, random_process
from policy_oracle import Case, best, policy_worth, see_value

from causalbench.errors import WorldError
from causalbench.scm.program import Program
from causalbench.truth.policy import policy_value, reference

CLOSE = 1e-12  # sums of at most a few thousand products of probabilities


def _case(seed: int) -> tuple[Case, Program, np.random.Generator]:
    rng = np.random.default_rng([71, seed])
    while True:
        horizon = 1 + seed % 3
        process = random_process(
            rng, slots=2 + (seed % 2 if horizon == 3 else seed % 3), horizon=horizon
        )
        play = random_play(rng, process)
        try:
            return Case(process, play), Program(process, play), rng
        except WorldError:  # e.g. two settings of one variable
            continue


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("regime", ["do", "intent", "replay"])
def test_best_value_is_that_of_plain_recursion(seed, regime):
    """What is the best under each regime is so under plain recursion over sets of units."""
    case, program, _ = _case(seed)
    expected = best(case, regime)
    found = reference(program, regime)
    assert found.value.exact
    assert found.value.value == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize("seed", range(24))
def test_see_value_is_that_of_plain_recursion(seed):
    """The see policy, found from sets of logged rows and followed in each unit, is worth that."""
    case, program, _ = _case(seed)
    assert reference(program, "see").value.value == pytest.approx(see_value(case), abs=CLOSE)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("regime", ["do", "intent", "replay"])
def test_policies_found_are_worth_what_is_claimed(seed, regime):
    """A reference's policy, acting unit by unit in the naive world, earns the reference's value."""
    case, program, _ = _case(seed)
    found = reference(program, regime)
    value, goal, length = policy_worth(case, found.policy, regime)
    assert (value, goal, length) == pytest.approx(
        (found.value.value, found.value.goal, found.value.length), abs=10 * CLOSE
    )


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("regime", ["do", "intent", "replay"])
def test_given_policies_are_valued_as_unit_by_unit(seed, regime):
    """Policies with memory, without, and reading rewards are valued as in the naive world."""
    case, program, _ = _case(seed)
    actions = len(program.force)
    recalls, reads = [(False, False), (True, False), (True, True)][seed % 3]
    policy = Whim(actions, recalls=recalls, reads_reward=reads, sure=regime == "replay")
    expected = policy_worth(case, policy, regime)
    found = policy_value(program, policy, regime)
    assert found.exact
    assert (found.value, found.goal, found.length) == pytest.approx(expected, abs=10 * CLOSE)
