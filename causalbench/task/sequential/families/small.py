"""Solve a small chain of decisions whose state is seen: what drawn worlds are accepted by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ROUNDING", "Chain"]

ROUNDING = 1e-12
"""By how much equal sums may differ."""


@dataclass(frozen=True, eq=False)
class Chain:
    """A Markov decision process of a number of steps.

    Args:
        moves: float64[A, S, S], P(next | action, state); an ended episode is a state of its own.
        pays: float64[A, S], the expected reward of a step.
        horizon: the number of steps.
        start: the state before the first step.

    Reference:
        Bellman, "Dynamic programming" (1957).
    """

    moves: NDArray[np.float64]
    pays: NDArray[np.float64]
    horizon: int
    start: int = 0

    def plan(self, depth: int | None = None) -> NDArray[np.int64]:
        """Return the best action of each step and state, looking only some steps ahead.

        Args:
            depth: how many steps of reward count, at least 1; None for all that are left.

        Returns:
            int64[horizon, S]; of equally good actions (to rounding) the first.
        """
        deepest = self.horizon if depth is None else min(depth, self.horizon)
        left = [min(self.horizon - step, deepest) for step in range(self.horizon)]
        return np.asarray(self._best[np.array(left) - 1], dtype=np.int64)

    @cached_property
    def _best(self) -> NDArray[np.int64]:
        """int64[horizon, S], the best action where 1, 2, ... steps of reward count."""
        ahead = np.zeros(self.pays.shape[1])
        rows = []
        for _ in range(self.horizon):
            worth = self.pays + self.moves @ ahead
            ahead = worth.max(axis=0)
            # Equal sums may differ in their last bits by the order of their terms.
            rows.append(np.argmax(worth >= ahead - ROUNDING, axis=0))
        return np.array(rows, dtype=np.int64)

    def worth(
        self,
        plan: NDArray[np.int64] | NDArray[np.float64],
        pays: NDArray[np.float64] | None = None,
    ) -> float:
        """Return the expected sum of rewards of a plan.

        Args:
            plan: int64[horizon, S], actions; or float64[A], a law that every step draws from.
            pays: float64[A, S], other rewards than the chain's, e.g. what is meant.
        """
        pays = self.pays if pays is None else pays
        states = np.arange(self.pays.shape[1])
        value = np.zeros(len(states))
        for step in range(self.horizon - 1, -1, -1):
            worth = pays + self.moves @ value
            value = plan @ worth if plan.ndim == 1 else worth[plan[step], states]
        return float(value[self.start])
