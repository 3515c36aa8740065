"""Hold a family of sequential worlds: knobs that set its difficulty, and a builder."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, get_args

from causalbench.errors import NotFoundError, WorldError, suggest
from causalbench.rng import generator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from causalbench.task.sequential.world import SequentialWorld

__all__ = ["LEVELS", "Knob", "Split", "WorldFamily"]

Level = Literal["easy", "medium", "hard"]
LEVELS: tuple[Level, ...] = ("easy", "medium", "hard")
Split = Literal["practice", "test"]


@dataclass(frozen=True, slots=True)
class Knob:
    """A number that a family is made with.

    Args:
        low: the least value.
        high: the largest value.
        about: one line: what turning it up does.
        whole: whether it is a whole number.
    """

    low: float
    high: float
    about: str
    whole: bool = True


@dataclass(frozen=True)
class WorldFamily:
    """Worlds of one story whose parameters are drawn.

    Args:
        name: such as ``"key-maze"``; the name of its world file, too.
        env: such as ``"KeyMaze"``; ``causalbench/KeyMaze-v0`` is its registered id.
        title: one line.
        about: a paragraph: what it tests, and which rung must fail on it.
        knobs: name to `Knob`.
        levels: a setting of every knob for easy, medium and hard.
        build: makes a world from a generator and the settings; the same in, the same out.
        shifted: settings outside the levels' range, for tests on a shifted split.
        published: knobs of the published world, in place of medium's.
    """

    name: str
    env: str
    title: str
    about: str
    knobs: Mapping[str, Knob]
    levels: Mapping[str, Mapping[str, float]]
    build: Callable[[np.random.Generator, Mapping[str, Any]], SequentialWorld]
    shifted: Mapping[str, float] = field(default_factory=dict)
    published: Mapping[str, float] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The registered Gymnasium id."""
        return f"causalbench/{self.env}-v0"

    def settings(self, difficulty: str = "medium", **knobs: float) -> dict[str, Any]:
        """Return a setting of every knob: a level's, with some of them turned.

        Raises:
            NotFoundError: no such level or knob.
            WorldError: a setting out of its range.
        """
        if difficulty not in self.levels:
            near = suggest(difficulty, self.levels)
            raise NotFoundError(
                f"family '{self.name}' has no difficulty '{difficulty}'; choose one of"
                f" {', '.join(self.levels)}.{near}"
            )
        for name in knobs:
            if name not in self.knobs:
                near = suggest(name, self.knobs) or f" It has {', '.join(self.knobs)}."
                raise NotFoundError(f"family '{self.name}' has no knob '{name}'.{near}")
        chosen: dict[str, Any] = {**self.levels[difficulty], **knobs}
        for name, value in chosen.items():
            knob = self.knobs[name]
            number = isinstance(value, Real) and not isinstance(value, bool)
            fits = number and knob.low <= value <= knob.high
            if not fits or (knob.whole and int(value) != value):
                kind = "a whole number" if knob.whole else "a number"
                raise WorldError(
                    f"family '{self.name}': {name} is {value!r}; give {kind} from {knob.low:g} to"
                    f" {knob.high:g}."
                )
            chosen[name] = int(value) if knob.whole else float(value)
        return chosen

    def world(
        self,
        index: int = 0,
        difficulty: str = "medium",
        *,
        split: Split = "practice",
        seed: int = 0,
        **knobs: float,
    ) -> SequentialWorld:
        """Draw a world.

        Args:
            index: which of the worlds that share these settings, at least 0.
            difficulty: easy, medium or hard.
            split: ``practice`` is what registered environments give; ``test`` is kept for scoring,
                and shares no draw with it.
            seed: of the draws, at least 0.
            **knobs: settings in place of the level's.

        Raises:
            NotFoundError: no such level, knob or split.
            WorldError: a setting out of its range, or an index or seed that is no number from 0 on.
        """
        numbers: tuple[tuple[Any, str], ...] = ((index, "index"), (seed, "seed"))
        for given, what in numbers:
            if isinstance(given, bool) or not isinstance(given, Integral) or given < 0:
                raise WorldError(
                    f"family '{self.name}': {what} is {given!r}; give a whole number from 0 on."
                )
        if split not in get_args(Split):
            raise NotFoundError(
                f"family '{self.name}' has no split '{split}'; choose one of"
                f" {', '.join(get_args(Split))}."
            )
        rng = generator(seed, f"sequence/{self.name}/{split}", index)
        return self.build(rng, self.settings(difficulty, **knobs))
