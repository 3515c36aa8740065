"""Gymnasium environments over worlds.

Importing this module registers ``causalbench/UmbrellaRain-v0``; ``gymnasium.register_envs`` may be
called on it so that linters see the import used.
"""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

from causalbench.env.env import WorldEnv, make_world_env
from causalbench.env.episodes import Episodes, default_regime
from causalbench.env.sequence import SequenceEnv
from causalbench.env.sequence_vector import SequenceVectorEnv
from causalbench.env.vector import WorldVectorEnv, make_world_vector_env

__all__ = [
    "ENV_IDS",
    "Episodes",
    "SequenceEnv",
    "SequenceVectorEnv",
    "WorldEnv",
    "WorldVectorEnv",
    "default_regime",
    "make_world_env",
    "make_world_vector_env",
]

ENV_IDS: tuple[str, ...] = ("causalbench/UmbrellaRain-v0",)

for _id in ENV_IDS:
    if _id not in registry:
        register(
            id=_id,
            entry_point="causalbench.env.env:make_world_env",
            vector_entry_point="causalbench.env.vector:make_world_vector_env",
            kwargs={"world": "umbrella-rain", "decision": "act-cheap"},
        )
