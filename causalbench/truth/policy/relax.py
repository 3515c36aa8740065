"""Bound what any policy can earn, where its histories are too many to go through.

An agent that learnt after each step in which state it had acted would do at least as well. Letting
it choose its next action by (state, action, observation) alone gives the fast informed bound of
Hauskrecht, "Value-function approximations for partially observable Markov decision processes"
(2000), section 4.4, in one pass over states. With the least in place of the most it bounds from
below what the worst policy earns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from causalbench.truth.policy.frames import Floats, Ints
    from causalbench.truth.policy.model import Kernel, Model

__all__ = ["relaxed"]


def relaxed(
    model: Model, roots: tuple[Ints, Ints, Ints, Floats], side: Literal["most", "least"] = "most"
) -> float:
    """Return an upper bound on every policy's sum of rewards, unscaled; or a lower one.

    Args:
        model: the steps.
        roots: group, observation, state and probability of each beginning.
        side: ``most`` bounds from above, ``least`` from below.
    """
    reach: list[Ints] = [np.unique(roots[2])]
    kernels: list[Kernel] = []
    for step in range(1, model.horizon + 1):
        kernels.append(model.step(step, reach[-1]))
        reach.append(np.unique(kernels[-1].state))
    worth = np.zeros((0, model.actions))
    for step in range(model.horizon, 0, -1):
        kernel = kernels[step - 1]
        row = np.repeat(np.arange(len(kernel.start) - 1), np.diff(kernel.start))
        best = _best((row, kernel.seen), kernel.state, kernel.chance, reach[step], worth, side)
        later = np.bincount(best[0], best[1], minlength=len(kernel.reward))
        worth = (kernel.reward + later).reshape(-1, model.actions)
    group, seen, state, chance = roots
    return float(_best((group, seen), state, chance, reach[0], worth, side)[1].sum())


def _best(
    key: tuple[Ints, Ints],
    state: Ints,
    chance: Floats,
    states: Ints,
    worth: Floats,
    side: Literal["most", "least"],
) -> tuple[Ints, Floats]:
    """Return, by (row, observation): the row, and what the best action by them brings.

    Args:
        key: row and observation of each entry.
        state: of each entry.
        chance: of each entry.
        states: ascending codes.
        worth: float64[len(states), A].
        side: whether the best is the most.
    """
    if not len(state):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    order = np.lexsort((key[1], key[0]))
    row, seen = key[0][order], key[1][order]
    fresh = np.ones(len(row), dtype=np.bool_)
    fresh[1:] = (row[1:] != row[:-1]) | (seen[1:] != seen[:-1])
    first = np.flatnonzero(fresh)
    brought = chance[order, None] * worth[np.searchsorted(states, state[order])]
    sums = np.add.reduceat(brought, first, axis=0)
    return row[first], sums.max(axis=1) if side == "most" else sums.min(axis=1)
