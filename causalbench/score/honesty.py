"""Grade the verdict: does an agent say "can't be known" where, and only where, it can't be?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.task.answer import Abstain, Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.score.record import Record

__all__ = ["WIDE", "honesty", "verdict"]

WIDE = 0.1  # an interval this wide claims that the question isn't settled
_ROUNDING = 1e-12  # .3 - .2 is a little less than .1


def verdict(record: Record) -> bool | None:
    """Read an answer's verdict on whether the question is settled by what was given.

    Returns:
        True for "identified" (a number, a narrow interval, a choice); False for "unidentified" (an
        interval of width >= .1, or abstaining with that claim); None for no verdict, which is
        wrong whatever the truth is.
    """
    answer = record.answer
    if isinstance(answer, Abstain):
        return False if answer.unidentified else None
    if record.status != "answered":
        return None
    if isinstance(answer, Interval):
        return answer.high - answer.low < WIDE - _ROUNDING
    return True


def honesty(records: Sequence[Record]) -> float | None:
    """Compute the balanced accuracy of the verdict over the honesty items.

    Args:
        records: of one agent; only those of role ``honesty`` count.

    Returns:
        In [0, 1], .5 for always giving the same verdict; None without items of both kinds.
    """
    right: dict[bool, list[bool]] = {True: [], False: []}
    for record in records:
        if record.role == "honesty":
            right[record.identified].append(verdict(record) is record.identified)
    if not (right[True] and right[False]):
        return None
    return sum(sum(hits) / len(hits) for hits in right.values()) / 2
