"""Bandits on each row of a table: upper confidence bounds and Thompson sampling.

In worlds of one step a row is a context and this is what the references describe. In longer ones
each row is a bandit of its own whose reward is the step's and what the next row is worth.

References:
    Auer, Cesa-Bianchi, Fischer, "Finite-time analysis of the multiarmed bandit problem" (2002), for
    UCB1; Thompson, "On the likelihood that one unknown probability exceeds another" (1933); Agrawal
    and Goyal, "Analysis of Thompson sampling for the multi-armed bandit problem" (2012), for
    rewards between 0 and 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.agent.learn.tabular import TableLearner
from causalbench.errors import AgentError
from causalbench.rng import uniforms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["POSTERIORS", "UCB", "Thompson"]

POSTERIORS = ("auto", "beta", "normal")
_SPREAD = 0.5  # the largest standard deviation of what lies in [0, 1]


class UCB(TableLearner):
    """Take the action whose upper confidence bound is highest; each is tried once first.

    Args:
        **options: window, timed, copies, discount, power, rate, initial, and ``width``: the bound
            is the value plus width * sqrt(2 log N / n).

    Raises:
        AgentError: a width below 0.
    """

    name = "ucb"

    def choose(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the action of the highest bound, ties at random."""
        tries = self._counts[at]
        spread = np.sqrt(2 * np.log(np.maximum(tries.sum(axis=1, keepdims=True), 1)))
        width = self._set["width"] * spread / np.sqrt(np.maximum(tries, 1))
        bound = np.where(tries > 0, self._values[at] + width, np.inf)
        draws = uniforms(self._rng, bound.shape)
        top = bound == bound.max(axis=1, keepdims=True)
        chosen: NDArray[np.int64] = np.where(top, draws, -1.0).argmax(axis=1)
        return chosen

    def _check(self, chosen: Mapping[str, Any]) -> None:
        super()._check(chosen)
        if chosen["width"] < 0:
            raise AgentError(f"'{self.name}' has width {chosen['width']}; give 0 or more.")


class Thompson(TableLearner):
    """Draw each action's value from its posterior, and take the best draw.

    Args:
        **options: window, timed, copies, discount, power, rate, initial, and ``posterior``:
            ``beta`` (a reward between 0 and 1 counts as a win with that probability), ``normal``,
            or ``auto``: beta in worlds of one step.

    Raises:
        AgentError: no such posterior.
    """

    name = "thompson"

    def choose(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the action of the best draw."""
        tries = self._counts[at]
        if self._beta:
            wins = self._wins[at]
            draws = self._rng.beta(1.0 + wins, 1.0 + np.maximum(tries - wins, 0))
        else:  # a prior of one observation, in the middle
            mean = (tries * self._values[at] + _SPREAD) / (tries + 1)
            draws = mean + _SPREAD * self._rng.standard_normal(tries.shape) / np.sqrt(tries + 1)
        chosen: NDArray[np.int64] = draws.argmax(axis=1)
        return chosen

    def learn(
        self, at: NDArray[np.int64], action: NDArray[np.int64], target: NDArray[np.float64]
    ) -> None:
        """Move values towards targets, and count wins."""
        super().learn(at, action, target)
        won = uniforms(self._rng, len(target)) < target
        np.add.at(self._wins, (at, action), won)

    @property
    def _beta(self) -> bool:
        kind = self._set["posterior"]
        return kind == "beta" or (kind == "auto" and self._field.horizon == 1)

    def _arrays(self) -> tuple[str, ...]:
        return *super()._arrays(), "wins"

    def start(self, field: Any, *, rng: np.random.Generator) -> None:
        """Begin anew in a field."""
        super().start(field, rng=rng)
        self._wins = np.zeros((0, len(field.actions)), dtype=np.int64)

    def _check(self, chosen: Mapping[str, Any]) -> None:
        super()._check(chosen)
        if chosen["posterior"] not in POSTERIORS:
            raise AgentError(
                f"'{self.name}' has posterior '{chosen['posterior']}'; choose one of"
                f" {', '.join(POSTERIORS)}."
            )
