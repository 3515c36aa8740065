"""Gymnasium environments over worlds.

Importing this module registers `ENV_IDS`; ``gymnasium.register_envs`` may be called on it so that
linters see the import used.
"""

from __future__ import annotations

from causalbench.env.env import WorldEnv, make_world_env
from causalbench.env.episodes import Episodes, default_regime
from causalbench.env.ids import ENV_IDS, register_all
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

register_all()
