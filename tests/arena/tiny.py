"""A tiny world of two phases, and learners of three lines, importable by name in any process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from causalbench.scm.play import Play
from causalbench.task.sequential import Phase, SequentialWorld
from causalbench.task.sequential.slices import Slices

if TYPE_CHECKING:
    from pathlib import Path

    from causalbench.scm.process import Process

PLAY = Play(
    "act",
    ("a=0", "a=1"),
    ("x", "a", "y"),
    ((1.0, "y=1"),),
    goal=((1.0, "x=1"),),
    returns=(0.0, 2.0),
)


def process(good: float, horizon: int = 2) -> Process:
    """A confounded process: nature acts on a hidden mood that also decides what pays."""
    return (
        Slices(horizon)
        .add("u", "0 1", hidden=True)
        .add("x", "0 1")
        .add("a", "0 1")
        .add("y", "0 1")
        .chance("u", "", lambda: 0.375)
        .chance("x", "u", lambda u: 0.25 + 0.5 * u)
        .chance("a", "u", lambda u: 0.875 if u else 0.125)
        .chance("y", "a u", lambda a, u: good if a != u else 1 - good)
        .process()
    )


def world() -> SequentialWorld:
    """Return the world, with what pays turned round in its second phase."""
    return SequentialWorld(
        id="tiny",
        version=1,
        title="Tiny",
        source="made for tests",
        story="",
        play=PLAY,
        phases=(Phase("dry", process(0.75)), Phase("oily", process(0.125))),
    )


class Fixed:
    """A policy that takes one action, or each by its probability."""

    recalls = False
    reads_reward = False

    def __init__(self, chances: Any) -> None:
        self._chances = np.asarray(chances, dtype=np.float64)

    def begin(self, n: int) -> None:
        """Remember nothing."""

    def act(self, moment: Any, memory: Any) -> Any:
        """Give the probabilities."""
        return np.repeat(self._chances[None], len(moment.seen), axis=0), memory


class Stub:
    """Tries both actions for some episodes and leans towards the one that paid more."""

    name = "stub"
    regimes = frozenset({"see", "do", "intent"})
    rung3: ClassVar = {"see": "rung-2", "do": "rung-2", "intent": "intent"}

    def __init__(self, lean: float = 0.75) -> None:
        self.config = {"lean": lean}
        self._lean = lean

    def start(self, field: Any, *, rng: Any) -> None:
        """Forget everything."""
        self._paid = np.zeros((2, len(field.actions)))
        self._rng, self._done = rng, 0
        self.enter(field)

    def enter(self, field: Any) -> None:
        """Go on elsewhere."""
        self._field = field

    def train(self, until: int) -> None:
        """Play, or read, until so many steps are done."""
        steps, self._done = until - self._done, until
        if self._field.regime == "see":
            log = self._field.log(steps)
            for action in range(len(self._field.actions)):
                held = log.matches[:, :, action]
                self._paid[:, action] += held.sum(), (log.reward * held).sum()
            return
        env = self._field.env(4)
        env.reset()
        for _ in range(max(1, steps // 4)):
            chosen = self._rng.integers(0, len(self._field.actions), 4)
            _, reward, *_ = env.step(chosen)
            np.add.at(self._paid[0], chosen, 1)
            np.add.at(self._paid[1], chosen, reward)

    def policy(self) -> Fixed:
        """Lean towards the better action."""
        means = self._paid[1] / np.maximum(self._paid[0], 1)
        chances = np.full(len(means), 1 - self._lean)
        chances[means.argmax()] = self._lean
        return Fixed(chances / chances.sum())

    def save(self, path: Path) -> None:
        """Keep nothing."""

    def load(self, path: Path) -> None:
        """Read nothing."""


class Broken(Stub):
    """Fails as it trains."""

    name = "broken"

    def train(self, until: int) -> None:
        """Raise."""
        raise RuntimeError(f"no more than {until}")


class Greedy(Stub):
    """Takes three times as many steps as it is asked to."""

    name = "greedy"

    def train(self, until: int) -> None:
        """Train for longer."""
        super().train(3 * until)
