"""What questions of rung 3 are made of: a scene, a pattern of questions, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.query.render import quote

if TYPE_CHECKING:
    from causalbench.task.construct.asks import Labels
    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats
    from causalbench.task.construct.rung3_worlds import Courses

__all__ = [
    "ELSE",
    "THEN",
    "Cell",
    "Draw",
    "Pattern",
    "Read",
    "Say",
    "Scene",
    "one_code",
    "ratio",
    "shuffled",
    "two_codes",
]

THEN, ELSE = "then", "else"
"""The courses in which the cause is set to one value, and to another."""


@dataclass(frozen=True)
class Scene:
    """What a pattern is about.

    Args:
        batch: the candidate worlds.
        x: the cause.
        y: the outcome, which it reaches.
    """

    batch: Batch
    x: str
    y: str

    @property
    def others(self) -> list[str]:
        """The visible variables but the cause and the outcome."""
        return [name for name in self.batch.visible if name not in {self.x, self.y}]


@dataclass(frozen=True)
class Say:
    """Write the parts of a query with the names that roles were given."""

    roles: Mapping[str, str]
    labels: Labels

    def name(self, role: str) -> str:
        """Return the name as a query writes it."""
        return quote(self.roles[role])

    def atom(self, role: str, code: int, subscript: str = "", op: str = "=") -> str:
        """Return e.g. ``y[x=0]=1``."""
        return self.labels.atom(self.roles[role], code, subscript, op)

    def facts(self, roles: Sequence[str], codes: Sequence[int]) -> str:
        """Return e.g. ``x=0, y=1``."""
        return ", ".join(self.atom(*pair) for pair in zip(roles, codes, strict=True))

    def step(self, role: str, first: int, last: int) -> str:
        """Return e.g. ``x: 0 -> 1``."""
        values = self.labels.values[self.roles[role]]
        return f"{self.name(role)}: {quote(values[first])} -> {quote(values[last])}"


Cell = tuple[int, ...]
Read = Callable[["Floats", "Batch"], tuple["Floats", "Floats"]]


@dataclass(frozen=True)
class Pattern:
    """Questions that differ in values alone.

    Args:
        courses: what is set in which course; see `causalbench.task.construct.rung3_worlds`.
        asked: the (variable, course) pairs whose joint law it takes, an axis each.
        read: turns that law, and the worlds, into float64[candidate, *cells]: the answers, and the
            probabilities of what is conditioned on (0 where a cell is no question).
        write: writes the question of a cell.
        signed: whether answers may be negative.
    """

    courses: Courses
    asked: tuple[tuple[str, str], ...]
    read: Read
    write: Callable[[Say, Cell], str]
    signed: bool = False


Draw = Callable[["np.random.Generator", Scene], Pattern | None]


def ratio(part: Floats, mass: Floats) -> Floats:
    """Divide, 0 where there is nothing to divide by."""
    return np.divide(part, mass, out=np.zeros(np.broadcast(part, mass).shape), where=mass > 0.0)


def one_code(rng: np.random.Generator, scene: Scene, name: str) -> int:
    """Draw a value of a variable."""
    return int(draws.integers(rng, scene.batch.cards[name]))


def two_codes(rng: np.random.Generator, scene: Scene, name: str) -> tuple[int, int]:
    """Draw two different values of a variable."""
    first, second, *_ = draws.permutation(rng, scene.batch.cards[name])
    return int(first), int(second)


def shuffled(rng: np.random.Generator, names: Sequence[str]) -> list[str]:
    """Put names into a random order."""
    return [names[int(place)] for place in draws.permutation(rng, len(names))]
