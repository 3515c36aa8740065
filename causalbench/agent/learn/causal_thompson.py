"""Thompson sampling with the own intent as context.

A hidden cause that drives what one is inclined to do is told, in part, by that inclination. So each
natural choice is a context of its own. What was watched tells what obeying the inclination earns,
E[Y_x | x] = E[Y | x], by consistency; the other actions have to be tried.

Reference:
    Bareinboim, Forney, Pearl, "Bandits with unobserved confounders: a causal approach" (2015). Its
    reweighting of arms by the difference between the two is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.agent.learn.bandit import Thompson
from causalbench.agent.learn.sweeps import numbered, solved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from causalbench.env.log import Log

__all__ = ["CausalThompson"]


class CausalThompson(Thompson):
    """Thompson sampling in regime ``intent``, seeded by what was watched before.

    Started in a field of regime ``see`` it reads the log there, and has no use for it until it
    enters a field of regime ``intent``: the watched choices become counts of the contexts in which
    they were natural.

    Args:
        **options: window, timed, copies, discount, power, rate, initial, posterior.
    """

    name = "causal-thompson"
    regimes = frozenset({"intent"})
    rung3: Mapping[str, str] = {"intent": "intent"}

    def train(self, until: int) -> None:
        """Take steps; in regime ``see``, read so many of the log.

        Raises:
            AccessError: a regime in which no intent is shown.
        """
        if self._field.regime == "see":
            self._steps = max(self._steps, until)  # read when a field is entered
        else:
            super().train(until)

    def _open(self, copies: int) -> None:
        if self._logs:
            log, self._logs = self._logs[-1], []
            shown, _ = self._field.env(1).reset()
            self._watched(log, np.asarray(shown)[0])
        super()._open(copies)

    def seed(
        self, seen: NDArray[np.int64], action: NDArray[np.int64], reward: NDArray[np.float64]
    ) -> None:
        """Count what was watched in episodes of one step, in a world of such episodes.

        Args:
            seen: int64[n, D], observations that show the natural choice.
            action: int64[n], an action whose settings that choice satisfies.
            reward: float64[n], in [0, 1].
        """
        start = np.full(len(seen), -1, dtype=np.int64)
        rows, _ = self._history.rows(self._history.begin(len(seen)), seen, start, 0)
        self.learn(self._met(rows), action, reward)

    def _watched(self, log: Log, shown: NDArray[np.uint8]) -> None:
        """Count the log's steps in the contexts that they would have been.

        Args:
            log: of the natural course.
            shown: uint8[D], the first observation of an episode in which intent is shown.
        """
        blank = np.array(self._history.nvec) - 1
        natural = (log.seen[:, 0] == blank).all(axis=0) & (shown != blank)
        seen = log.seen.copy()
        # What a step's action set is seen at the next observation; nature's choice is what was set.
        seen[:, :-1, natural] = log.seen[:, 1:, natural]
        at = numbered(log, self._history, self._index, seen)
        self._grow(2 * len(self._index))
        known = len(self._index)
        values, counts = solved(log, at, known, self._set["discount"])
        self._values[:known], self._counts[:known] = values, counts
        self._wins[:known] = np.rint(values.clip(0, 1) * counts)
