"""Imitate without rewards: find rewards under which what was done is the best kind of guessing.

Behaviour cloning (`causalbench.agent.learn.behaviour_cloning`) copies actions. Inverse
reinforcement learning explains them: it looks for a reward of what is seen whose soft-optimal
policy visits the same observations as the log, in the dynamics that the log shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.agent.learn.offline_common import Offline, TablePolicy
from causalbench.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from causalbench.agent.learn.offline_common import Steps
    from causalbench.env.log import Log

__all__ = ["MaxEntIRL"]

_DECAY, _SQUARES, _FLOOR = 0.9, 0.999, 1e-8  # Adam's usual constants


class MaxEntIRL(Offline):
    """Maximum-entropy inverse reinforcement learning, tabular on what is seen.

    A state is a window of observations and the step; a reward is a number an observation, earned
    when it is met. Dynamics are the log's own frequencies: they are those of acting only where
    nothing hidden moves both the logged action and what follows.

    Args:
        history: how many observations a state holds.
        iterations: gradient steps at each call of `train`.
        learning_rate: of Adam.
        l2: how strongly rewards are held near 0.

    Reference:
        Ziebart, Maas, Bagnell and Dey, "Maximum entropy inverse reinforcement learning" (2008),
        algorithm 1; Ziebart (2010), chapter 6, for the backups where dynamics are random.
    """

    name = "maxent-irl"
    rung3: Mapping[str, str] = {"see": "abstain"}
    needs_rewards = False

    def __init__(
        self,
        *,
        history: int = 1,
        iterations: int = 300,
        learning_rate: float = 0.1,
        l2: float = 1e-3,
    ) -> None:
        if iterations < 1 or learning_rate <= 0 or l2 < 0:
            raise AgentError(
                f"maxent-irl has iterations {iterations}, learning_rate {learning_rate} and l2"
                f" {l2}; give at least 1, above 0, and 0 or more."
            )
        config = {"history": history, "iterations": iterations}
        super().__init__(history, {**config, "learning_rate": learning_rate, "l2": l2})

    def policy(self) -> TablePolicy:
        """Return the soft-optimal policy of the rewards found."""
        learnt = self._learnt
        return TablePolicy(self.window, learnt["keys"], learnt["shares"], learnt["usual"])

    def _begun(self, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        del rng
        count = self.window.actions
        return {
            "seen": np.empty((0, len(self.window.nvec)), dtype=np.uint8),
            "reward": np.empty(0),
            "keys": np.empty(0, dtype=np.int64),
            "shares": np.empty((0, count)),
            "usual": np.full(count, 1.0 / count),
        }

    def _fitted(self, log: Log, steps: Steps, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        del rng
        if not steps.own.any():
            raise AgentError("maxent-irl has no logged action to imitate; give it another log.")
        chain = _Chain.of(log, steps)
        reward = self._known(chain.seen)
        speed, square = np.zeros_like(reward), np.zeros_like(reward)
        for turn in range(1, self.config["iterations"] + 1):
            met = chain.visits(chain.policy(reward))
            ascent = chain.logged - met - self.config["l2"] * reward
            speed = _DECAY * speed + (1 - _DECAY) * ascent
            square = _SQUARES * square + (1 - _SQUARES) * ascent**2
            pace = np.sqrt(square / (1 - _SQUARES**turn)) + _FLOOR
            reward = reward + self.config["learning_rate"] * speed / (1 - _DECAY**turn) / pace
        return {
            "seen": chain.seen,
            "reward": reward,
            "keys": chain.keys,
            "shares": chain.policy(reward),
            "usual": np.bincount(steps.action[steps.own], minlength=self.window.actions)
            / steps.own.sum(),
        }

    def _known(self, seen: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the rewards found so far of some observations, 0 for new ones."""
        old = {row.tobytes(): value for row, value in zip(*self._pairs(), strict=True)}
        return np.array([old.get(row.tobytes(), 0.0) for row in seen])

    def _pairs(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        return self._learnt["seen"], self._learnt["reward"]


@dataclass(frozen=True, eq=False)
class _Chain:
    """The log's moves, counted: by layer, one a step, since a state holds its step.

    Args:
        keys: int64[S], the states that are acted in.
        seen: uint8[O, D], the observations that are met.
        start: float64[S], how often an episode starts in a state.
        layers: for each step: (cell = state * A + action, state after or -1, observation after,
            probability given the cell).
        tried: bool[S, A], the actions that were done.
        logged: float64[O], how often an observation is met after an action, an episode.
    """

    keys: NDArray[np.int64]
    seen: NDArray[np.uint8]
    start: NDArray[np.float64]
    layers: tuple[tuple[NDArray[Any], ...], ...]
    tried: NDArray[np.bool_]
    logged: NDArray[np.float64]

    @classmethod
    def of(cls, log: Log, steps: Steps) -> _Chain:
        """Count the moves of a log."""
        window, count = steps.window, steps.window.actions
        if window.horizon >= window.sizes[len(window.nvec)]:
            raise AgentError(
                f"maxent-irl takes at most {int(window.sizes[len(window.nvec)]) - 1} steps, not"
                f" {window.horizon}; take a shorter play."
            )
        own = steps.own
        row, action, done = steps.row[own], steps.action[own], steps.done[own]
        every = window.keys(steps.states)
        keys, state = np.unique(every[row], return_inverse=True)
        seen, sight = np.unique(
            log.seen.reshape(-1, log.seen.shape[2])[row + 1], axis=0, return_inverse=True
        )
        sight = sight.ravel()
        place = np.searchsorted(keys, every[row + 1]) % len(keys)
        # What follows may never have been acted in: then nothing more is known of it.
        onward = np.where(~done & (keys[place] == every[row + 1]), place, -1)
        step = row % log.seen.shape[1]
        moves, times = np.unique(
            np.stack([step, state * count + action, onward, sight]), axis=1, return_counts=True
        )
        acted = np.bincount(moves[1], weights=times, minlength=len(keys) * count)
        layers = []
        for layer in range(window.horizon):
            at = moves[0] == layer
            cell, after, sights = moves[1:, at]
            layers.append((cell, after, sights, times[at] / acted[cell]))
        starts = np.bincount(state[step == 0], minlength=len(keys))
        episodes = max(int(starts.sum()), 1)
        return cls(
            keys,
            seen,
            starts / episodes,
            tuple(layers),
            acted.reshape(-1, count) > 0,
            np.bincount(sight, minlength=len(seen)) / episodes,
        )

    def policy(self, reward: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the soft-optimal policy, float64[S, A]; what was never done is never done."""
        states, count = self.tried.shape
        ahead, value = np.zeros(states + 1), np.full((states, count), -np.inf)  # [-1]: the end
        for cell, after, sights, share in reversed(self.layers):
            earned = np.bincount(
                cell, weights=share * (reward[sights] + ahead[after]), minlength=states * count
            ).reshape(states, count)
            here = np.unique(cell // count)
            held = np.where(self.tried[here], earned[here], -np.inf)
            top = held.max(axis=1)
            value[here] = held
            ahead[here] = top + np.log(np.exp(held - top[:, None]).sum(axis=1))
        return np.where(self.tried, np.exp(value - ahead[:-1, None]), 0.0)

    def visits(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how often a policy meets each observation in an episode, float64[O]."""
        now: NDArray[Any] = self.start
        met = np.zeros(len(self.seen))
        for cell, after, sights, share in self.layers:
            mass = (now[:, None] * shares).reshape(-1)[cell] * share
            met += np.bincount(sights, weights=mass, minlength=len(met))
            going = after >= 0
            now = np.bincount(after[going], weights=mass[going], minlength=len(now))
        return met
