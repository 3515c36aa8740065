"""Check that a suite keeps its promises: what `causalbench check suite NAME` runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from causalbench.errors import TwinError
from causalbench.run.build import cases_in, pieces_in
from causalbench.run.evaluate import evaluate
from causalbench.run.plan import cases_of, select
from causalbench.run.pool import Workers
from causalbench.task.balance import balance, skews
from causalbench.task.check_suite import check_cases
from causalbench.task.encode import canonical_json, key_to_dict
from causalbench.task.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Executor

    from causalbench.run.plan import Selection
    from causalbench.task.balance import Balance
    from causalbench.task.types import Case, Placement

__all__ = ["SuiteReport", "check_suite", "report_suite", "shortcuts"]

_ROUNDING = 1e-9  # keys are written to 12 digits, and a pair sums a handful of them
_CONFINED: Mapping[str, frozenset[int]] = {
    "constant": frozenset({1, 2, 3}),
    "majority": frozenset({1, 2, 3}),
    "see-reader": frozenset({2, 3}),
    "do-reader": frozenset({3}),
}
"""Control -> the rungs on which it is confined to the rung below: its skill is at most 0."""

_SHORTCUTS = ("reachability", "adjacency", "edge-count", "win-stay-lose-shift")


@dataclass(frozen=True)
class SuiteReport:
    """What a check of a suite found.

    Args:
        suite: its name.
        version: its version.
        seed: that was checked.
        problems: a line for each; none is the good outcome.
        balance: how its pairs are spread; None where they could not be told apart.
    """

    suite: str
    version: str
    seed: int
    problems: tuple[str, ...]
    balance: Balance | None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "suite": self.suite,
            "version": self.version,
            "seed": self.seed,
            "ok": not self.problems,
            "problems": list(self.problems),
            "balance": None if self.balance is None else self.balance.to_dict(),
        }


def check_suite(suite: Any, *, seed: int = 0, limit: int | None = None, jobs: int = 1) -> list[str]:
    """Find everything that is wrong with a suite: the problems of `report_suite`.

    Args:
        suite: as `evaluate` takes it.
        seed: which items.
        limit: at most so many pairs.
        jobs: processes; nothing depends on it.

    Returns:
        One line for each problem; empty if there is none.
    """
    return list(report_suite(suite, seed=seed, limit=limit, jobs=jobs).problems)


def report_suite(
    suite: Any,
    *,
    seed: int = 0,
    limit: int | None = None,
    jobs: int = 1,
    progress: bool = False,
) -> SuiteReport:
    """Check a suite, and say how its pairs are spread.

    Checked: the same seed builds the same bytes; ids are unique; a scored pair has two sides that
    are asked alike, for one positive floor, and don't stand next to each other; the exact control
    has skill 1 in every cell; each control that is confined to the rung below has at most 0; and
    which twin is which side, and which comes first, are fair coins. Of a suite made of a recipe
    also what `causalbench.task.check_suite.check_cases` looks at, case by case.

    Args:
        suite: as `evaluate` takes it.
        seed: which items.
        limit: at most so many pairs.
        jobs: processes; nothing depends on it.
        progress: show how far it is, on a terminal.
    """
    selection = select(suite, seed=seed, limit=limit)
    with Workers(jobs) if jobs > 1 else nullcontext() as workers:
        pool = workers.pool if workers else None
        cases = cases_in(pool, selection)
        again = _digests(pool, selection)
    problems = [*_bytes(cases, again), *_ids(cases), *_pairs(cases)]
    found: Balance | None = None
    with suppress(TwinError):  # a pair without two sides was named above
        found = balance(cases)
        problems += skews(found)
        if isinstance(selection.suite, Suite) and selection.suite.world is None:
            problems += check_cases(cases)
    problems += _skills(_Held(selection, cases), selection, jobs=jobs, progress=progress)
    name, version = selection.suite_name, selection.suite_version
    return SuiteReport(name, version, seed, tuple(problems), found)


@dataclass(frozen=True)
class _Held:
    """A selection whose cases are at hand: `evaluate` need not build them again."""

    selection: Selection
    made: Sequence[Case]

    @property
    def name(self) -> str:
        return self.selection.suite_name

    @property
    def version(self) -> str:
        return self.selection.suite_version

    @property
    def digest(self) -> str:
        return self.selection.digest

    def cases(self, *_: Any, **__: Any) -> Sequence[Case]:
        return self.made

    def __reduce__(self) -> Any:
        """Travel to another process without the cases, which are sent there as they are played."""
        return _Held, (self.selection, ())


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


@dataclass(frozen=True, slots=True)
class _Digest:
    """What of a case has to be the same again."""

    placement: Placement
    digest: str


def _digest(case: Case) -> _Digest:
    items = [[item.question.to_dict(), key_to_dict(item.key)] for item in case.items]
    text = canonical_json([case.dossier.to_dict(), items])
    return _Digest(case.placement, sha256(text.encode()).hexdigest())


def _digests(pool: Executor | None, selection: Selection) -> list[str]:
    """Build the cases once more and return their digests, in their order."""
    suite = selection.suite
    if not isinstance(suite, Suite):
        return [_digest(case).digest for case in cases_of(selection)]
    made = suite.in_order(list(pieces_in(pool, selection, _digest)), selection.seed)
    return [one.digest for one in made]


def _bytes(cases: Sequence[Case], again: Sequence[str]) -> Iterator[str]:
    """Compare two builds of one seed."""
    if [_digest(case).digest for case in cases] != list(again):
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


def _skills(held: _Held, selection: Selection, *, jobs: int, progress: bool) -> Iterator[str]:
    """Let the controls play."""
    agents = ["exact", *_CONFINED]
    run = evaluate(agents, held, seed=selection.seed, jobs=jobs, progress=progress)
    for row in run.rows:
        if row["skill"] is None:
            continue
        place = f"{row['track']}, rung {row['rung']}, {row['cell']}"
        if row["agent"] == "exact" and row["skill"] < 1 - _ROUNDING:
            yield f"{place}: the truth itself has skill {row['skill']:.6f}, not 1."
        elif row["rung"] in _CONFINED.get(row["agent"], ()) and row["skill"] > _ROUNDING:
            who = f"{row['agent']}, which can't tell twins apart,"
            yield f"{place}: {who} has skill {row['skill']:.6f}."
