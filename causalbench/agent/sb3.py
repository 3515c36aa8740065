"""Show a lab's vector environment to stable-baselines3 (import this inside functions only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gymnasium.vector import VectorEnv

    from causalbench.agent.protocol import Clock
    from causalbench.env import WorldVectorEnv

__all__ = ["LabVecEnv", "PassingVecEnv", "TimeLimit", "load_ppo"]


def load_ppo() -> Any:
    """Return the class of the algorithm."""
    return PPO


class PassingVecEnv(VecEnv):  # type: ignore[misc]  # stable-baselines3 is untyped to us
    """The part that passes calls on to the native vector environment ``self.env``."""

    env: VectorEnv[Any, Any, Any]

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the environment, once for each index."""
        value = getattr(self.env, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of the environment."""
        del indices
        setattr(self.env, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        """Call a method of the environment, once for each index."""
        method = getattr(self.env, method_name)
        return [method(*args, **kwargs) for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> Sequence[bool]:
        """Return False for each index: nothing is wrapped."""
        del wrapper_class
        return [False for _ in self._get_indices(indices)]


class LabVecEnv(PassingVecEnv):
    """Pass arrays on: every episode has one step, and both sides reset in the same step.

    Args:
        env: the native vector environment.
    """

    def __init__(self, env: WorldVectorEnv) -> None:
        self.env: WorldVectorEnv = env
        self._actions: np.ndarray | None = None
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> np.ndarray:
        """Begin episodes."""
        return self.env.reset()[0]

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Play the actions."""
        observations, rewards, ended, _, info = self.env.step(np.asarray(self._actions))
        final = info["final_obs"]
        infos = [{"terminal_observation": row, "TimeLimit.truncated": False} for row in final]
        return observations, rewards.astype(np.float32), ended, infos


class TimeLimit(BaseCallback):  # type: ignore[misc]  # stable-baselines3 is untyped to us
    """Stop training when the clock has run out.

    Args:
        clock: of the present step.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def _on_step(self) -> bool:
        return self.clock.left > 0
