"""Say what shortcuts score on a suite: one figure for each, on each type of question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from causalbench.run.audit.answerers import VIEWS
from causalbench.run.audit.bounds import LEVEL, LIMIT
from causalbench.run.audit.readers import READERS

__all__ = ["SHORTCUTS", "Audit", "Figure"]

SHORTCUTS: tuple[str, ...] = ("constant", "majority", *VIEWS, *READERS, "sides")
"""Every shortcut, in the order in which tables show them."""


@dataclass(frozen=True)
class Figure:
    """What one shortcut scores on one type of question.

    Args:
        type: the type of question.
        shortcut: of `SHORTCUTS`.
        skill: 1 - sum loss / sum floor; of several ways to build the shortcut, the best one's.
        upper: the simultaneous upper 95% bound, see `causalbench.run.audit.bounds`.
        alone: the same bound if nothing else had been tested.
        chance: the p value of "the skill is above the limit".
        pairs: how many pairs it could be tried on.
        bases: how many base worlds these are of.
        way: how the shortcut was built.
        passes: whether the limit keeps above the bound.
        best: ids of the pairs that it gained most on, at most three, where it does not pass.
    """

    type: str
    shortcut: str
    skill: float
    upper: float
    alone: float
    chance: float
    pairs: int
    bases: int
    way: str
    passes: bool
    best: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "type": self.type,
            "shortcut": self.shortcut,
            "skill": round(self.skill, 12),
            "upper": round(self.upper, 12),
            "alone": round(self.alone, 12),
            "chance": round(self.chance, 12),
            "pairs": self.pairs,
            "bases": self.bases,
            "way": self.way,
            "passes": self.passes,
            "best": list(self.best),
        }


@dataclass(frozen=True)
class Audit:
    """The audit of one suite at one seed.

    Args:
        suite: its name.
        version: its version.
        seed: of its items.
        pairs: how many pairs there were.
        figures: one for each type of question and shortcut that it leaves room for.
    """

    suite: str
    version: str
    seed: int
    pairs: int
    figures: tuple[Figure, ...]

    @property
    def passes(self) -> bool:
        """Whether every shortcut keeps to the limit on every type of question."""
        return all(figure.passes for figure in self.figures)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "suite": self.suite,
            "version": self.version,
            "seed": self.seed,
            "pairs": self.pairs,
            "limit": LIMIT,
            "level": LEVEL,
            "passes": self.passes,
            "figures": [figure.to_dict() for figure in self.figures],
        }
