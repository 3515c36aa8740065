"""Check what a policy answers: a law over actions for each copy, and what it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import AgentError
from causalbench.truth.policy.types import Moment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.truth.policy.types import Policy

__all__ = ["ask"]

_OFF = 1e-5  # a softmax in 32 bits is off by less
_ROUNDING = 2.0**-50
_PARTS = 2  # of an answer: probabilities, memory


def ask(
    policy: Policy, moment: Moment, memory: Any, actions: int
) -> tuple[NDArray[np.float64], Any]:
    """Ask a policy for the probabilities of its actions, and check them.

    A policy that says that it has no memory isn't told its last action, and one that says that it
    reads no rewards isn't told them, whoever asks.

    Args:
        policy: any.
        moment: what its n copies have before them.
        memory: of the copies.
        actions: how many there are.

    Returns:
        float64[n, actions], whose rows sum to 1 (an error of single precision is divided out), and
        the memory afterwards.

    Raises:
        AgentError: what it gives is no law over the actions for each copy.
    """
    count = len(moment.seen)
    # A policy of a user's file may leave out what only exact values need to know.
    recalls, reads = (getattr(policy, name, True) for name in ("recalls", "reads_reward"))
    action = moment.action if recalls else np.full(count, -1, dtype=np.int64)
    reward = moment.reward if reads else np.zeros(count)
    answer = policy.act(Moment(moment.seen, action, reward, moment.step), memory)
    if not isinstance(answer, tuple) or len(answer) != _PARTS:
        msg = f"a policy's act() gave a {type(answer).__name__}; give probabilities, and the memory"
        raise AgentError(f"{msg} afterwards (None for none).")
    told, after = answer
    try:
        chances = np.asarray(told, dtype=np.float64)
    except (TypeError, ValueError):
        raise AgentError(_text(f"a {type(told).__name__}", count, actions)) from None
    if chances.shape != (count, actions):
        raise AgentError(_text(f"an array of shape {chances.shape}", count, actions))
    sums = chances.sum(axis=1)
    bad = ~((chances >= 0).all(axis=1) & (np.abs(sums - 1) <= _OFF))
    if bad.any():
        row = chances[int(np.argmax(bad))].tolist()
        raise AgentError(_text(f"a row {row}", count, actions))
    if (rough := np.abs(sums - 1) > actions * _ROUNDING).any():
        chances = np.where(rough[:, None], chances / sums[:, None], chances)
    return chances, after


def _text(given: str, count: int, actions: int) -> str:
    return (
        f"a policy gave {given} as probabilities of actions; give {count} rows of {actions}, one a"
        " copy, each 0 or more and summing to 1."
    )
