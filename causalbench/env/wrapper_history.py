"""Give agents without a memory the last few observations and actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorWrapper
from gymnasium.vector.utils import batch_space

from causalbench.env.wrapper_codes import program_of
from causalbench.errors import AgentError

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv
    from numpy.typing import NDArray

    AnyEnv = gymnasium.Env[Any, Any]
    AnyVectorEnv = VectorEnv[Any, Any, Any]

__all__ = ["HistoryObservation", "HistoryVectorObservation", "Past"]


class Past(NamedTuple):
    """What a history vector holds.

    Args:
        seen: int64[.., k, D], the last k observations, the present one last; all unseen where there
            was none.
        actions: int64[.., k], the action that each of them followed, -1 where there was none.
        step: int64[..], how many steps have been taken.
    """

    seen: NDArray[np.int64]
    actions: NDArray[np.int64]
    step: NDArray[np.int64]


class _History:
    """Keep the last k (action, observation) pairs of n copies, and the step."""

    def __init__(self, env: AnyEnv | AnyVectorEnv, space: Any, count: int, n: int, k: int) -> None:
        if k < 1:
            raise AgentError(f"k is {k}, which keeps nothing; give 1 or more.")
        program = program_of(env)
        again = getattr(env.unwrapped, "regime", "do") == "replay"
        steps = program.horizon * (1 + again) - again
        nvec = np.asarray(space.nvec, dtype=np.int64)
        self._k, self._none = k, count
        self._blank = np.array([count, *(nvec[:-2] - 1), 0, 0], dtype=np.int64)
        row = [count + 1, *nvec]
        self.space = gymnasium.spaces.MultiDiscrete(np.array([*row * k, steps + 1]))
        self._kept = np.tile(self._blank, (n, k, 1))
        self._step = np.zeros(n, dtype=np.int64)

    def begin(self, seen: NDArray[Any], which: NDArray[np.bool_]) -> None:
        """Forget the past of some copies, and take down their first observation."""
        self._kept[which] = self._blank
        self._kept[which, -1, 1:] = seen[which]
        self._step[which] = 0

    def add(self, actions: Any, seen: NDArray[Any], which: NDArray[np.bool_]) -> None:
        """Take down an action and what followed it."""
        self._kept[which, :-1] = self._kept[which, 1:]
        self._kept[which, -1, 0] = np.asarray(actions)[which]
        self._kept[which, -1, 1:] = seen[which]
        self._step[which] += 1

    @property
    def vectors(self) -> NDArray[np.int64]:
        """int64[n, k (1 + D) + 1]."""
        n = len(self._step)
        return np.concatenate([self._kept.reshape(n, -1), self._step[:, None]], axis=1)

    def past(self, vectors: Any) -> Past:
        """Read vectors."""
        whole = np.asarray(vectors, dtype=np.int64)
        rows = whole[..., :-1].reshape(*whole.shape[:-1], self._k, -1)
        actions = np.where(rows[..., 0] == self._none, -1, rows[..., 0])
        return Past(rows[..., 1:], actions, whole[..., -1])


class HistoryObservation(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Show the last k observations, each after the action that it followed, and the step.

    A vector of codes: k times (action, or their number where there was none; observation), oldest
    first, then the number of steps taken. `FlatObservation` goes around it.

    Args:
        env: a `SequenceEnv`.
        k: how many.

    Raises:
        AgentError: nothing is kept, or an environment of another kind.
    """

    def __init__(self, env: AnyEnv, k: int) -> None:
        super().__init__(env)
        actions: Any = env.action_space
        self._history = _History(env, env.observation_space, int(actions.n), 1, k)
        self._one = np.ones(1, dtype=np.bool_)
        self.observation_space = self._history.space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Begin an episode, as the environment does."""
        seen, info = self.env.reset(seed=seed, options=options)
        self._history.begin(seen[None], self._one)
        return self._history.vectors[0], info

    def step(self, action: Any) -> tuple[NDArray[np.int64], Any, bool, bool, dict[str, Any]]:
        """Play an action, as the environment does."""
        seen, reward, ended, cut, info = self.env.step(action)
        self._history.add([action], seen[None], self._one)
        return self._history.vectors[0], reward, ended, cut, info

    def decode(self, observation: Any) -> Past:
        """Read a history."""
        return self._history.past(observation)


class HistoryVectorObservation(VectorWrapper[Any, Any, Any, Any, Any]):
    """`HistoryObservation` of many copies; an episode knows nothing of the one before it."""

    def __init__(self, env: AnyVectorEnv, k: int) -> None:
        super().__init__(env)
        actions: Any = env.single_action_space
        space = env.single_observation_space
        self._history = _History(env, space, int(actions.n), env.num_envs, k)
        self._same = env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
        self._over = np.zeros(env.num_envs, dtype=np.bool_)
        self.single_observation_space = self._history.space
        self.observation_space = batch_space(self._history.space, env.num_envs)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Begin an episode in every copy, or in those of ``options["reset_mask"]``."""
        all_ = np.ones(self.num_envs, dtype=np.bool_)
        which = np.asarray((options or {}).get("reset_mask", all_), dtype=np.bool_)
        seen, info = self.env.reset(seed=seed, options=options)
        self._history.begin(seen, which)
        self._over = self._over & ~which
        return self._history.vectors, info

    def step(self, actions: Any) -> tuple[NDArray[np.int64], Any, Any, Any, dict[str, Any]]:
        """Play an action in every copy, as the environment does."""
        seen, reward, ended, cut, info = self.env.step(actions)
        over = np.asarray(ended | cut, dtype=np.bool_)
        going = ~self._over if not self._same else ~over
        if self._same and "final_obs" in info:
            last = np.asarray(info["_final_obs"], dtype=np.bool_)
            final = np.array(seen, dtype=np.int64)
            final[last] = np.stack(info["final_obs"][last])
            self._history.add(actions, final, last)
            info = {**info, "final_obs": np.where(last[:, None], self._history.vectors, 0)}
        self._history.add(actions, seen, going)
        self._history.begin(seen, ~going)
        self._over = over & (not self._same)
        return self._history.vectors, reward, ended, cut, info

    def decode(self, observations: Any) -> Past:
        """Read the histories of all copies."""
        return self._history.past(observations)
