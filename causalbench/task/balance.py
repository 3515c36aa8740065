"""Report how a suite's pairs are spread: what was hard to make, how far apart twins are, and where.

A report, and no judgement: by the twin theorem no skew of the truths can give skill. The exception
is what a private coin decides by design, which twin is side 0 and which comes first. There a skew
beyond chance is a fault of the generator, and is tested.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from causalbench.task.leaks import answer_sign, pairs_of, sign_test
from causalbench.task.span import legal_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from causalbench.task.types import Case, Placement

__all__ = ["ALPHA", "Balance", "FormRow", "MakingRow", "balance", "holm", "skews"]

ALPHA = 1e-4
"""The chance of a false alarm of `skews`, all its tests together."""

_FIFTHS = 5
_KINDS: Mapping[str, Callable[[Placement], str]] = {
    "access": lambda place: place.traits.access or place.cell,
    "size": lambda place: place.traits.size,
    "motif": lambda place: place.traits.motif,
    "family": lambda place: place.traits.family,
    "surface": lambda place: place.traits.surface,
}
"""What pairs are counted by, beside their type of question; "" where a suite does not say."""

_Pair = tuple["Case", "Case"]


@dataclass(frozen=True)
class FormRow:
    """The pairs of one type of question.

    Args:
        rung: of the questions.
        track: ``estimates`` or ``decisions``.
        form: the type; the track's name where the suite does not say.
        pairs: how many.
        items: on both sides.
        floors: the least, the median and the largest floor of a pair.
        fifths: the share of the true values in each fifth of what the query's form allows; empty
            for decisions, and where values have a scale of their own.
        larger: in how many pairs side 1 has the larger answer.
        unequal: in how many either has.
        first: in how many pairs side 0 comes first in the suite.
    """

    rung: int
    track: str
    form: str
    pairs: int
    items: int
    floors: tuple[float, float, float]
    fifths: tuple[float, ...]
    larger: int
    unequal: int
    first: int


@dataclass(frozen=True)
class MakingRow:
    """How pairs of one construction were come by.

    Args:
        rung: of the questions.
        form: the type of question, as in `FormRow`.
        construction: how the twins were made.
        pairs: how many.
        attempts: the mean number of attempts for a pair; None where it is not kept.
        most: the largest number of attempts for a pair, or None.
    """

    rung: int
    form: str
    construction: str
    pairs: int
    attempts: float | None
    most: int | None


@dataclass(frozen=True)
class Balance:
    """How the pairs of a suite are spread.

    Args:
        forms: a row for each type of question.
        making: a row for each type of question and construction.
        counts: what pairs are counted by -> value -> pairs on rungs 1, 2 and 3; only what the suite
            says.
        open: kind of honesty item -> how many, and how many of them are not settled.
    """

    forms: tuple[FormRow, ...]
    making: tuple[MakingRow, ...]
    counts: Mapping[str, Mapping[str, tuple[int, int, int]]]
    open: Mapping[str, tuple[int, int]]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)


def balance(cases: Sequence[Case]) -> Balance:
    """Describe how the pairs among cases are spread.

    Args:
        cases: of a suite, in its order.

    Raises:
        TwinError: a pair that has not exactly two sides.
    """
    pairs = pairs_of(cases)
    order = {case.dossier.id: number for number, case in enumerate(cases)}
    return Balance(
        forms=tuple(_forms(pairs, order)),
        making=tuple(_making(pairs)),
        counts=_counts(pairs),
        open=_open(cases),
    )


def skews(found: Balance) -> list[str]:
    """Name what a fair private coin would not have done, a line each.

    Which twin is side 0, and which comes first, are coins. Each type of question is tested by an
    exact sign test on either; p values are adjusted by Holm, and `ALPHA` is their common level.

    Args:
        found: of a suite.
    """
    tests: list[tuple[str, int, int]] = []
    for row in found.forms:
        name = f"rung {row.rung}, {row.form}"
        tests.append((f"{name}: side 1 has the larger answer", row.larger, row.unequal))
        tests.append((f"{name}: side 0 comes first", row.first, row.pairs))
    adjusted = holm([sign_test(hits, count) for _, hits, count in tests])
    return [
        f"{what} in {hits} of {count} pairs, which no fair coin does (adjusted p = {chance:.1g})."
        for (what, hits, count), chance in zip(tests, adjusted, strict=True)
        if chance < ALPHA
    ]


def holm(chances: Sequence[float]) -> list[float]:
    """Adjust p values for their number.

    Args:
        chances: in [0, 1].

    Returns:
        Adjusted ones in the same order: rejecting those below a level keeps the chance of any false
        rejection below it.

    Reference:
        Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    order = sorted(range(len(chances)), key=chances.__getitem__)
    adjusted = [0.0] * len(chances)
    least = 0.0
    for turn, place in enumerate(order):
        least = max(least, min(1.0, chances[place] * (len(chances) - turn)))
        adjusted[place] = least
    return adjusted


def _form(place: Placement) -> tuple[int, str, str]:
    return place.rung, place.track, place.traits.form or place.track


def _grouped(
    pairs: Iterable[_Pair], key: Callable[[Placement], tuple[Any, ...]]
) -> dict[tuple[Any, ...], list[_Pair]]:
    """Put pairs together, in sorted order of what they have in common."""
    groups: dict[tuple[Any, ...], list[_Pair]] = {}
    for pair in pairs:
        groups.setdefault(key(pair[0].placement), []).append(pair)
    return dict(sorted(groups.items()))


def _forms(pairs: Iterable[_Pair], order: Mapping[str, int]) -> Iterator[FormRow]:
    for (rung, track, form), group in _grouped(pairs, _form).items():
        floors = [sum(item.key.floor for item in first.items) for first, _ in group]
        signs = [answer_sign(pair) for pair in group]
        yield FormRow(
            rung=rung,
            track=track,
            form=form,
            pairs=len(group),
            items=sum(len(case.items) for pair in group for case in pair),
            floors=(min(floors), median(floors), max(floors)),
            fifths=_fifths(case for pair in group for case in pair),
            larger=sum(sign > 0 for sign in signs),
            unequal=sum(sign != 0 for sign in signs),
            first=sum(order[one.dossier.id] < order[two.dossier.id] for one, two in group),
        )


def _fifths(cases: Iterable[Case]) -> tuple[float, ...]:
    counts = [0] * _FIFTHS
    for case in cases:
        for item in case.items:
            if item.key.values or any(variable.is_real for variable in case.dossier.variables):
                return ()
            low, high = legal_range(item.question.query, case.dossier)
            part = (float(item.key.truth) - low) / (high - low)
            counts[min(_FIFTHS - 1, max(0, int(part * _FIFTHS)))] += 1
    return tuple(count / sum(counts) for count in counts)


def _making(pairs: Iterable[_Pair]) -> Iterator[MakingRow]:
    groups = _grouped(pairs, lambda place: (*_form(place), place.construction))
    for (rung, _, form, construction), group in groups.items():
        placed = [pair[0].placement for pair in group]
        # Suites that don't say what kind of task a pair is don't count attempts either.
        known = [int(each.proof["attempts"]) for each in placed if each.traits.form]
        kept = len(known) == len(group)
        yield MakingRow(
            rung=rung,
            form=form,
            construction=construction,
            pairs=len(group),
            attempts=sum(known) / len(known) if kept else None,
            most=max(known) if kept else None,
        )


def _counts(pairs: Sequence[_Pair]) -> dict[str, dict[str, tuple[int, int, int]]]:
    found: dict[str, dict[str, tuple[int, int, int]]] = {}
    for kind, value_of in _KINDS.items():
        seen = Counter((value_of(one.placement), one.placement.rung) for one, _ in pairs)
        values = sorted({value for value, _ in seen if value})
        if values:
            found[kind] = {v: (seen[v, 1], seen[v, 2], seen[v, 3]) for v in values}
    return found


def _open(cases: Iterable[Case]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for case in cases:
        place = case.placement
        if place.role == "honesty":
            name = f"rung {place.rung}, {place.track}, {place.traits.access or place.cell}"
            count, left = found.get(name, (0, 0))
            unsettled = sum(not item.key.certificate.identified for item in case.items)
            found[name] = count + len(case.items), left + unsettled
    return dict(sorted(found.items()))
