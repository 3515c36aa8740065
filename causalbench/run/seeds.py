"""Derive every seed of a run from two numbers: the suite's seed and the repeat.

What an agent draws and what its lab draws come from different streams, and each dossier has its
own, so answers don't depend on order, jobs, or whether the run was resumed.
"""

from __future__ import annotations

import numpy as np

from causalbench.rng import child, generator

__all__ = ["agent_seed", "answer_rng", "lab_rng", "study_rng", "train_rng"]

_LAB = 0x1AB  # keeps a lab's stream apart from its agent's
_EXACT = 11  # 64 - 53: seeds stay below 2**53, which every reader of JSON keeps exact


def agent_seed(seed: int, repeat: int) -> int:
    """Return the seed of one training repeat.

    Args:
        seed: the suite's seed, >= 0.
        repeat: from 0.

    Returns:
        An integer in [0, 2**53).
    """
    return _derive(seed, repeat)


def train_rng(agent: int) -> np.random.Generator:
    """Return the generator for training across worlds; ``agent`` is an `agent_seed`."""
    return child(generator(agent, "train"))


def study_rng(agent: int, dossier: str) -> np.random.Generator:
    """Return the generator for studying one dossier; ``agent`` is an `agent_seed`."""
    return child(generator(agent, f"study {dossier}"))


def answer_rng(agent: int, dossier: str, question: str) -> np.random.Generator:
    """Return the generator for answering one question; ``agent`` is an `agent_seed`."""
    return child(generator(agent, f"answer {dossier} {question}"))


def lab_rng(seed: int, agent: int, dossier: str) -> np.random.Generator:
    """Return the generator that a dossier's lab draws its units from.

    Args:
        seed: the suite's seed.
        agent: an `agent_seed`.
        dossier: the dossier's id, which twins don't share: their units are independent.
    """
    return child(generator(_derive(seed, agent, _LAB), dossier))


def _derive(*entropy: int) -> int:
    """Mix integers into one below 2**53."""
    state = np.random.SeedSequence(list(entropy)).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(_EXACT))
