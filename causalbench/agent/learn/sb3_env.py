"""Show a field's vector environment to stable-baselines3 (import this inside functions only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.callbacks import BaseCallback

from causalbench.agent.sb3 import PassingVecEnv

if TYPE_CHECKING:
    from collections.abc import Callable

    from gymnasium.vector import VectorEnv
    from numpy.typing import NDArray

    from causalbench.agent.learn.policies import History

__all__ = ["FieldVecEnv", "Told", "one_hot"]


def one_hot(rows: NDArray[np.int16], cards: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return rows of codes as rows of zeros and ones, float32[n, sum of cards]."""
    ends = np.cumsum(cards)
    flat = np.zeros((len(rows), int(ends[-1])), dtype=np.float32)
    np.put_along_axis(flat, rows + (ends - cards), 1.0, axis=1)
    return flat


class FieldVecEnv(PassingVecEnv):
    """Pass arrays on, histories as zeros and ones; both sides reset in the same step.

    Args:
        env: a vector environment that resets in the same step.
        history: what of the past is shown.
        scores: whether an action is a score for each action, in [-1, 1], of which the highest is
            taken (ties to the first); else it is an index.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], history: History, *, scores: bool) -> None:
        self.env, self._history, self._scores = env, history, scores
        self._cards = history.cards
        self._chosen = np.full(env.num_envs, -1, dtype=np.int64)
        seen = spaces.Box(0.0, 1.0, (int(self._cards.sum()),), dtype=np.float32)
        discrete = spaces.Discrete(history.actions)
        box = spaces.Box(-1.0, 1.0, (history.actions,), dtype=np.float32)
        super().__init__(env.num_envs, seen, box if scores else discrete)

    def reset(self) -> np.ndarray:
        """Begin episodes."""
        seen, _ = self.env.reset()
        self._time = np.zeros(self.num_envs, dtype=np.int64)
        self._memory = self._history.begin(self.num_envs)
        return self._shown(seen, np.full(self.num_envs, -1, dtype=np.int64))

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for `step_wait`."""
        whole = np.asarray(actions)
        self._chosen = whole.argmax(axis=1) if self._scores else whole.astype(np.int64)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Play the actions."""
        seen, rewards, ended, cut, info = self.env.step(self._chosen)
        over, action = ended | cut, self._chosen
        self._time += 1
        infos: list[dict[str, Any]] = [{} for _ in over]
        which = np.flatnonzero(over)
        if len(which):
            final = np.stack([info["final_obs"][copy] for copy in which])
            rows, _ = self._history.rows(
                self._memory[which], final, action[which], self._time[which]
            )
            for copy, row in zip(which, one_hot(rows, self._cards), strict=True):
                infos[copy] = {
                    "terminal_observation": row,
                    "TimeLimit.truncated": bool(cut[copy] and not ended[copy]),
                }
            self._time[over] = 0
            self._memory = np.where(over[:, None], self._history.begin(len(over)), self._memory)
            action = np.where(over, -1, action)
        return self._shown(seen, action), np.asarray(rewards, dtype=np.float32), over, infos

    def _shown(self, seen: Any, action: NDArray[np.int64]) -> np.ndarray:
        rows, self._memory = self._history.rows(self._memory, seen, action, self._time)
        return one_hot(rows, self._cards)


class Told(BaseCallback):  # type: ignore[misc]  # stable-baselines3 is untyped to us
    """Tell the learner, after each step of all copies, how many steps have been taken.

    Args:
        hook: takes the number.
    """

    def __init__(self, hook: Callable[[int], None]) -> None:
        super().__init__()
        self._hook = hook

    def _on_step(self) -> bool:
        self._hook(self.num_timesteps)
        return True
