"""Try to tell a pair's sides from all that is not permitted evidence, and bet on it.

What differs between twins outside the permitted evidence is given to a classifier, which is to say
which twin comes first: the one of side 0, or the one with the larger answer. Where it is confident
it stakes the pair's whole floor, being told both answers; else it says what lies between them and
scores 0. With absolute errors nothing else does better, and skill is then by how much the bettor is
oftener right than wrong. It is no fool: it keeps its money unless the classifier has proved itself
on pairs that it had not met, by a likelihood ratio that chance would hardly give.

Reference:
    Le Cam (1973): over both twins the best skill is the total variation between their views, and
    the likelihood-ratio test attains it. Platt (1999) on calibrating a classifier's scores; Wilks
    (1938) on the likelihood ratio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.run.audit.answerers import FOLDS, fold_of, matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from causalbench.run.audit.sketch import Sketch

    Floats = NDArray[np.float64]

__all__ = ["side_losses"]

_STAKE = 0.05  # of confidence beyond a coin's, above which all is staked
_PROVED = 3.5  # standard normal deviates: chance proves a classifier once in 4,000 times
_PROVED_ON_TYPE = 4.7  # the same where there are many types to be lucky on: once in 800,000 times
_TREES = 40
_PENALTY = 0.01  # inverse, of the linear classifier on differences of unit size
_STEPS = 20  # of Newton's; where scores never err the factor has no end, and 20 is enough
_ROUNDING = 1e-9
_FEWEST = 20  # pairs to learn from
_TELLING = 3.0  # standard errors from a coin, for a statistic to be looked at by itself


def side_losses(
    pairs: Sequence[tuple[Sketch, Sketch]], *, of_one_type: bool = False
) -> dict[str, Floats]:
    """Return, for each way of betting, the losses of all pairs, in units of their floors.

    Args:
        pairs: twins, side 0 first.
        of_one_type: they are one of many types, which asks for more proof; trees, which need
            many pairs, are left out.
    """
    judges: dict[str, Callable[..., Floats]] = {"few": _few, "linear": _linear}
    if not of_one_type:
        judges["boosted"] = _boosted
    folds = np.array([fold_of(one.placement.base) for one, _ in pairs])
    gaps = _differences(pairs)
    # The luckiest of many statistics is lucky in every fold, as if it were one known beforehand.
    many = 2.0 * np.log(max(1, gaps.shape[1]))
    proof = float(np.sqrt((_PROVED_ON_TYPE if of_one_type else _PROVED) ** 2 + many))
    larger = np.array([_larger(*pair) for pair in pairs])
    result = {}
    for label, target in (("side", np.ones(len(pairs))), ("answer", larger)):
        for name, judge in judges.items():
            result[f"{label}, {name}"] = 1.0 - _bets(gaps, target, folds, judge, proof)
    return result


def _differences(pairs: Sequence[tuple[Sketch, Sketch]]) -> Floats:
    """Return side 1's traces less side 0's, in units of their own size; 0 where either has none."""
    both = matrix([dict(case.traces) for pair in pairs for case in pair])
    gaps = np.nan_to_num(both[1::2] - both[::2], nan=0.0)
    size = np.sqrt((gaps * gaps).mean(axis=0))
    kept = size > 0.0
    return np.asarray(gaps[:, kept] / size[kept])


def _larger(first: Sketch, second: Sketch) -> float:
    """Return 1 if side 1 has the larger answer, -1 if side 0 has, 0 if neither."""
    one, two = (
        [v for item in side.items for v in item.worth or (item.truth,)] for side in (first, second)
    )
    return float(int(two > one) - int(two < one))


def _bets(
    gaps: Floats,
    target: Floats,
    folds: NDArray[np.int64],
    judge: Callable[..., Floats],
    proof: float,
) -> Floats:
    """Return +1 for each pair bet on rightly, -1 wrongly, 0 for no bet."""
    won = np.zeros(len(gaps))
    if not gaps.shape[1]:
        return won
    for fold in range(FOLDS):
        test = folds == fold
        rest = ~test & (target != 0.0)
        if not test.any() or rest.sum() < _FEWEST:
            continue
        scores = np.zeros(len(gaps))
        for inner in range(FOLDS):
            part = rest & (folds == inner)
            if part.any() and (rest & ~part).sum() >= _FEWEST // 2:
                scores[part] = judge(gaps[rest & ~part], target[rest & ~part], gaps[part])
        slope, deviates = _trust(scores[rest] * target[rest])
        if slope <= 0.0 or deviates < proof:
            continue
        found = slope * judge(gaps[rest], target[rest], gaps[test])
        sure = np.abs(np.tanh(found / 2)) > _STAKE
        won[test] = np.where(sure, np.sign(found) * target[test], 0.0)
    return won


def _trust(margins: Floats) -> tuple[float, float]:
    """Return by how much scores are to be multiplied to be honest logits, and how sure that is.

    Args:
        margins: score times true side, of pairs that the judge had not met.

    Returns:
        The factor of most likelihood, and the root of its likelihood ratio against 0, which is a
        standard normal's size where scores tell nothing.
    """
    slope = 0.0
    for _ in range(_STEPS):  # Newton's method on a concave likelihood of one number
        chance = 1.0 / (1.0 + np.exp(-slope * margins))
        pull = float((margins * (1.0 - chance)).sum())
        curve = float((margins**2 * chance * (1.0 - chance)).sum())
        if curve <= 0.0 or abs(pull) <= _ROUNDING:
            break
        step = pull / curve
        slope += min(max(step, -1.0), 1.0)
    gain = float((np.log(2.0) - np.log1p(np.exp(-slope * margins))).sum())
    return slope, float(np.sqrt(max(0.0, 2.0 * gain)))


def _few(known: Floats, sides: Floats, new: Floats) -> Floats:
    """Return the logits of a classifier on the few statistics that each tell sides by themselves.

    A leak sits in one statistic as a rule, and among many that tell nothing it would drown.
    """
    pull = known.T @ sides / np.sqrt(np.maximum((known * known).sum(axis=0), _ROUNDING))
    kept = np.abs(pull) > _TELLING
    if not kept.any():
        return np.zeros(len(new))
    return _linear(known[:, kept], sides, new[:, kept])


def _linear(known: Floats, sides: Floats, new: Floats) -> Floats:
    """Return the logits of a linear classifier; twins the other way round get the other sign."""
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(C=_PENALTY, fit_intercept=False, max_iter=200)
    # Each pair in both orders, so that neither label is the rarer.
    model.fit(np.concatenate([known, -known]), np.concatenate([sides, -sides]))
    return np.asarray(model.decision_function(new))


def _boosted(known: Floats, sides: Floats, new: Floats) -> Floats:
    """Return the logits of boosted trees, the mean over both orders."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model: Any = HistGradientBoostingClassifier(
        max_iter=_TREES, max_leaf_nodes=8, min_samples_leaf=20, early_stopping=False, random_state=0
    )
    model.fit(np.concatenate([known, -known]), np.concatenate([sides, -sides]))
    logits = model.decision_function(new) - model.decision_function(-new)
    return np.asarray(logits / 2)
