"""Read how hard each kind of task was found to be, and sort a suite's cases by it.

The figures are measured, not guessed: ``benchmarks/difficulty.py`` lets agents play a suite and
writes them to ``tasks/difficulty/SUITE.yaml``. A stratum's difficulty is the mean over its items of
an agent's loss as a share of what silence costs, cut to [0, 1]; easy, medium and hard are the
thirds of the strata.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from causalbench.errors import NotFoundError, UnknownNameError, suggest
from causalbench.task.catalogue import data_files
from causalbench.task.jobs import wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.task.types import Traits

__all__ = ["DIFFICULTY", "LEVELS", "Difficulty", "Strain", "load_difficulty", "stratum_of"]

DIFFICULTY = "difficulty"  # the folder of the figures, and what a filter calls them
LEVELS = ("easy", "medium", "hard")


class _Named(Protocol):
    """A suite: what its figures are found by."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Strain:
    """What was measured of one stratum.

    Args:
        difficulty: in [0, 1], 0 where every agent knew the truth.
        discrimination: the mean correlation of an item with the rest, over agents; None where no
            item told agents apart.
        items: how many items it is over.
    """

    difficulty: float
    discrimination: float | None
    items: int


@dataclass(frozen=True)
class Difficulty:
    """How hard a suite's strata were found to be.

    Args:
        suite: its name.
        version: the version that was measured.
        measured: on which seed and limit, with which agents and versions.
        cuts: the difficulty below which a stratum is easy, and that from which on it is hard.
        strata: `stratum_of` -> what was measured.
    """

    suite: str
    version: int
    measured: Mapping[str, Any]
    cuts: tuple[float, float]
    strata: Mapping[str, Strain]

    def level(self, traits: Traits) -> str:
        """Return ``easy``, ``medium`` or ``hard``; "" for a stratum that was not measured."""
        found = self.strata.get(stratum_of(traits))
        if found is None:
            return ""
        return LEVELS[sum(found.difficulty >= cut for cut in self.cuts)]


def stratum_of(traits: Traits) -> str:
    """Name the kinds of task that are measured together: ``ATE/lab-do/small/discrete``.

    Budgets and numbers of rows are pooled.
    """
    head, _, last = traits.access.rpartition("-")
    kind = head if last.isdigit() else traits.access
    return f"{traits.form}/{kind}/{traits.size}/{traits.family}"


def load_difficulty(suite: _Named, levels: Any = LEVELS) -> Difficulty:
    """Return what was measured of a suite.

    Args:
        suite: the suite.
        levels: one level or several that somebody asks for.

    Raises:
        NotFoundError: its difficulty was not measured, or that of another version was.
        UnknownNameError: no such level.
    """
    strange = sorted(wanted(levels) - {*LEVELS})
    if strange:
        msg = f"there is no difficulty '{strange[0]}'; take {', '.join(LEVELS)}."
        raise UnknownNameError(msg + suggest(strange[0], LEVELS))
    found = _read(suite.name)
    if found is None:
        have = ", ".join(sorted(data_files(DIFFICULTY))) or "no suite's yet"
        msg = f"the difficulty of '{suite.name}' was not measured (measured: {have}); "
        raise NotFoundError(msg + "leave it out, or filter by form, access or size.")
    if found.version != suite.version:
        msg = (
            f"the difficulty of '{suite.name}' was measured on version {found.version}, this is "
            f"version {suite.version}; measure it again with benchmarks/difficulty.py."
        )
        raise NotFoundError(msg)
    return found


@lru_cache(maxsize=8)
def _read(name: str) -> Difficulty | None:
    file = data_files(DIFFICULTY).get(name)
    if file is None:
        return None
    from causalbench.scm.yaml_text import load_yaml

    data: Any = load_yaml(file.read_text(encoding="utf-8"), f"{name}.yaml")
    return Difficulty(
        suite=data["suite"],
        version=data["version"],
        measured=data["measured"],
        cuts=(data["cuts"][0], data["cuts"][1]),
        strata={key: Strain(*values) for key, values in data["strata"].items()},
    )
