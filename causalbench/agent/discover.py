"""Learn a diagram and its mechanisms from experiments.

Who affects whom is read from the experiments alone, so correlation that hidden causes make never
becomes an arrow; which of the causes are direct is a matter of fit. Replays show several values of
one unit's response function, from which the coupling is estimated.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from causalbench.agent.cpt import conditional_table
from causalbench.agent.records import NATURAL, Records
from causalbench.query import Expectation, Probability, Term

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.query import Quantity
    from causalbench.scm import SCM, Mechanism

__all__ = ["causal_order", "effects", "learn", "misfit", "without"]

_LEVEL = 0.005  # of each test for an effect; a world has some twenty of them
_MOST_PARENTS = 4
_MOST_TYPES = 1024
_SWEEPS = 200


def effects(records: Records) -> dict[str, set[str]]:
    """Return variable -> the variables that forcing it changes.

    A unit that differs between worlds in which only this variable was forced settles it; else a
    likelihood-ratio test compares the outcomes under its values.
    """
    names = [variable.name for variable in records.variables]
    found: dict[str, set[str]] = {name: set() for name in names}
    for name in names:
        worlds = [((name, label),) for label in records.variables[names.index(name)].labels]
        for other in names:
            if other != name and (
                _flips(records, worlds, names.index(other))
                or _differs(records, worlds, names.index(other))
            ):
                found[name].add(other)
    return found


def _flips(records: Records, worlds: Sequence[tuple[tuple[str, str], ...]], column: int) -> bool:
    """Say whether any unit's value differs between the worlds."""
    for batch in records.batches:
        shown = [batch.worlds[w][:, column] for w in worlds if w in batch.worlds]
        for one, two in itertools.combinations(shown, 2):
            if (one != two).any():
                return True
    return False


def _differs(records: Records, worlds: Sequence[tuple[tuple[str, str], ...]], column: int) -> bool:
    """Test whether a variable's law differs between experiments."""
    from scipy.stats import chi2

    card = records.variables[column].cardinality
    table = np.array(
        [np.bincount(records.under(world)[:, column], minlength=card) for world in worlds],
        dtype=np.float64,
    )
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    if min(table.shape) < 2:  # noqa: PLR2004
        return False
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    seen = table > 0
    statistic = 2.0 * float((table[seen] * np.log(table[seen] / expected[seen])).sum())
    return bool(chi2.sf(statistic, (table.shape[0] - 1) * (table.shape[1] - 1)) < _LEVEL)


def causal_order(found: Mapping[str, set[str]]) -> list[str]:
    """Order variables causes first: an ancestor affects all that its descendants affect, and them.

    A test that errs can't break it: it is a count, ties in the order given.
    """
    return sorted(found, key=lambda name: -len(found[name]))


def learn(records: Records, found: Mapping[str, set[str]]) -> SCM:
    """Fit a world without hidden causes: direct causes by BIC, then a mechanism each.

    Args:
        records: everything seen.
        found: variable -> the variables that it affects.
    """
    from causalbench.scm import SCM

    order = causal_order(found)
    replayed = any(len(batch.worlds) > 1 for batch in records.batches)
    mechanisms: dict[str, Mechanism] = {}
    for place, name in enumerate(order):
        causes = [other for other in order[:place] if name in found[other]]
        parents = _direct(records, name, causes)
        mechanisms[name] = _mechanism(records, name, parents, replayed=replayed)
    variables = {variable.name: variable for variable in records.variables}
    return SCM(variables, mechanisms, couplings_known=replayed)


def _direct(records: Records, name: str, causes: Sequence[str]) -> tuple[str, ...]:
    """Return the causes that together have the best BIC."""
    card = records.variables[records.column(name)].cardinality
    best: tuple[str, ...] = ()
    best_score = -math.inf
    for size in range(min(len(causes), _MOST_PARENTS) + 1):
        for parents in itertools.combinations(causes, size):
            counts = records.counts(name, parents)
            total = counts.sum(-1, keepdims=True)
            shares = np.where(total > 0, counts / np.maximum(total, 1.0), 1.0)
            fit = float((counts * np.log(np.where(counts > 0, shares, 1.0))).sum())
            free = len(counts) * (card - 1)
            score = fit - 0.5 * free * math.log(max(2.0, float(counts.sum())))
            if score > best_score:
                best, best_score = parents, score
    return best


def _mechanism(
    records: Records, name: str, parents: tuple[str, ...], *, replayed: bool
) -> Mechanism:
    """Fit a mechanism: its table by smoothed frequencies, its coupling from replays if any."""
    from causalbench.scm import Mechanism
    from causalbench.scm.couplings import couple, natural_coupling

    table = conditional_table(records.counts(name, parents))
    rows, card = table.shape
    shape = [records.variables[records.column(p)].cardinality for p in parents]
    if not replayed or card**rows > _MOST_TYPES:
        whole = table.reshape(*shape, card)
        return couple(whole, natural_coupling(whole), parents)
    types = np.array(list(itertools.product(range(card), repeat=rows)), dtype=np.int64)
    start = table[np.arange(rows), types].prod(-1)
    weights = _types(*records.patterns(name, parents), types, start)
    return Mechanism(parents, weights, types.reshape(len(types), *shape))


def _types(
    patterns: np.ndarray, weight: np.ndarray, types: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """Estimate how common each response function is, by EM with one unit's worth of the start."""
    fits = np.ones((len(patterns), len(types)))
    for row in range(types.shape[1]):
        seen = patterns[:, row, None]
        fits = fits * ((seen < 0) | (seen == types[:, row]))
    share = start / start.sum()
    prior = share
    for _ in range(_SWEEPS):
        joint = fits * share
        mass = joint.sum(1, keepdims=True)
        counts = (weight[:, None] * joint / np.maximum(mass, 1e-300)).sum(0) + prior
        share = counts / counts.sum()
    result: np.ndarray = share
    return result


def without(quantity: Quantity, found: Mapping[str, set[str]]) -> Quantity:
    """Drop from each subscript what was seen to have no effect on the term's variable."""

    def thin(term: Term) -> Term:
        kept = [pair for pair in term.subscript if _reaches(pair[0], term.variable, found)]
        return Term(term.variable, tuple(kept))

    given = tuple(replace(atom, term=thin(atom.term)) for atom in quantity.given)
    if isinstance(quantity, Expectation):
        return Expectation(thin(quantity.term), given)
    event = tuple(replace(atom, term=thin(atom.term)) for atom in quantity.event)
    return Probability(event, given)


def _reaches(cause: str, name: str, found: Mapping[str, set[str]]) -> bool:
    return cause == name or name in found.get(cause, {name})


def misfit(records: Records, scm: SCM) -> float:
    """Return how far the records are from a world, in standard errors: the worst pair of values.

    The world has no hidden causes, so a large number says that there are some (or that a cause was
    missed). Pairs of variables are compared in the natural course, single ones in experiments.
    """
    from causalbench.truth import law

    worst = 0.0
    names = [variable.name for variable in records.variables]
    for setting in records.worlds():
        rows = records.under(setting)
        size = 2 if setting == NATURAL else 1
        free = [name for name in names if name not in dict(setting)]
        for group in itertools.combinations(free, min(size, len(free))):
            model = law(scm, group, do=dict(setting))
            cells = np.zeros(model.shape)
            np.add.at(cells, tuple(rows[:, names.index(name)] for name in group), 1.0)
            n = max(1.0, cells.sum())
            error = np.sqrt(np.maximum(model * (1 - model), 1.0 / n) / n)
            worst = max(worst, float((np.abs(cells / n - model) / error).max()))
    return worst
