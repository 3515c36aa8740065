"""What a policy answers is checked before anything is made of it."""

from __future__ import annotations

import numpy as np
import pytest
from test_policy_laws import _program

from causalbench.env.record import record
from causalbench.errors import AgentError
from causalbench.truth.policy import policy_value


class _Says:
    """A policy that gives whatever it was made with, and keeps what it was told."""

    recalls = reads_reward = False

    def __init__(self, answer):
        self.answer, self.told = answer, []

    def begin(self, n):
        """Return no memory."""
        del n

    def act(self, moment, memory):
        """Give it."""
        self.told.append((moment.action.tolist(), moment.reward.tolist()))
        return self.answer(len(moment.seen)), memory


PROGRAM = _program(3)
ACTIONS = len(PROGRAM.force)
ANSWERS = {
    "too much": lambda n: np.ones((n, ACTIONS)),
    "too little": lambda n: np.full((n, ACTIONS), 0.5 / ACTIONS),
    "rows that make up for each other": lambda n: (
        np.ones((n, ACTIONS)) * np.where(np.arange(n) % 2, 0.5, 1.5)[:, None] / ACTIONS
    ),
    "less than nothing": lambda n: np.tile([2.0, -1.0, *[0.0] * (ACTIONS - 2)], (n, 1)),
    "no number": lambda n: np.full((n, ACTIONS), np.nan),
    "endless": lambda n: np.full((n, ACTIONS), np.inf),
    "an action more": lambda n: np.full((n, ACTIONS + 1), 1 / (ACTIONS + 1)),
    "an action less": lambda n: np.full((n, ACTIONS - 1), 1 / (ACTIONS - 1)),
    "a copy more": lambda n: np.full((n + 1, ACTIONS), 1 / ACTIONS),
    "one row": lambda n: np.full(ACTIONS, 1 / ACTIONS),  # noqa: ARG005
    "text": lambda n: "abc",  # noqa: ARG005
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
@pytest.mark.parametrize("limit", [1, 10**7])
@pytest.mark.parametrize("greedy", [False, True])
def test_what_is_no_law_is_refused(answer, limit, greedy):
    """No value comes of it: twice the probability would be twice the return."""
    with pytest.raises(AgentError, match="a policy gave"):
        policy_value(PROGRAM, _Says(answer), "do", limit=limit, greedy=greedy, samples=10)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
def test_nothing_is_recorded_of_it(answer):
    """And no log."""
    with pytest.raises(AgentError, match="a policy gave"):
        record(PROGRAM, 10, _Says(answer))


def test_an_error_of_single_precision_is_divided_out():
    """Probabilities in 32 bits are worth what the exact ones are, to those bits."""
    law = np.random.default_rng(0).dirichlet(np.ones(ACTIONS))
    off = (law * (1 + 3e-7)).astype(np.float32)
    exact = policy_value(PROGRAM, _Says(lambda n: np.tile(law, (n, 1))), "do")
    found = policy_value(PROGRAM, _Says(lambda n: np.tile(off, (n, 1))), "do")
    assert found.value == pytest.approx(exact.value, abs=1e-6)
    assert found.length == pytest.approx(exact.length, abs=1e-12)


@pytest.mark.parametrize("limit", [1, 10**7])
def test_a_policy_is_told_what_it_says_that_it_reads(limit):
    """One without memory gets no last action, and no reward unless it reads rewards."""
    policy = _Says(lambda n: np.full((n, ACTIONS), 1 / ACTIONS))
    policy_value(PROGRAM, policy, "do", limit=limit, samples=10)
    assert {one for action, _ in policy.told for one in action} == {-1}
    assert {one for _, reward in policy.told for one in reward} == {0.0}


def test_what_is_no_policy_is_refused_by_name():
    """A function, and an act() that forgets the memory."""
    with pytest.raises(AgentError, match="is no policy: it has no begin"):
        policy_value(PROGRAM, len, "do")

    class Forgets(_Says):
        def act(self, moment, memory):
            return super().act(moment, memory)[0]

    with pytest.raises(AgentError, match="gave a ndarray; give probabilities, and the memory"):
        policy_value(PROGRAM, Forgets(lambda n: np.full((n, ACTIONS), 1 / ACTIONS)), "do")
