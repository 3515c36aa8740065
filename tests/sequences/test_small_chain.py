"""Chains of decisions whose state is seen, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.task.sequential.families.small import Chain

# State 0: action 0 stays and pays .5, action 1 goes to state 1 and pays 0.
# State 1: action 0 pays 2 and goes back, action 1 stays and pays 0.
CHAIN = Chain(
    moves=np.array([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]]),
    pays=np.array([[0.5, 2.0], [0.0, 0.0]]),
    horizon=4,
)


def test_a_longer_look_goes_round() -> None:
    """Looking one step ahead stays for .5 a step; looking two steps goes round for 2 in two."""
    assert CHAIN.plan(1)[:, 0].tolist() == [0, 0, 0, 0]
    assert CHAIN.worth(CHAIN.plan(1)) == 2.0
    assert CHAIN.plan(2)[:, 0].tolist() == [1, 1, 1, 0]
    assert CHAIN.worth(CHAIN.plan(2)) == 4.0


def test_the_best_is_the_longest_look() -> None:
    """No depth stands for all steps that are left, and a depth beyond them is as good."""
    assert (CHAIN.plan() == CHAIN.plan(4)).all()
    assert (CHAIN.plan(9) == CHAIN.plan()).all()
    assert CHAIN.worth(CHAIN.plan()) == 4.0


def test_equal_actions_give_the_first() -> None:
    """Where two actions are worth the same, to rounding, the first is taken."""
    even = Chain(CHAIN.moves, np.array([[0.1 + 0.2, 0.0], [0.3, 0.0]]), 1)
    assert even.plan()[0].tolist() == [0, 0]
    turned = Chain(CHAIN.moves, np.array([[0.3, 0.0], [0.1 + 0.2, 0.0]]), 1)
    assert turned.plan()[0].tolist() == [0, 0]


def test_a_law_of_actions_and_other_pay() -> None:
    """Drawing each action half the time for one step pays the mean; other pay is added up alike."""
    once = Chain(CHAIN.moves, CHAIN.pays, 1)
    half = np.array([0.5, 0.5])
    assert once.worth(half) == 0.25
    assert once.worth(half, np.array([[1.0, 0.0], [3.0, 0.0]])) == 2.0
    start = Chain(CHAIN.moves, CHAIN.pays, 2, start=1)
    assert start.worth(half) == pytest.approx(1.0 + 0.5 * (0.25 + 1.0))
