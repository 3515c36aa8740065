"""Check that a suite keeps its promises: what `causalbench check suite NAME` runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from causalbench.run.evaluate import evaluate
from causalbench.run.plan import cases_of, select

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causalbench.task.types import Case

__all__ = ["check_suite", "shortcuts"]

_ROUNDING = 1e-9  # keys are written to 12 digits, and a pair sums a handful of them
_CONFINED: Mapping[str, frozenset[int]] = {
    "constant": frozenset({1, 2, 3}),
    "majority": frozenset({1, 2, 3}),
    "see-reader": frozenset({2, 3}),
    "do-reader": frozenset({3}),
}
"""Control -> the rungs on which it is confined to the rung below: its skill is at most 0."""

_SHORTCUTS = ("reachability", "adjacency", "edge-count", "win-stay-lose-shift")


def check_suite(suite: Any, *, seed: int = 0, limit: int | None = None) -> list[str]:
    """Find everything that is wrong with a suite.

    Checked: the same seed builds the same bytes; ids are unique; a scored pair has two sides that
    are asked alike, for one positive floor, and don't stand next to each other; the exact control
    has skill 1 in every cell; and each control that is confined to the rung below has at most 0.

    Args:
        suite: as `evaluate` takes it.
        seed: which items.
        limit: at most so many pairs.

    Returns:
        One line for each problem; empty if there is none.
    """
    selection = select(suite, seed=seed, limit=limit)
    cases = cases_of(selection)
    return [
        *_bytes(cases, cases_of(selection)),
        *_ids(cases),
        *_pairs(cases),
        *_skills(suite, seed, limit),
    ]


def shortcuts(suite: Any, *, seed: int = 0, limit: int | None = None) -> list[str]:
    """Let the controls that take shortcuts play, and report what they score above rung 1.

    A shortcut that uses the diagram isn't bound by the theorem, so this is a report: no skill in it
    is a problem in itself.

    Args:
        suite: as `evaluate` takes it.
        seed: which items.
        limit: at most so many pairs.

    Returns:
        One line for each control and cell: skill and its interval.
    """
    run = evaluate(list(_SHORTCUTS), suite, seed=seed, limit=limit)
    lines = []
    for row in run.rows:
        if row["skill"] is None or row["rung"] == 1:
            continue
        place = f"{row['track']}, rung {row['rung']}, {row['cell']}"
        ends = "" if row["low"] is None else f" [{row['low']:.2f} {row['high']:.2f}]"
        lines.append(f"{row['agent']}: {place}: {row['skill']:.2f}{ends}")
    return lines


def _bytes(cases: Sequence[Case], again: Sequence[Case]) -> Iterator[str]:
    """Compare two builds of one seed."""
    from causalbench.task.encode import canonical_json, key_to_dict

    def text(case: Case) -> str:
        items = [[item.question.to_dict(), key_to_dict(item.key)] for item in case.items]
        return canonical_json([case.dossier.to_dict(), items])

    if [text(case) for case in cases] != [text(case) for case in again]:
        yield "two builds of one seed differ; draw everything from the seed."


def _ids(cases: Sequence[Case]) -> Iterator[str]:
    """Look for ids that occur twice."""
    ids = Counter(case.dossier.id for case in cases)
    ids.update(item.question.id for case in cases for item in case.items)
    for name, count in ids.items():
        if count > 1:
            yield f"id '{name}' occurs {count} times; make ids unique."


def _pairs(cases: Sequence[Case]) -> Iterator[str]:
    """Look at the pairs that carry skill."""
    pairs: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.placement.role == "skill":
            pairs[case.placement.pair_id].append(case)
    for name, held in pairs.items():
        if sorted(case.placement.side for case in held) != [0, 1]:
            yield f"pair '{name}' has {len(held)} cases; a pair has sides 0 and 1."
            continue
        one, two = (
            sorted((i.question.query, i.question.kind, i.question.actions) for i in case.items)
            for case in held
        )
        if one != two:
            yield f"pair '{name}' asks its sides different questions; ask both the same."
        floors = [sum(item.key.floor for item in case.items) for case in held]
        if abs(floors[0] - floors[1]) > _ROUNDING or floors[0] <= 0:
            yield f"pair '{name}' has floors {floors}; both sides carry one positive floor."
    if len(pairs) > 1:
        for before, after in pairwise(cases):
            if before.placement.pair_id == after.placement.pair_id and (
                before.placement.role == "skill"
            ):
                yield f"the twins of pair '{before.placement.pair_id}' stand next to each other."


def _skills(suite: Any, seed: int, limit: int | None) -> Iterator[str]:
    """Let the controls play."""
    run = evaluate(["exact", *_CONFINED], suite, seed=seed, limit=limit)
    for row in run.rows:
        if row["skill"] is None:
            continue
        place = f"{row['track']}, rung {row['rung']}, {row['cell']}"
        if row["agent"] == "exact" and row["skill"] < 1 - _ROUNDING:
            yield f"{place}: the truth itself has skill {row['skill']:.6f}, not 1."
        elif row["rung"] in _CONFINED.get(row["agent"], ()) and row["skill"] > _ROUNDING:
            who = f"{row['agent']}, which can't tell twins apart,"
            yield f"{place}: {who} has skill {row['skill']:.6f}."
