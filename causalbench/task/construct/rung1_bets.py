"""Rung 1: bet on the most probable combination of values of what is not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.payoff import MARGIN, pick_bets
from causalbench.task.types import Decision

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from causalbench.task.construct.asks import Labels
    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats

__all__ = ["Bet", "pick_bet"]

_GROUPS = 12  # sets of seen and unseen variables that are looked at
_CELLS = 64  # the most combinations of what is betted on
_TRIES = 3  # candidates that are looked at for each of them
_SAME = 1e-12


@dataclass(frozen=True)
class Bet:
    """Combinations of values to choose from after an observation, as codes.

    Args:
        place: the candidate.
        seen: the variables that are seen.
        given: their codes, or None where every observation is asked.
        names: the variables betted on.
        combinations: their codes, one tuple an action.
    """

    place: int
    seen: tuple[str, ...]
    given: tuple[int, ...] | None
    names: tuple[str, ...]
    combinations: tuple[tuple[int, ...], ...]

    def decision(self, roles: Mapping[str, str], labels: Labels) -> Decision:
        """Return the decision, each role under its name."""
        order = sorted(range(len(self.names)), key=lambda place: roles[self.names[place]])
        actions = [
            ", ".join(labels.atom(roles[self.names[place]], codes[place]) for place in order)
            for codes in self.combinations
        ]
        seen = tuple(roles[name] for name in self.seen)
        given = None
        if self.given is not None:
            told = zip(seen, self.given, strict=True)
            given = tuple((name, labels.values[name][code]) for name, code in told)
        return Decision(id="bet", mode="bet", actions=tuple(actions), observes=seen, given=given)


def pick_bet(
    rng: np.random.Generator,
    ends: tuple[Batch, Batch],
    after: Collection[str],
    least: float,
    *,
    stated: bool,
) -> Bet | None:
    """Choose what is seen and what to bet on, so that the two worlds disagree; or return None.

    Args:
        rng: draws the choice.
        ends: nets of one shape, pairwise with equal laws of every variable.
        after: the variables whose ties to others differ, one of which must play a part.
        least: the least probability of an observation.
        stated: one observation is stated, else each is asked.
    """
    names = list(ends[0].visible)
    for _ in range(_GROUPS):
        mixed = [names[int(place)] for place in draws.permutation(rng, len(names))]
        looks = 1 + int(draws.integers(rng, min(2, len(names) - 1)))
        seen = tuple(mixed[:looks])
        goals = tuple(mixed[looks : looks + 1 + int(draws.integers(rng, 3))])
        cells = int(np.prod([ends[0].cards[name] for name in goals]))
        if not 2 < cells <= _CELLS or not set(after).intersection(seen + goals):  # noqa: PLR2004
            continue
        rows = int(np.prod([ends[0].cards[name] for name in seen]))
        laws = [each.law((*seen, *goals)).reshape(-1, rows, cells) for each in ends]
        found = _from_table(rng, laws, least, stated=stated)
        if found is not None:
            place, row, chosen = found
            grid = list(np.ndindex(*(ends[0].cards[name] for name in goals)))
            given = None
            if stated:
                given = tuple(np.ndindex(*(ends[0].cards[name] for name in seen)))[row]
            return Bet(place, seen, given, goals, tuple(grid[each] for each in chosen))
    return None


def _from_table(
    rng: np.random.Generator, laws: list[Floats], least: float, *, stated: bool
) -> tuple[int, int, tuple[int, ...]] | None:
    """Choose a candidate, an observation and the columns to bet on from P(seen, goals)."""
    mass = [law.sum(axis=-1) for law in laws]
    known = [law / each[..., None] for law, each in zip(laws, mass, strict=True)]
    regret = sum(each.max(axis=-1, keepdims=True) - each for each in known)
    floor = np.round(np.asarray(regret).min(axis=-1), 9)
    common = np.round(np.minimum(*mass), 9) >= least
    if stated:
        places = np.argwhere(common & (floor >= MARGIN))
    else:
        same = (np.abs(mass[0] - mass[1]) <= _SAME) & common
        total = np.round(np.where(same, mass[0] * floor, 0.0).sum(axis=-1), 9)
        places = np.argwhere(same.all(axis=-1) & (total >= MARGIN))
    for number in draws.permutation(rng, len(places)).tolist()[:_TRIES]:
        place = int(places[number][0])
        row = int(places[number][1]) if stated else 0
        rows = [row] if stated else list(range(mass[0].shape[1]))
        weights = np.ones(1) if stated else mass[0][place]
        chosen = pick_bets(rng, weights, known[0][place][rows], known[1][place][rows])
        if chosen is not None:
            return place, row, chosen
    return None
