"""Wrap environments so that they show the same observations in another form.

Each wrapper has a scalar and a vector variant, and a ``decode`` that gives the vector back: nothing
is lost, and nothing is added. A vector variant takes either mode of autoreset and turns
``info["final_obs"]`` into its form, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

from causalbench.env.wrapper_codes import DictCode, FactCode, FlatCode, program_of
from causalbench.env.wrapper_history import HistoryObservation, HistoryVectorObservation
from causalbench.errors import AgentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.env.wrapper_codes import ObservationCode

__all__ = [
    "DictObservation",
    "DictVectorObservation",
    "FactObservation",
    "FactVectorObservation",
    "FlatObservation",
    "FlatVectorObservation",
    "HistoryObservation",
    "HistoryVectorObservation",
]

AnyEnv = gymnasium.Env[Any, Any]
AnyVectorEnv = VectorEnv[Any, Any, Any]


class _Coded(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Show a scalar environment's observations in a form."""

    def __init__(self, env: AnyEnv, code: ObservationCode) -> None:
        super().__init__(env)
        self._code = code
        self.observation_space = code.space

    def observation(self, observation: NDArray[Any]) -> Any:
        """Turn a vector into this form."""
        return _first(self._code.encode(np.asarray(observation)[None]))

    def decode(self, observation: Any) -> NDArray[np.int64]:
        """Turn an observation back into its vector, int64[D]."""
        batch = (
            {key: np.asarray(value)[None] for key, value in observation.items()}
            if isinstance(observation, dict)
            else np.asarray(observation)[None]
        )
        vector: NDArray[np.int64] = self._code.decode(batch)[0]
        return vector


class _VectorCoded(VectorWrapper[Any, Any, Any, Any, Any]):
    """Show a vector environment's observations in a form, the last ones of episodes too."""

    def __init__(self, env: AnyVectorEnv, code: ObservationCode) -> None:
        super().__init__(env)
        self._code = code
        self.single_observation_space = code.space
        self.observation_space = batch_space(code.space, env.num_envs)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every copy, as the environment does."""
        seen, info = self.env.reset(seed=seed, options=options)
        return self._code.encode(seen), info

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Play an action in every copy, as the environment does."""
        seen, reward, ended, cut, info = self.env.step(actions)
        if "final_obs" in info:
            info = {**info, "final_obs": self._final(info["final_obs"])}
        return self._code.encode(seen), reward, ended, cut, info

    def decode(self, observations: Any) -> NDArray[np.int64]:
        """Turn observations back into their vectors, int64[num_envs, D]."""
        return self._code.decode(observations)

    def _final(self, final: NDArray[Any]) -> Any:
        if final.dtype != object:
            return self._code.encode(final)
        # Gymnasium's own vector environments put one observation a copy, or None.
        told = np.full(len(final), None, dtype=object)
        for copy, each in enumerate(final):
            if each is not None:
                told[copy] = _first(self._code.encode(np.asarray(each)[None]))
        return told


class FlatObservation(_Coded):
    """Show observations as one-hot stretches, one after the other (float32, 0 or 1).

    Args:
        env: whose observations are vectors of codes (`SequenceEnv`, `WorldEnv`,
            `HistoryObservation`).
    """

    def __init__(self, env: AnyEnv) -> None:
        super().__init__(env, FlatCode(_nvec(env.observation_space)))


class FlatVectorObservation(_VectorCoded):
    """`FlatObservation` of many copies: float32[num_envs, sum of nvec]."""

    def __init__(self, env: AnyVectorEnv) -> None:
        super().__init__(env, FlatCode(_nvec(env.single_observation_space)))


class DictObservation(_Coded):
    """Show each visible variable by name, its last code being "unseen"; then mode and goal.

    Args:
        env: a `SequenceEnv`.

    Raises:
        AgentError: an environment of another kind.
        WorldError: a variable is called ``mode`` or ``goal``.
    """

    def __init__(self, env: AnyEnv) -> None:
        program = program_of(env)
        super().__init__(env, DictCode(program.process.visible, _nvec(env.observation_space)))


class DictVectorObservation(_VectorCoded):
    """`DictObservation` of many copies: int64[num_envs] by name."""

    def __init__(self, env: AnyVectorEnv) -> None:
        names = program_of(env).process.visible
        super().__init__(env, DictCode(names, _nvec(env.single_observation_space)))


class FactObservation(_Coded):
    """Show a padded set of facts, in the words of `causalbench.task.facts`.

    Args:
        env: a `SequenceEnv`.

    Raises:
        AgentError: an environment of another kind.
    """

    def __init__(self, env: AnyEnv) -> None:
        super().__init__(env, FactCode(program_of(env)))


class FactVectorObservation(_VectorCoded):
    """`FactObservation` of many copies, all of which have the same facts but those seen."""

    def __init__(self, env: AnyVectorEnv) -> None:
        super().__init__(env, FactCode(program_of(env)))


def _nvec(space: gymnasium.Space[Any]) -> NDArray[Any]:
    if not isinstance(space, gymnasium.spaces.MultiDiscrete) or space.nvec.ndim != 1:
        raise AgentError(f"observations are of {space}, not vectors of codes; wrap first what is.")
    return np.asarray(space.nvec)


def _first(batch: Any) -> Any:
    if isinstance(batch, dict):
        return {key: value[0] for key, value in batch.items()}
    return batch[0]
