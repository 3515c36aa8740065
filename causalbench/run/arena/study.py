"""Say what is measured in an arena: which worlds, who trains how in them, and when it is valued."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.errors import CausalBenchError, NotFoundError
from causalbench.run.arena.place import HELD_OUT, PRACTICE, SHIFTED, OneWorld, Worlds
from causalbench.task.sequential.catalogue import FAMILIES, load_family, load_sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.run.arena.place import Place, Practice
    from causalbench.scm.play import PlayRegime
    from causalbench.task.sequential import SequentialWorld

__all__ = ["BUDGETS", "PLOTS", "Contestant", "Ground", "Stage", "Study", "is_sequential"]

BUDGETS = (256, 1024, 4096, 16384)
"""Where a curve is measured if nothing else is said, in steps."""

PLOTS = ("curves", "life", "sweep", "spread", "goal")
"""What a study can be drawn as."""


@dataclass(frozen=True)
class Contestant:
    """A learner with its options.

    Args:
        name: its name in tables.
        agent: what `causalbench.agent.learn.registry.make_learner` makes it of, or
            ``file.py:Class``.
        options: constructor options.
        varied: the options of which a study tries several values, with this one's.
        budgets: its own points of the curve; () for the study's.
        regimes: its own regimes; () for the study's.
    """

    name: str
    agent: str
    options: Mapping[str, Any]
    varied: Mapping[str, Any]
    budgets: tuple[int, ...] = ()
    regimes: tuple[PlayRegime, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of a learner's life.

    Args:
        phase: the phase of the world that it is spent in; None for the first.
        budgets: when it is valued, in steps since the stretch began.
    """

    phase: str | None
    budgets: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Ground:
    """One world that is played in.

    Args:
        world: a family's name, or the path of a world file.
        index: which of the family's worlds of the test split; None for the published one.
        difficulty: of a generated world.
        knobs: of a generated world, in place of the difficulty's.
        practice: where a learner meets many of the family's worlds, how; None within one world.
    """

    world: str
    index: int | None
    difficulty: str
    knobs: Mapping[str, float]
    practice: Practice | None = None

    def load(self) -> SequentialWorld:
        """Return the world."""
        if self.index is None:
            path = Path(self.world)
            return load_sequence(path if path.suffix in {".yaml", ".yml"} else self.world)
        found = load_family(self.world)
        more: dict[str, Any] = {"split": "test", **self.knobs}
        return found.world(self.index, self.difficulty, **more)

    @property
    def family(self) -> str:
        """The family's name, for presets; "" for a world of no family."""
        return self.world if self.world in FAMILIES else self.load().family

    def enter(self) -> Place:
        """Open what is trained in and what is valued in."""
        if self.practice is None:
            return OneWorld(self.load())
        return Worlds(self.world, self.difficulty, self.knobs, self.practice)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; of a file, its name without its folder."""
        return {
            "world": Path(self.world).name,
            "index": self.index,
            "difficulty": "" if self.index is None else self.difficulty,
            "knobs": dict(self.knobs),
            **({"practice": self.practice.to_dict()} if self.practice else {}),
        }


@dataclass(frozen=True)
class Study:
    """One table and one line of panels of a page.

    Args:
        world: a family's name, or the path of a world file.
        contestants: who trains.
        title: one line; "" for the world's.
        regimes: the regimes to train under: each learner under those that it supports.
        life: the stretches of a life, in order.
        valued: the phases that every checkpoint is valued in; () for all that are lived in.
        knobs: settings of the family, each with the values to try; worlds are then generated.
        difficulty: of generated worlds.
        worlds: how many generated worlds of the test split each setting has.
        published: whether the published world is played; ignored where knobs are set.
        planners: depths of planners that are valued beside, for capacity without learning.
        references: which references are computed.
        limit: the most histories that a value may take; beyond it is an interval.
        plot: one of `PLOTS`.
        choice: ``greedy`` or ``sampled``: which policy the plot shows.
        practice: where learners practise across worlds, how; None trains within each world.
    """

    world: str
    contestants: tuple[Contestant, ...]
    title: str = ""
    regimes: tuple[PlayRegime, ...] = ("see", "do")
    life: tuple[Stage, ...] = (Stage(None, BUDGETS),)
    valued: tuple[str, ...] = ()
    knobs: Mapping[str, tuple[float, ...]] | None = None
    difficulty: str = "medium"
    worlds: int = 0
    published: bool = True
    planners: tuple[int, ...] = ()
    references: tuple[PlayRegime, ...] = ("see", "do", "intent", "replay")
    limit: int = 10**6
    plot: str = "curves"
    choice: str = "greedy"
    practice: Practice | None = None

    @property
    def settings(self) -> list[dict[str, float]]:
        """Every combination of the knobs' values, in order; one empty setting without knobs."""
        knobs = self.knobs or {}
        return [dict(zip(knobs, each, strict=True)) for each in itertools.product(*knobs.values())]

    @property
    def varied(self) -> tuple[str, ...]:
        """The knobs of which several values are tried, then the options of which several are."""
        knobs = [name for name, values in (self.knobs or {}).items() if len(values) > 1]
        options = [name for one in self.contestants for name in one.varied]
        options += ["depth"] if self.alone else []
        return tuple(dict.fromkeys([*knobs, *options]))

    @property
    def alone(self) -> bool:
        """Whether nobody learns: planners are measured, and stand in the rows."""
        return bool(self.planners) and not self.contestants

    def grounds(self, setting: Mapping[str, float]) -> list[Ground]:
        """Return the worlds of a setting; across worlds they are one ground."""
        if self.practice is not None:
            return [Ground(self.world, 0, self.difficulty, dict(setting), self.practice)]
        published = [Ground(self.world, None, self.difficulty, {})]
        made = [Ground(self.world, n, self.difficulty, dict(setting)) for n in range(self.worlds)]
        if self.knobs:
            return made or [Ground(self.world, 0, self.difficulty, dict(setting))]
        return [*(published if self.published or not made else []), *made]

    def stages(self, contestant: Contestant) -> tuple[Stage, ...]:
        """Return a contestant's life: the study's, at its own budgets where it has such."""
        if not contestant.budgets:
            return self.life
        return tuple(replace(stage, budgets=contestant.budgets) for stage in self.life)

    def phases(self, world: SequentialWorld) -> tuple[str, ...]:
        """Return the phases that every checkpoint is valued in.

        Raises:
            NotFoundError: the world lacks one of them.
        """
        if self.practice is not None:
            return (PRACTICE, HELD_OUT, *((SHIFTED,) if self.practice.shifted else ()))
        lived = [world.phase(stage.phase).name for stage in self.life]
        named = [world.phase(name).name for name in self.valued]
        return tuple(dict.fromkeys(named or lived))


def is_sequential(name: str) -> bool:
    """Say whether a text names a sequential world: a family, or a file of ``kind: sequence``."""
    if name in FAMILIES:
        return True
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"} or not path.is_file():
        return False
    from causalbench.scm.yaml_text import load_yaml, text_of

    try:
        data = load_yaml(text_of(path), path.name)
    except (CausalBenchError, OSError):
        return False  # whoever reads it as what it is will say what is wrong
    return isinstance(data, Mapping) and data.get("kind") == "sequence"


def check_world(name: str) -> None:
    """Refuse what is no sequential world.

    Raises:
        NotFoundError: nothing of that name.
    """
    if not is_sequential(name):
        names: Sequence[str] = list(FAMILIES)
        msg = f"no sequential world is called '{name}'; there are {', '.join(names)}."
        raise NotFoundError(msg)
