"""Say whose answers an agent gives: those of the see, the do, or the imagine solver."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from causalbench.task.answer import Choice, Estimate, Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.score.record import Record
    from causalbench.task.answer import Answer

__all__ = ["APART", "nearest_reading", "profile", "tells_apart"]

APART = 0.1  # readings nearer than this can't be told apart by an answer
_ROUNDING = 1e-12  # .3 - .2 is a little less than .1
_LADDER = ("see", "do", "imagine")


def profile(records: Sequence[Record]) -> dict[str, float] | None:
    """Share out an agent's answers among the readings they are nearest to.

    A question of rung k is answered by the readings of rungs 1 to k, the last of which is the
    truth. Only answered items count whose readings differ pairwise: by .1 or more, or, for a
    decision, in the action they name. A choice that no reading makes is in the denominator alone.

    Args:
        records: of one agent.

    Returns:
        Shares of ``see``, ``do`` and ``imagine``, or None where no item tells them apart.
    """
    counts = dict.fromkeys(_LADDER, 0)
    total = 0
    for record in records:
        if record.status != "answered" or not tells_apart(record):
            continue
        total += 1
        name = nearest_reading(record)
        if name is not None:
            counts[name] += 1
    return {name: count / total for name, count in counts.items()} if total else None


def tells_apart(record: Record) -> bool:
    """Say whether the readings of rungs 1 to k of an item differ pairwise."""
    names = _LADDER[: record.rung]
    if len(names) < 2 or any(name not in record.readings for name in names):  # noqa: PLR2004
        return False
    return all(
        _differ(record.readings[one], record.readings[other])
        for one, other in combinations(names, 2)
    )


def nearest_reading(record: Record) -> str | None:
    """Name the reading nearest to an item's answer; a tie goes to the lower rung.

    Returns:
        ``see``, ``do`` or ``imagine``; None for no number, or a choice that no reading makes.
    """
    names = [name for name in _LADDER[: record.rung] if name in record.readings]
    said = _said(record.answer)
    if isinstance(said, str):
        return next((name for name in names if record.readings[name] == said), None)
    distances = {
        name: abs(said - reading)
        for name in names
        if said is not None and not isinstance(reading := record.readings[name], str)
    }
    return min(distances, key=distances.__getitem__) if distances else None


def _said(answer: Answer | None) -> float | str | None:
    """Return the number or the label that an answer amounts to: an interval its middle."""
    if isinstance(answer, Estimate):
        return answer.value
    if isinstance(answer, Interval):
        return (answer.low + answer.high) / 2
    return answer.action if isinstance(answer, Choice) else None


def _differ(one: float | str, other: float | str) -> bool:
    """Say whether two readings can be told apart."""
    if isinstance(one, str) or isinstance(other, str):
        return one != other
    return abs(one - other) >= APART - _ROUNDING
