"""Train answerers that may look at one view alone, and ask them about worlds they never met.

Each is trained on other base worlds than those it is asked about: both sides of a pair, and all
pairs of a world, are in one fold. Of a decision the regret of each action is learnt, and the action
of least regret taken; absolute errors are learnt by their median, as they are scored.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.run.audit.sketch import Asked, Sketch

    Model = Callable[
        [NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], bool], NDArray[np.float64]
    ]

__all__ = ["VIEWS", "answer_losses", "fold_of", "guess_losses"]

FOLDS = 5
VIEWS = ("number-blind", "diagram-blind", "bag-of-words")
_ROUNDS = 60  # trees
_LEAVES = 8
_FEWEST = 10  # rows in a leaf
_COLUMNS = 400  # words that the linear answerer may use
_PENALTIES = np.logspace(0, 5, 11)


def fold_of(base: str) -> int:
    """Return a base world's fold, which says nothing of the world."""
    return zlib.crc32(f"fold {base}".encode()) % FOLDS


def guess_losses(held: Sequence[Sketch]) -> list[float]:
    """Give the answer that fits best in other worlds, whatever the world is.

    For an estimate that is the median truth, for a decision among so many actions the place of
    least mean regret.

    Args:
        held: cases of one type of question.

    Returns:
        The loss of each case.
    """
    result = np.zeros(len(held))
    folds = np.array([fold_of(case.placement.base) for case in held])
    for fold in range(FOLDS):
        truths: list[float] = []
        regrets: dict[int, list[NDArray[np.float64]]] = defaultdict(list)
        for case, place in zip(held, folds, strict=True):
            for item in case.items if place != fold else ():
                if item.worth:
                    regrets[len(item.worth)].append(item.weight * _regrets(item))
                else:
                    truths.append(item.truth)
        best = {count: int(np.mean(rows, axis=0).argmin()) for count, rows in regrets.items()}
        usual = float(np.median(truths)) if truths else 0.0
        for number in np.flatnonzero(folds == fold).tolist():
            for item in held[number].items:
                said = best.get(len(item.worth), 0) if item.worth else usual
                result[number] += _cost(item, said)
    return result.tolist()


def answer_losses(held: Sequence[Sketch], view: str) -> list[float]:
    """Train an answerer on some of the cases and ask it about the others, in turn.

    Args:
        held: cases of one type of question, or of several.
        view: of `VIEWS`: what the answerer sees.

    Returns:
        The loss of each case.
    """
    result = np.zeros(len(held))
    for decisions in (False, True):
        asked = [
            (number, item)
            for number, case in enumerate(held)
            for item in case.items
            if bool(item.worth) == decisions
        ]
        if not asked:
            continue
        rows = [(number, place) for number, (_, item) in enumerate(asked) for place in _rows(item)]
        owner = np.array([number for number, _ in rows])
        folds = np.array([fold_of(held[asked[n][0]].placement.base) for n in owner])
        targets = np.array([_target(asked[number][1], place) for number, place in rows])
        model: Model = _linear if view == "bag-of-words" else _boosted
        features = _features(asked, rows, held, view)
        said = np.zeros(len(rows))
        for fold in sorted(set(folds.tolist())):
            test = folds == fold
            if test.all():  # nothing to learn from
                continue
            said[test] = model(features[~test], targets[~test], features[test], decisions)
        for number, (case, item) in enumerate(asked):
            own = said[owner == number] if decisions else said[number : number + 1]
            result[case] += _cost(item, int(own.argmin()) if decisions else float(own[0]))
    return result.tolist()


def _rows(item: Asked) -> range:
    return range(max(1, len(item.worth)))


def _regrets(item: Asked) -> NDArray[np.float64]:
    worth = np.array(item.worth)
    return np.asarray(worth.max() - worth)


def _target(item: Asked, place: int) -> float:
    return float(_regrets(item)[place]) if item.worth else item.truth


def _cost(item: Asked, said: float) -> float:
    if item.worth:
        return item.weight * float(_regrets(item)[int(said)])
    return item.weight * abs(said - item.truth)


def _features(
    asked: Sequence[tuple[int, Asked]],
    rows: Sequence[tuple[int, int]],
    held: Sequence[Sketch],
    view: str,
) -> NDArray[np.float64]:
    """Return float64[rows, features]; NaN where a row has no such feature."""
    if view == "bag-of-words":
        return _words([asked[number][1].words[place] for number, place in rows])
    kinds = sorted({kind_of(held[case]) for case, _ in asked})
    described: list[dict[str, float]] = []
    for number, place in rows:
        case, item = asked[number]
        second = item.drawn if view == "number-blind" else item.below
        found = {**item.form[place], **(second[place] if second else {})}
        found["type"] = float(kinds.index(kind_of(held[case])))
        described.append(found)
    return matrix(described)


def kind_of(case: Sketch) -> str:
    """Return a case's type of question; its rung and track where the suite names none."""
    spot = case.placement
    return spot.traits.form or f"rung {spot.rung} {spot.track}"


def matrix(rows: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """Return float64[rows, names in order]; NaN where a row lacks a name."""
    names = {name: place for place, name in enumerate(sorted({n for row in rows for n in row}))}
    result = np.full((len(rows), len(names)), np.nan)
    for number, row in enumerate(rows):
        result[number, [names[name] for name in row]] = list(row.values())
    return result


def _words(bags: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> NDArray[np.float64]:
    """Return the counts of the words that tell rows apart best: held by about half of them."""
    places = np.concatenate([places for places, _ in bags])
    rows = np.repeat(np.arange(len(bags)), [len(places) for places, _ in bags])
    values = np.concatenate([values for _, values in bags])
    present = np.unique(np.stack([rows, places]), axis=1)
    kinds, held = np.unique(present[1], return_counts=True)
    # A word that all hold may still be held more or less often.
    order = np.argsort(np.abs(held / len(bags) - 0.5), kind="stable")[:_COLUMNS]
    column = np.full(int(kinds.max()) + 1, -1)
    column[kinds[order]] = np.arange(len(order))
    kept = column[places] >= 0
    result = np.zeros((len(bags), len(order)))
    np.add.at(result, (rows[kept], column[places[kept]]), values[kept])
    return result


def _boosted(
    known: NDArray[np.float64],
    targets: NDArray[np.float64],
    new: NDArray[np.float64],
    decisions: bool,  # noqa: FBT001  (a model's one signature)
) -> NDArray[np.float64]:
    """Return what boosted trees make of new rows."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    there = ~np.isnan(known)
    lows = np.where(there, known, np.inf).min(axis=0)
    varied = lows < np.where(there, known, -np.inf).max(axis=0)
    if not varied.any():
        usual = targets.mean() if decisions else np.median(targets)
        return np.full(len(new), float(usual))
    trees: Any = HistGradientBoostingRegressor(
        loss="squared_error" if decisions else "absolute_error",
        max_iter=_ROUNDS,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=_FEWEST,
        early_stopping=False,
        random_state=0,
    )
    trees.fit(known[:, varied], targets)
    return np.asarray(trees.predict(new[:, varied]))


def _linear(
    known: NDArray[np.float64],
    targets: NDArray[np.float64],
    new: NDArray[np.float64],
    decisions: bool,  # noqa: FBT001  (a model's one signature)
) -> NDArray[np.float64]:
    """Return what a ridge regression makes of new rows; its penalty is cross-validated."""
    from sklearn.linear_model import RidgeCV

    del decisions
    spread = known.std(axis=0)
    kept = spread > 0.0
    if not kept.any():
        return np.full(len(new), float(targets.mean()))
    centre = known[:, kept].mean(axis=0)
    ridge: Any = RidgeCV(alphas=_PENALTIES)
    ridge.fit((known[:, kept] - centre) / spread[kept], targets)
    return np.asarray(ridge.predict((new[:, kept] - centre) / spread[kept]))
