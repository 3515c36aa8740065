"""Open what is trained in and what is valued in: one world, or many that a learner meets in turn.

Within a world, a learner trains in a phase and is valued in phases. Across worlds, it trains on
practice worlds, another in each copy of the environment, and is valued on worlds of the test split
that it has never met. A trial is then several episodes in one and the same world: what a policy
remembers of the first helps it in the next, and nothing but its own memory tells it so. Worlds that
go through phases are met in one of them each, in turns.

Reference:
    Duan et al., "RL2: fast reinforcement learning via slow reinforcement learning" (2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from causalbench.errors import WorldError
from causalbench.scm.program import Program
from causalbench.task.sequential.catalogue import load_family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.scm.play import Play
    from causalbench.scm.process import Process
    from causalbench.task.sequential import SequentialWorld

__all__ = ["HELD_OUT", "PRACTICE", "SHIFTED", "OneWorld", "Place", "Practice", "Worlds"]

PRACTICE, HELD_OUT, SHIFTED = "practice", "held out", "shifted"


class Place(Protocol):
    """Where a learner trains, and where it is valued."""

    def programs(self, phase: str | None) -> Sequence[Program]:
        """Return what is trained in."""
        ...

    def targets(self, phase: str) -> Sequence[Program]:
        """Return what is valued in; a value is the mean over them."""
        ...

    def singles(self, phase: str) -> Sequence[Program]:
        """Return one episode of each of the targets."""
        ...

    def name(self, phase: str | None) -> str:
        """Return how a stretch of training is called."""
        ...


@dataclass(frozen=True, eq=False)
class OneWorld:
    """One world and its phases."""

    world: SequentialWorld

    def programs(self, phase: str | None) -> Sequence[Program]:
        """Return the phase."""
        return [self.world.program(phase)]

    def targets(self, phase: str) -> Sequence[Program]:
        """Return the phase."""
        return [self.world.program(phase)]

    singles = targets

    def name(self, phase: str | None) -> str:
        """Return the phase's name."""
        return self.world.phase(phase).name


@dataclass(frozen=True, slots=True)
class Practice:
    """How a learner practises across worlds.

    Args:
        worlds: how many practice worlds there are.
        episodes: of a trial.
        tests: how many worlds of the test split it is valued on.
        shifted: whether it is valued on worlds of the family's shifted knobs too.
    """

    worlds: int
    episodes: int
    tests: int
    shifted: bool

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "worlds": self.worlds,
            "episodes": self.episodes,
            "tests": self.tests,
            "shifted": self.shifted,
        }


@dataclass(frozen=True, eq=False)
class Worlds:
    """Practice worlds, and worlds to be valued on.

    Args:
        family: of all of them.
        difficulty: of practice and held-out worlds.
        knobs: in place of the difficulty's.
        practice: how many, and how long a trial is.
    """

    family: str
    difficulty: str
    knobs: Mapping[str, float]
    practice: Practice

    @cached_property
    def trained(self) -> list[Program]:
        """Trials in the practice worlds."""
        return self._trials(self._drawn("practice", self.practice.worlds))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What is valued in: worlds practised in, held out ones, and shifted ones."""
        return (PRACTICE, HELD_OUT, *((SHIFTED,) if self.practice.shifted else ()))

    def worlds(self, label: str) -> list[SequentialWorld]:
        """Return the worlds that go by a label.

        Raises:
            WorldError: shifted worlds that an agent of the practice worlds can't act in.
        """
        if label == PRACTICE:
            return self._drawn("practice", min(self.practice.tests, self.practice.worlds))
        if label == HELD_OUT:
            return self._drawn("test", self.practice.tests)
        return self._drawn("test", self.practice.tests, **self._shift())

    def programs(self, phase: str | None) -> Sequence[Program]:
        """Return the practice worlds' trials."""
        del phase
        return self.trained

    def targets(self, phase: str) -> Sequence[Program]:
        """Return trials in the worlds of a label."""
        return self._trials(self.worlds(phase))

    def singles(self, phase: str) -> Sequence[Program]:
        """Return single episodes in the worlds of a label."""
        return [Program(*lived) for lived in _lived(self.worlds(phase))]

    def name(self, phase: str | None) -> str:
        """Return what the one stretch of training is called."""
        del phase
        return PRACTICE

    def mixed(self) -> Program:
        """Return a trial in one of the practice worlds, without being told which."""
        from causalbench.scm.compose import mixture

        return Program(mixture([one.process for one in self.trained]), self.trained[0].play)

    def _trials(self, worlds: Sequence[SequentialWorld]) -> list[Program]:
        from causalbench.scm.compose import trials

        return [Program(*trials(*lived, self.practice.episodes)) for lived in _lived(worlds)]

    def _shift(self) -> dict[str, float]:
        """Return the shifted knobs that leave variables and steps as they are."""
        family = load_family(self.family)
        kept = dict(family.shifted)
        base = self._drawn("test", 1)[0]
        for knob in list(kept):
            alone = self._drawn("test", 1, **{knob: kept[knob]})[0]
            if _face(alone) != _face(base):
                del kept[knob]
        if not kept:
            msg = (
                f"family '{self.family}' has no shift that an agent of unshifted worlds can act in;"
                " set shifted: false."
            )
            raise WorldError(msg)
        return kept

    def _drawn(self, split: str, count: int, **shift: float) -> list[SequentialWorld]:
        more: dict[str, Any] = {"split": split, **self.knobs, **shift}
        family = load_family(self.family)
        return [family.world(number, self.difficulty, **more) for number in range(count)]


def _lived(worlds: Sequence[SequentialWorld]) -> list[tuple[Process, Play]]:
    """Return what is lived in: worlds with phases are met in one phase each, in turns."""
    return [
        (world.phases[number % len(world.phases)].process, world.play)
        for number, world in enumerate(worlds)
    ]


def _face(world: SequentialWorld) -> object:
    """Return what an agent's policy is tied to."""
    process = world.process
    cards = [(name, process.variable(name).cardinality) for name in process.visible]
    return cards, world.play.actions, world.play.observes, process.horizon
