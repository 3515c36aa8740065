"""Bound the skill that a lab's budget allows: how far apart a pair's views can be.

Where the laws of the two views differ by total variation d, an answer costs at least (1 - d) of the
pair's floor in expectation, so that E[skill] <= d. The bound here holds for every agent, adaptive
and told how the pair was made.

A view is what the dossier's rows, drawn afresh, and the calls of the lab show. Write rho(a) for the
Hellinger affinity of one call, the sum over what it may show of sqrt(p q), and BC for that of the
whole transcript. By the chain rule, with the policy's own choices equal in both worlds,

    BC(first t calls) = sum over histories h of sqrt(p(h) q(h)) sum over calls a of pi(a | h) rho(a)
                     >= BC(first t - 1 calls) * min over calls a of rho(a),

so that BC >= rho(see)^rows * (min over interventions a of rho(a))^interventions. As
sum |p - q| = sum |sqrt p - sqrt q| (sqrt p + sqrt q), Cauchy and Schwarz give

    d <= sqrt(1 - BC^2).

A unit that may be run again shows, at most, its response to everything: each unit drawn counts as
one call with the affinity of that, however often it is run. So does a unit that shows what it was
about to do before it is set. An environment that shows a unit before
it is acted on lets the action depend on what is seen: the least affinity is then taken for each
thing seen, and summed. Where an environment draws units on which stated evidence holds, the
affinity is that of the conditional laws.

Watching alone, with few enough counts of what can be told apart, d is computed as it is: Bernoulli
.3 against .7 after 0, 1, 3, 10 and 30 draws has .00, .40, .57, .80 and .98.

References: Le Cam, Convergence of estimates under dimensionality restrictions (1973); for the chain
rule, Tsybakov, Introduction to Nonparametric Estimation (2009), section 2.4.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from causalbench.query import parse_action
from causalbench.task.affinity import Affinities, affinities, response_affinity
from causalbench.task.construct.net import Floats, Net
from causalbench.task.elimination import eliminated
from causalbench.task.rungs import COUNTERFACTUAL
from causalbench.truth.linear import moments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.scm import SCM
    from causalbench.task.types import Decision
    from causalbench.truth import Budget, Knowledge

__all__ = ["iid_distance", "pair_ceiling"]

_COUNTS = 2**17  # numbers in the table of counts of an exact distance
_DIGITS = 9  # of a ceiling: beyond them machines differ
_Nets = tuple[Net, Net]
_Sides = tuple["SCM", "SCM"]


def pair_ceiling(
    sides: tuple[SCM, SCM],
    knowledge: Knowledge,
    rows: int,
    budget: Budget,
    decisions: Sequence[Decision] = (),
) -> float | None:
    """Bound the skill that anybody can expect on a pair, from what the dossier's lab can show.

    Args:
        sides: the worlds.
        knowledge: regime, and what is shown; exact laws and named couplings must not be.
        rows: how many watched units the dossier holds.
        budget: what the lab allows beyond them.
        decisions: those of the dossier: their environments show what plain calls do not.

    Returns:
        In [0, 1]; 1 where real variables may be set, as far as one likes. None where mechanisms or
        different diagrams are shown, worlds of real numbers are not linear or show more courses
        than one, or tables would have over `causalbench.task.affinity.LARGEST` numbers.
    """
    if _told(sides, knowledge):
        return None
    watched = rows + budget.rows
    if not all(side.is_discrete for side in sides):
        affinity = _real(sides, knowledge, watched, budget, decisions)
    elif knowledge.rung == COUNTERFACTUAL:
        affinity = _beyond(sides, knowledge, watched, budget, decisions)
    elif knowledge.regime == "do" and budget.interventions:
        affinity = _doing(sides, watched, budget, decisions)
    else:
        return _seeing(sides, watched, decisions)
    return None if affinity is None else _bound(affinity)


def _seeing(sides: _Sides, watched: int, decisions: Sequence[Decision]) -> float | None:
    """Return the distance after some units are watched, or bound it."""
    found = _affinities(sides, decisions)
    see = _watching(sides, found, decisions)
    if see is None:
        return None
    if found is None or any(each.given for each in decisions):
        return _bound(_power(see, watched))
    first, second = (net.law(found.names) for net in _nets(sides))
    exact = iid_distance(first, second, watched)
    return _bound(_power(see, watched)) if exact is None else round(exact, _DIGITS)


def _doing(
    sides: _Sides, watched: int, budget: Budget, decisions: Sequence[Decision]
) -> float | None:
    """Return the affinity of what watching and setting show."""
    found = _affinities(sides, decisions)
    see, do = _watching(sides, found, decisions), _setting(sides, found, decisions)
    if see is None or do is None:
        return None
    return _power(see, watched) * _power(do, budget.interventions)


def _beyond(
    sides: _Sides,
    knowledge: Knowledge,
    watched: int,
    budget: Budget,
    decisions: Sequence[Decision],
) -> float | None:
    """Return the affinity of what is shown where a unit may show more than one course of itself."""
    whole = response_affinity(sides)
    if whole is None:
        return None
    whole = min([whole, *(_given(sides, each, whole) for each in decisions if each.given)])
    # With decisions, replays are spent on environments whose every episode is a fresh unit.
    others = budget.interventions + (budget.replays if decisions else 0)
    see: float | None = whole
    if knowledge.regime != "replay":
        see = _watching(sides, _affinities(sides, decisions), decisions)
    return _power(whole if see is None else see, watched) * _power(whole, others)


def _real(
    sides: _Sides,
    knowledge: Knowledge,
    watched: int,
    budget: Budget,
    decisions: Sequence[Decision],
) -> float | None:
    """Return the affinity of what is shown of worlds of real numbers."""
    if knowledge.regime == "do" and budget.interventions:
        return 0.0
    if knowledge.rung == COUNTERFACTUAL or any(each.given for each in decisions):
        return None
    normal = _normal(sides)
    return None if normal is None else _power(normal, watched)


def iid_distance(first: Floats, second: Floats, draws: int) -> float | None:
    """Compute the total variation between ``draws`` independent draws of two laws.

    Outcomes of one likelihood ratio are merged: which of them occurs tells nothing.

    Args:
        first: probabilities, shape (n,).
        second: probabilities of the same outcomes.
        draws: at least 0.

    Returns:
        In [0, 1]; None where there are too many counts to go through.
    """
    if not draws:
        return 0.0
    laws = np.stack([first.ravel(), second.ravel()])
    share = laws[0] / np.maximum(laws.sum(axis=0), np.finfo(float).tiny)
    _, place = np.unique(np.round(share, 12), return_inverse=True)
    merged = np.stack([np.bincount(place, weights=law) for law in laws])
    merged = merged[:, merged.sum(axis=0) > 0]
    kinds = merged.shape[1]
    if kinds * math.comb(draws + kinds - 1, kinds - 1) > _COUNTS:
        return None
    # Stars and bars: where the bars stand among draws + kinds - 1 places.
    bars = np.array(list(combinations(range(draws + kinds - 1), kinds - 1)), dtype=np.int64)
    ends = np.hstack(
        [np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), draws + kinds - 1)]
    )
    counts = np.diff(ends, axis=1) - 1
    chances = [_counted(law, draws, counts) for law in merged]
    return float(np.abs(chances[0] - chances[1]).sum() / 2)


def _counted(law: Floats, draws: int, counts: np.ndarray) -> Floats:
    """Return the multinomial probability of each row of counts.

    Each kind's count is as if Poisson, weighed against its mode, and the total held to ``draws``:
    products and quotients alone, so that every machine finds the same.
    """
    chance = np.ones(len(counts))
    for kind, probability in enumerate(law / law.sum()):
        rate = draws * float(probability)
        mode = min(int(rate), draws)
        up = np.cumprod(rate / np.arange(mode + 1, draws + 1))
        down = np.cumprod(np.arange(mode, 0, -1) / rate) if rate else np.empty(0)
        chance = chance * np.concatenate([down[::-1], [1.0], up])[counts[:, kind]]
    result: Floats = chance / chance.sum()
    return result


def _affinities(sides: _Sides, decisions: Sequence[Decision]) -> Affinities | None:
    """Return what the worlds have in common, with all that a decision shows first."""
    return affinities(_nets(sides), keep=[name for each in decisions for name in _seen(each)])


def _normal(sides: _Sides) -> float | None:
    """Return the affinity of a watched unit of two linear worlds; None of others.

    Reference: Pardo, Statistical Inference Based on Divergence Measures (2006), section 1.3.
    """
    if not all(side.is_linear for side in sides):
        return None
    names = sorted(sides[0].visible)
    means, covariances = [], []
    for side in sides:
        mean, covariance = moments(side)
        order = [side.visible.index(name) for name in names]
        means.append(mean[order])
        covariances.append(covariance[np.ix_(order, order)])
    middle, apart = (covariances[0] + covariances[1]) / 2, means[0] - means[1]
    sizes = [float(np.linalg.slogdet(each)[1]) for each in (*covariances, middle)]
    if not np.isfinite(sizes).all():
        return None  # a variable without noise
    exponent = (sizes[0] + sizes[1]) / 4 - sizes[2] / 2
    exponent -= float((apart * np.linalg.solve(middle, apart)).sum()) / 8
    return min(1.0, math.exp(exponent))


def _watching(
    sides: _Sides, found: Affinities | None, decisions: Sequence[Decision]
) -> float | None:
    """Return the least affinity of a unit that is watched, or met as stated evidence to bet on."""
    plain = eliminated(_nets(sides), watched=True) if found is None else found.watched
    if plain is None:
        return None
    bets = [each for each in decisions if each.mode == "bet" and each.given]
    return min([1.0, plain, *(_given(sides, each, plain) for each in bets)])


def _setting(
    sides: _Sides, found: Affinities | None, decisions: Sequence[Decision]
) -> float | None:
    """Return the least affinity of a unit on which variables are set, or bound it from below."""
    acts = [each for each in decisions if each.mode == "act"]
    if found is not None:
        return min([1.0, found.least, *(_acting(sides, found, each) for each in acts)])
    forced = [name for each in acts for label in each.actions for name in _codes(sides, label)]
    plain = eliminated(_nets(sides), watched=False, first=forced)
    if plain is None:
        return None
    return min([plain, *(_given(sides, each, plain) for each in acts if each.given)])


def _given(sides: _Sides, decision: Decision, affinity: float) -> float:
    """Bound from below the affinity of the laws given a decision's stated evidence.

    With p and q the probabilities of the evidence, a law's affinity is at most sqrt(p q) times that
    of the conditional laws, plus sqrt((1 - p)(1 - q)) for what lies outside the evidence.
    """
    first = _codes(sides, decision.factual) if decision.mode == "redo" else {}
    p, q = (_chance(net, _stated(sides, decision), first) for net in _nets(sides))
    if p <= 0 or q <= 0:
        return 0.0
    inside = affinity - math.sqrt(max(0.0, (1 - p) * (1 - q)))
    return max(0.0, min(1.0, inside / math.sqrt(p * q)))


def _acting(sides: _Sides, found: Affinities, decision: Decision) -> float:
    """Return the affinity of one episode in which the action may depend on what is seen first."""
    kept = [name for name in found.names if name in _seen(decision)]
    options = [_codes(sides, label) for label in decision.actions]
    if any(set(option) & set(kept) for option in options):
        return 1.0  # to see one's own choice first takes a higher regime
    least = np.minimum.reduce([found.seen(option, kept) for option in options])
    stated = _stated(sides, decision)
    inside = float(least[tuple(stated.get(name, slice(None)) for name in kept)].sum())
    if not stated:
        return inside
    p, q = (_chance(net, stated, {}) for net in _nets(sides))
    return inside / math.sqrt(p * q) if p > 0 and q > 0 else 0.0


def _told(sides: _Sides, knowledge: Knowledge) -> bool:
    """Say whether what is shown may tell the worlds apart by itself."""
    if knowledge.shown == "diagram":
        return sides[0].diagram != sides[1].diagram
    return knowledge.shown == "mechanisms"


def _nets(sides: _Sides) -> _Nets:
    return Net.from_scm(sides[0]), Net.from_scm(sides[1])


def _seen(decision: Decision) -> tuple[str, ...]:
    """Return the variables that a decision's environments show before the action."""
    return tuple(dict.fromkeys((*decision.observes, *dict(decision.given or ()))))


def _codes(sides: _Sides, action: str) -> dict[str, int]:
    """Return an action's settings as codes."""
    return {name: sides[0].variable(name).code(str(label)) for name, label in parse_action(action)}


def _stated(sides: _Sides, decision: Decision) -> dict[str, int]:
    """Return a decision's stated evidence as codes."""
    given = dict(decision.given or ())
    return {name: sides[0].variable(name).code(label) for name, label in given.items()}


def _chance(net: Net, event: Mapping[str, int], do: Mapping[str, int]) -> float:
    """Return the probability that some variables have some values."""
    return float(net.law(tuple(event), do)[tuple(event.values())])


def _bound(affinity: float) -> float:
    """Return the bound on d where the transcripts have at least this affinity."""
    whole = min(1.0, affinity)
    return round(math.sqrt(1.0 - whole * whole), _DIGITS)


def _power(base: float, exponent: int) -> float:
    """Raise to a whole power by squaring: a library's ``pow`` differs between machines."""
    result = 1.0
    while exponent:
        if exponent & 1:
            result *= base
        base *= base
        exponent >>= 1
    return result
