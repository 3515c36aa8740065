"""What a learner is, and what it is let into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from gymnasium.vector import VectorEnv
    from numpy.typing import NDArray

    from causalbench.env.log import Log
    from causalbench.scm.play import PlayRegime
    from causalbench.truth.policy import Policy

__all__ = ["RUNG3", "Field", "Learner"]

RUNG3: Mapping[str, str] = {
    "abstain": "it has no answer",
    "rung-2": "its rung-2 value, which ignores the evidence",
    "intent": "behaviour with its own intent shown",
    "replay": "training in a same-noise replay environment (access: imagine)",
}
"""The honest kinds of rung-3 answer of a policy, never merged."""


class Field(Protocol):
    """One world, one phase and one regime, as a learner is let into it; all of it metered.

    Attributes:
        regime: ``see`` gives logs alone, the others environments alone.
        nvec: int64[D], the codes in each place of an observation.
        actions: the actions' labels.
        horizon: the most steps of an episode.
        family: the world's family, for presets; "" for none.
    """

    regime: PlayRegime
    nvec: NDArray[np.int64]
    actions: tuple[str, ...]
    horizon: int
    family: str

    def env(self, num_envs: int = 1) -> VectorEnv[Any, Any, Any]:
        """Return a vector environment whose steps are counted.

        Raises:
            AccessError: the regime is ``see``.
        """
        ...

    def log(self, steps: int) -> Log:
        """Return the log's first episodes that hold at least so many steps; each is counted once.

        Raises:
            AccessError: the regime is not ``see``.
        """
        ...


class Learner(Protocol):
    """Trains a policy; asked for more and more steps, so that one training gives a whole curve.

    Attributes:
        name: its name in tables.
        regimes: the regimes it can be trained under.
        rung3: which of `RUNG3` its answer to a rung-3 question is, by regime.
        config: its options, JSON-ready.
    """

    name: str
    regimes: frozenset[str]
    rung3: Mapping[str, str]
    config: Mapping[str, Any]

    def start(self, field: Field, *, rng: np.random.Generator) -> None:
        """Begin anew in a field."""
        ...

    def enter(self, field: Field) -> None:
        """Go on in another field (the next phase of a world) with what has been learnt."""
        ...

    def train(self, until: int) -> None:
        """Train until so many steps have been taken in all (``see``: logged steps been read)."""
        ...

    def policy(self) -> Policy:
        """Return the present policy; what is trained later does not change it."""
        ...

    def save(self, path: Path) -> None:
        """Write a checkpoint into a folder."""
        ...

    def load(self, path: Path) -> None:
        """Read a checkpoint, after `start`."""
        ...
