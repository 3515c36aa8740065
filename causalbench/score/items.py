"""Say of each item how hard it was, and how well it tells agents apart.

Difficulty is an agent's loss as a share of what silence costs (half of the question's floor), cut
to [0, 1], in the mean over those that answered. Discrimination is the correlation, over the same,
of an item's score with that of the rest: high where agents that do well elsewhere do well here too,
around 0 where the item tells nothing of them, below 0 where it misleads.

Reference: Lord and Novick, Statistical Theories of Mental Test Scores (1968), on item analysis.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.score.record import TRAITS
from causalbench.score.skill import scored
from causalbench.task.difficulty import stratum_of
from causalbench.task.types import Traits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from causalbench.score.record import Record

__all__ = ["item_rows", "share", "strata_rows"]

_LEAST = 3  # answerers; a correlation of two is 1 or -1 whatever they say
_STILL = 1e-9  # a standard deviation below it is rounding
_PLACE = ("dossier", "question", "pair", "side", "kind", "track", "cell", "group", "rung")


def share(record: Record) -> float:
    """Return the loss as a share of what silence costs, cut to [0, 1].

    Args:
        record: of a skill item with a floor.
    """
    return min(1.0, record.loss / (record.floor / 2))


def item_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Compute difficulty and discrimination of each item that carries skill.

    An answerer is one training of one agent; controls count as the agents do. The rest of an item
    are the other items of its track that the same answerers were asked.

    Args:
        records: of all agents; items whose floor is 0, on which one answer is best in both twins,
            are left out.

    Returns:
        One row an item, in the order of the records: where it stands, ``answerers``,
        ``difficulty`` in [0, 1], and ``discrimination`` in [-1, 1], None with fewer than three
        answerers or where item or rest don't vary.
    """
    held: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in scored(records):
        if record.floor > 0:
            held[record.dossier, record.question].append(record)
    sheets: dict[tuple[Any, ...], list[tuple[str, str]]] = defaultdict(list)
    for item, answers in held.items():
        who = tuple(sorted((one.agent, one.repeat) for one in answers))
        sheets[answers[0].track, who].append(item)
    correlated: dict[tuple[str, str], float | None] = {}
    for items in sheets.values():
        scores = np.array([_scores(held[item]) for item in items])
        correlated.update(zip(items, _item_rest(scores), strict=True))
    return [
        {
            **{name: getattr(answers[0], name) for name in (*_PLACE, *TRAITS, "construction")},
            "answerers": len(answers),
            "difficulty": round(float(np.mean([share(one) for one in answers])), 12),
            "discrimination": correlated[item],
        }
        for item, answers in held.items()
    ]


def strata_rows(items: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Pool items by stratum (`stratum_of`).

    Args:
        items: from `item_rows`; those whose suite doesn't say their type of question are left out.

    Returns:
        Stratum -> ``difficulty`` and ``discrimination``, the means over items (the latter None
        where no item has one), and ``items``, in the order of the names.
    """
    pooled: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in items:
        if item["form"]:
            pooled[stratum_of(Traits(**{name: item[name] for name in TRAITS}))].append(item)
    return {
        name: {
            "difficulty": float(np.mean([item["difficulty"] for item in held])),
            "discrimination": _mean(item["discrimination"] for item in held),
            "items": len(held),
        }
        for name, held in sorted(pooled.items())
    }


def _scores(answers: Iterable[Record]) -> list[float]:
    """Return 1 - `share` of each answer, the answerers in one order."""
    ordered = sorted(answers, key=lambda one: (one.agent, one.repeat))
    return [1.0 - share(one) for one in ordered]


def _item_rest(scores: NDArray[np.float64]) -> list[float | None]:
    """Correlate each row with the mean of the other rows; None where there is nothing to see."""
    items, answerers = scores.shape
    if items < 2 or answerers < _LEAST:  # noqa: PLR2004  (an item and a rest)
        return [None] * items
    rest = (scores.sum(axis=0) - scores) / (items - 1)
    own = scores - scores.mean(axis=1, keepdims=True)
    rest -= rest.mean(axis=1, keepdims=True)
    spread = np.sqrt((own**2).mean(axis=1)), np.sqrt((rest**2).mean(axis=1))
    return [
        round(float(np.clip((a * b).mean() / (one * other), -1.0, 1.0)), 12)
        if one > _STILL and other > _STILL
        else None
        for a, b, one, other in zip(own, rest, *spread, strict=True)
    ]


def _mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of what is not None, None of nothing."""
    found = [value for value in values if value is not None]
    return float(np.mean(found)) if found else None
