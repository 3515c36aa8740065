"""Let every shortcut play a suite's pairs, and bound what each scores on each type of question."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import ScoreError
from causalbench.rng import generator
from causalbench.run.audit.bounds import LEVEL, LIMIT, bounds_of, compatible_bounds, draws_for
from causalbench.run.audit.contest import by_type, floor_of, played
from causalbench.run.audit.figure import SHORTCUTS, Audit, Figure
from causalbench.run.plan import select
from causalbench.run.pool import Workers, one_thread
from causalbench.run.progress import ticker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.run.audit.bounds import Bound
    from causalbench.run.audit.contest import Losses, Pair

__all__ = ["audit"]

_GAIN = 0.01  # of a pair's floor: less is not worth naming the pair for


def audit(
    suite: Any,
    *,
    seed: int = 0,
    limit: int | None = None,
    where: Mapping[str, Any] | None = None,
    jobs: int = 1,
    progress: bool = False,
) -> Audit:
    """Audit a suite for shortcuts.

    Args:
        suite: as `evaluate` takes it.
        seed: which items.
        limit: at most so many pairs.
        where: placement field -> value.
        jobs: processes; no figure depends on it.
        progress: show how far it is, on stderr.

    Returns:
        The figures of every type of question and shortcut.

    Raises:
        ScoreError: the suite has no pairs of twins.
        NotFoundError: no such suite, or nothing is left by limit and filter.
    """
    selection = select(suite, seed=seed, limit=limit, where={"role": "skill", **(where or {})})
    with one_thread(), ticker(shown=progress) as count:
        if jobs == 1:
            pairs, losses = played(None, selection, count)
        else:
            with Workers(jobs) as workers:
                pairs, losses = played(workers.pool, selection, count)
        count.name("bounds")
        figures = _figures(pairs, losses, f"{selection.digest} {seed}")
    return Audit(selection.suite_name, selection.suite_version, seed, len(pairs), figures)


def _figures(pairs: Sequence[Pair], losses: Losses, stream: str) -> tuple[Figure, ...]:
    """Bound every skill, all at once."""
    types = by_type(pairs)
    places = [(kind, name) for kind in types for name in SHORTCUTS if (kind, name) in losses]
    draws = draws_for(len(places))
    rivals: dict[tuple[str, str], list[_Try]] = {}
    for kind, held in types.items():
        tries = [
            _Try(name, way, *_tried(held, values, blind=name == "number-blind"))
            for name in SHORTCUTS
            for way, values in losses.get((kind, name), {}).items()
        ]
        bounds = _bounded(tries, draws, f"audit {stream} {kind}")
        for one, bound in zip(tries, bounds, strict=True):
            rivals.setdefault((kind, one.name), []).append(replace(one, bound=bound))
    adjusted = compatible_bounds([[one.known for one in rivals[place]] for place in places])
    return tuple(
        _figure(kind, rivals[kind, name], upper, passes=passes)
        for (kind, name), (upper, passes) in zip(places, adjusted, strict=True)
    )


@dataclass(frozen=True, eq=False)
class _Try:
    """One way of building a shortcut, on the pairs of one type."""

    name: str
    way: str
    pairs: tuple[Pair, ...]
    losses: tuple[float, ...]
    bound: Bound | None = None

    @property
    def known(self) -> Bound:
        """The bound, once there is one."""
        if self.bound is None:
            msg = f"the skill of '{self.name}' is not bounded yet."
            raise ScoreError(msg)
        return self.bound

    @property
    def best(self) -> tuple[str, ...]:
        """The pairs that it gained most on, at most three."""
        gains = [
            1.0 - loss / floor_of(pair) for pair, loss in zip(self.pairs, self.losses, strict=True)
        ]
        order = sorted(range(len(gains)), key=lambda place: -gains[place])[:3]
        return tuple(self.pairs[n][0].placement.pair_id for n in order if gains[n] > _GAIN)


def _figure(kind: str, ways: Sequence[_Try], upper: float, *, passes: bool) -> Figure:
    best = max(ways, key=lambda one: one.known.skill)
    return Figure(
        type=kind,
        shortcut=best.name,
        skill=best.known.skill,
        upper=upper,
        alone=max(one.known.upper(LEVEL) for one in ways),
        chance=max(one.known.chance(LIMIT) for one in ways),
        pairs=len(best.pairs),
        bases=best.known.bases,
        way=best.way,
        passes=passes,
        best=() if passes else best.best,
    )


def _tried(
    held: Sequence[Pair], values: Sequence[float | None], *, blind: bool
) -> tuple[tuple[Pair, ...], tuple[float, ...]]:
    """Return the pairs on which a shortcut can be tried; the diagram's where it is shown at all."""
    tried = [(p, value) for p, value in zip(held, values, strict=True) if value is not None]
    if blind:
        tried = [each for each in tried if each[0][0].items[0].drawn] or tried
    return tuple(pair for pair, _ in tried), tuple(value for _, value in tried)


def _bounded(tries: Sequence[_Try], draws: int, stream: str) -> list[Bound]:
    """Return the bounds of all tries; those on the same base worlds share their resamples."""
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, one in enumerate(tries):
        alike[tuple(pair[0].placement.pair_id for pair in one.pairs)].append(number)
    found: dict[int, Bound] = {}
    for members in alike.values():
        pairs = tries[members[0]].pairs
        bases = sorted({pair[0].placement.base for pair in pairs})
        place = {base: number for number, base in enumerate(bases)}
        at = np.array([place[pair[0].placement.base] for pair in pairs])
        floors = np.bincount(at, weights=[floor_of(pair) for pair in pairs]).astype(np.float64)
        lost = np.array([np.bincount(at, weights=tries[number].losses) for number in members])
        rng = generator(0, f"{stream} {len(pairs)}")
        found |= zip(members, bounds_of(lost, floors, draws=draws, rng=rng), strict=True)
    return [found[number] for number in range(len(tries))]
