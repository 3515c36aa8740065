"""Settle what is run before anything is: the suite, the selection from it, its cases."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.errors import CausalBenchError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.task.suite import Suite
    from causalbench.task.types import Case

__all__ = [
    "MOST_REPEATS",
    "Selection",
    "cases_of",
    "describe",
    "empty",
    "load",
    "outline",
    "select",
    "under",
]

MOST_REPEATS = 10_000  # a typing slip beyond it would only fill the memory


@dataclass(frozen=True)
class Selection:
    """A suite, and how much of it is run.

    Args:
        suite: the suite itself.
        reference: what it was named by (a name or a path), or the suite where it was an object.
        suite_name: for tables and folders.
        suite_version: part of every result.
        digest: of the suite.
        seed: draws the items.
        limit: at most so many pairs (or named cases) of each kind, or None.
        where: placement field -> value, or None.
        repeats: how often an agent is trained.
        time_limit: seconds for one dossier, or None.
    """

    suite: Any
    reference: Any
    suite_name: str
    suite_version: str
    digest: str
    seed: int
    limit: int | None
    where: Mapping[str, Any] | None
    repeats: int
    time_limit: float | None


def select(
    suite: Any,
    *,
    seed: int = 0,
    limit: int | None = None,
    where: Mapping[str, Any] | None = None,
    repeats: int = 1,
    time_limit: float | None = None,
) -> Selection:
    """Find a suite and check what is asked of it.

    Args:
        suite: a suite's or world's name, a path, or a suite.
        seed: >= 0.
        limit: >= 1 pairs, or None.
        where: placement field -> value, or None.
        repeats: 1 to `MOST_REPEATS`.
        time_limit: > 0 seconds for one dossier, or None.

    Raises:
        CausalBenchError: a number out of range.
        NotFoundError: no such suite.
    """
    _check("seed", seed, 0)
    _check("repeats", repeats, 1, MOST_REPEATS)
    _check("limit", limit, 1)
    if time_limit is not None and not 0 < time_limit < math.inf:
        msg = f"time limit is {time_limit}; give seconds above 0, or leave it out."
        raise CausalBenchError(msg)
    found = load(suite)
    return Selection(
        suite=found,
        reference=str(suite) if isinstance(suite, Path) else suite,
        suite_name=str(found.name),
        suite_version=str(found.version),
        digest=str(found.digest),
        seed=seed,
        limit=limit,
        where=dict(where) if where else None,
        repeats=repeats,
        time_limit=time_limit,
    )


def load(reference: Any) -> Any:
    """Return the suite that a name, a path or a world stands for; a suite is returned as it is.

    Raises:
        NotFoundError: no suite or world of that name.
    """
    if callable(getattr(reference, "cases", None)):
        return reference
    from causalbench.task.suite import load_suite

    return load_suite(reference)


def under(suite: Any, shift: str) -> Any:
    """Return a suite's test side of a shift, by name where the suite is named.

    Args:
        suite: as `select` takes it.
        shift: a name of `causalbench.task.shifts`; "" changes nothing.

    Raises:
        NotFoundError: no such suite or shift, or the suite can't be split.
    """
    if not shift:
        return suite
    found = load(suite)
    if not callable(getattr(found, "shifted", None)):
        msg = f"suite '{found.name}' can't be split by a shift; take one made of strata."
        raise NotFoundError(msg)
    shifted = found.shifted(shift)
    return shifted.name if suite == found.name else shifted


def cases_of(selection: Selection) -> list[Case]:
    """Build the cases selected, in the suite's order.

    Raises:
        NotFoundError: nothing is left by limit and filter.
    """
    suite = selection.suite
    cases = list(suite.cases(selection.seed, limit=selection.limit, filter=selection.where))
    if not cases:
        raise empty(selection)
    return cases


def empty(selection: Selection) -> NotFoundError:
    """Return the error that nothing is left by limit and filter."""
    wanted = ", ".join(f"{key}={value}" for key, value in (selection.where or {}).items())
    return NotFoundError(
        f"suite '{selection.suite_name}' has no items where {wanted or 'anything holds'}; "
        "loosen the filter (see: causalbench show SUITE)."
    )


def describe(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Count pairs and items: a row for each (role, track, rung, cell)."""
    pairs: dict[tuple[str, str, int, str], set[str]] = {}
    items: Counter[tuple[str, str, int, str]] = Counter()
    for case in cases:
        spot = case.placement
        place = (spot.role, spot.track, spot.rung, spot.cell)
        pairs.setdefault(place, set()).add(spot.pair_id)
        items[place] += len(case.items)
    order = {"skill": 0, "honesty": 1, "named": 2}
    return [
        {
            "role": role,
            "track": track,
            "rung": rung,
            "cell": cell,
            "pairs": len(pairs[role, track, rung, cell]),
            "items": items[role, track, rung, cell],
        }
        for role, track, rung, cell in sorted(pairs, key=lambda p: (order.get(p[0], 3), *p[1:]))
    ]


def outline(suite: Suite) -> list[dict[str, Any]]:
    """Count pairs and cases as `describe` does, from the recipe alone: a large suite builds long.

    Items are None: how many a decision has shows only once its world is drawn.
    """
    from causalbench.task.jobs import jobs_of

    places = Counter(
        (job.role, str(job.track), int(job.rung or 0), job.cell)
        for job in jobs_of(suite.recipe, suite.world)
        if job.role != "named"
    )
    order = {"skill": 0, "honesty": 1}
    return [
        {"role": place[0], "track": place[1], "rung": place[2], "cell": place[3]}
        | {"pairs": places[place], "items": None}
        for place in sorted(places, key=lambda p: (order[p[0]], *p[1:]))
    ]


def _check(name: str, value: Any, least: int, most: int | None = None) -> None:
    """Refuse what is no whole number, or one out of range."""
    if value is None:
        return
    if not isinstance(value, int) or value < least or (most is not None and value > most):
        legal = f"of {least} or more" if most is None else f"from {least} to {most}"
        msg = f"{name} is {value}; give a whole number {legal}."
        raise CausalBenchError(msg)
