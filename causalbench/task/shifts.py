"""Splits of a suite's worlds for agents that learn across worlds: train on some, test on others.

A shift names what differs between the worlds that an agent practises on and those it is asked
about. The suite ``ladder-v1+size`` asks what ``ladder-v1`` does of its medium and large worlds, and
its practice worlds are small; ``ladder-v1+size=`` asks of the suite's small worlds after the same
practice: the two differ by the shift and by nothing else. ``changed-mechanism`` asks of worlds that
were practised on, but for one mechanism.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.errors import CausalBenchError, NotFoundError, QueryError, suggest
from causalbench.query import Probability, Query, parse
from causalbench.query.algebra import variables
from causalbench.task.construct.asks import EVIDENCE, GAP
from causalbench.task.construct.bend import bend
from causalbench.task.construct.shapes import MOTIFS
from causalbench.task.dossiers import pair_cases
from causalbench.task.twin import stratum_draft, stratum_pair
from causalbench.task.types import Traits
from causalbench.truth import value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from causalbench.scm import SCM
    from causalbench.task.construct.draft import Draft
    from causalbench.task.strata import Stratum
    from causalbench.task.types import Case

__all__ = [
    "CHANGED",
    "SHIFTS",
    "Shift",
    "Side",
    "interaction",
    "planned",
    "pool_pair",
    "practice_pair",
    "shift_of",
    "shifted_pair",
    "split_name",
]

CHANGED = "changed-mechanism"
_WITHIN = "="  # after a shift's name: asks of worlds like those practised on
_PLUS = "+"
_ADDS, _INTERACTS = 0.4, 0.55  # interactions below and above which causes add up, or do not
_MATTERS = 0.05  # by how much a changed mechanism must change an answer
_POOL = 0  # the seed of the worlds of which one mechanism is changed: the same for everybody
_TRAIN_MOTIFS = frozenset(
    ("chain", "fork", "collider", "back-door", "mediation", "anticausal", "free")
)


@dataclass(frozen=True)
class Side:
    """Which pairs are on one side of a shift.

    Args:
        where: trait -> the values allowed; other traits may be anything.
        additive: whether causes mostly add up (True) or interact (False); None is any.
    """

    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    additive: bool | None = None

    def may_hold(self, traits: Traits) -> bool:
        """Say whether a pair that is to have these traits may be on this side."""
        return all(getattr(traits, name) in allowed for name, allowed in self.where.items())

    def holds(self, pair: Iterable[Case]) -> bool:
        """Say whether a finished pair is on this side."""
        cases = list(pair)
        if not all(self.may_hold(case.placement.traits) for case in cases):
            return False
        if self.additive is None:
            return True
        found = [round(interaction(case.scm), 9) for case in cases if case.scm.is_discrete]
        if len(found) < len(cases):
            return False
        return max(found) < _ADDS if self.additive else min(found) >= _INTERACTS


@dataclass(frozen=True)
class Shift:
    """What differs between practice and test.

    Args:
        name: as in a suite's name, after the plus.
        says: in one line.
        train: the pairs that are practised on.
        test: the pairs that are asked about.
    """

    name: str
    says: str
    train: Side
    test: Side


def _sets(**where: Iterable[str]) -> Side:
    return Side({name: frozenset(values) for name, values in where.items()})


_ALL = (
    Shift(
        "size",
        "train on 3-5 variables, test on 6-50",
        _sets(size=("small",)),
        _sets(size=("medium", "large")),
    ),
    Shift(
        "motif",
        "train on half of the shapes, test on the others",
        _sets(motif=_TRAIN_MOTIFS),
        _sets(motif=set(MOTIFS) - _TRAIN_MOTIFS),
    ),
    Shift(
        "mechanism",
        "train where causes add up, test where they interact",
        Side({"family": frozenset(("discrete",))}, additive=True),
        Side({"family": frozenset(("discrete",))}, additive=False),
    ),
    Shift(
        "family",
        "train on discrete worlds, test on linear ones",
        _sets(family=("discrete",)),
        _sets(family=("linear",)),
    ),
    Shift(
        "surface",
        "train on plain and sensible words, test on made-up ones and against common sense",
        _sets(surface=("plain", "sensible")),
        _sets(surface=("nonsense", "anti-commonsense")),
    ),
    Shift(
        CHANGED,
        "test on the worlds trained on, one mechanism changed, all one-variable laws kept",
        _sets(family=("discrete",)),
        _sets(family=("discrete",)),
    ),
)
SHIFTS: Mapping[str, Shift] = {each.name: each for each in _ALL}


def split_name(text: str) -> tuple[str, str]:
    """Split ``"suite+shift"`` into its two names; the second is "" where there is none."""
    suite, _, shift = text.partition(_PLUS)
    return suite, shift


def shift_of(name: str) -> Shift:
    """Return the shift of that name; after one followed by ``=`` the test is on the train side.

    Raises:
        NotFoundError: there is none.
    """
    plain = name.removesuffix(_WITHIN)
    if plain not in SHIFTS:
        msg = f"no shift is called '{name}'; take one of {', '.join(SHIFTS)}."
        raise NotFoundError(msg + suggest(plain, SHIFTS))
    found = SHIFTS[plain]
    if name == plain:
        return found
    return Shift(name, f"{found.says}; here asked of the first kind", found.train, found.train)


def planned(stratum: Stratum, index: int) -> Traits:
    """Return the traits that a pair of a stratum is to have; its motif may come out as free."""
    order = stratum.order(index)
    return Traits(
        order.form,
        stratum.access,
        order.size,
        order.motif,
        order.family,
        stratum.surface(index),
    )


def pool_pair(suite: str, stratum: Stratum, index: int) -> tuple[Case, Case]:
    """Build a pair of the pool that `CHANGED` practises on, the same at every seed."""
    return stratum_pair(f"practice/{suite}/pool", stratum, index, _POOL)


def practice_pair(suite: str, name: str, stratum: Stratum, index: int, seed: int) -> list[Case]:
    """Build a practice pair of a suite of strata, under a shift or none.

    Args:
        suite: name of the suite.
        name: of the shift; "" for none.
        stratum: what kind of pair.
        index: the pair's number in its stratum.
        seed: of the practice.

    Returns:
        The two cases; none where the pair is not on the training side.
    """
    if name.removesuffix(_WITHIN) == CHANGED:
        held = shift_of(name).train.may_hold(planned(stratum, index))
        return list(pool_pair(suite, stratum, index)) if held else []
    if name and not shift_of(name).train.may_hold(planned(stratum, index)):
        return []
    cases = list(stratum_pair(f"practice/{suite}", stratum, index, seed))
    return cases if not name or shift_of(name).train.holds(cases) else []


def shifted_pair(suite: str, name: str, stratum: Stratum, index: int, seed: int) -> list[Case]:
    """Build a pair of a suite under a shift.

    Args:
        suite: name of the suite.
        name: of the shift.
        stratum: what kind of pair.
        index: the pair's number in its stratum.
        seed: of the suite.

    Returns:
        The two cases, or none: the pair is on the other side, or no mechanism of it can be changed.
    """
    shift = shift_of(name)
    if not shift.test.may_hold(planned(stratum, index)):
        return []
    if name == CHANGED:
        return _changed_pair(suite, stratum, index, seed)
    if name == CHANGED + _WITHIN:
        return list(pool_pair(suite, stratum, index))
    cases = list(stratum_pair(suite, stratum, index, seed))
    return cases if shift.test.holds(cases) else []


def interaction(scm: SCM) -> float:
    """Measure how far a discrete world's mechanisms are from additive.

    Returns:
        The mean, over variables with two causes or more, of the share of the variance of P(value |
        causes), every setting of the causes counting alike, that effects of single causes leave
        unexplained; in [0, 1], 0 where no variable has two causes.
    """
    shares = []
    for name in scm.names:
        if len(scm.parents(name)) > 1:
            table = scm.cpt(name)
            axes = tuple(range(table.ndim - 1))
            mean = table.mean(axis=axes, keepdims=True)
            rest = table - mean
            total = float((rest**2).sum())
            for axis in axes:
                others = tuple(other for other in axes if other != axis)
                rest = rest - (table.mean(axis=others, keepdims=True) - mean)
            shares.append(float((rest**2).sum()) / total if total > 0.0 else 0.0)
    return float(np.mean(shares)) if shares else 0.0


def _changed_pair(suite: str, stratum: Stratum, index: int, seed: int) -> list[Case]:
    """Change one mechanism of a pair of the pool, so that the answer changes too."""
    rng = draws.generator(seed, f"{suite}/{CHANGED}/{stratum.name}", index)
    search = draws.child(rng)
    told, place, _ = stratum_draft(f"practice/{suite}/pool", stratum, index, _POOL)
    if told.query is None:
        return []
    before = _answers(told)
    for bent in bend(search, told, sorted(variables(_query(told)))):
        try:
            after = _answers(bent.draft)
            if abs(after[0] - after[1]) < GAP or not _seen(bent.draft):
                continue
            if max(abs(a - b) for a, b in zip(before, after, strict=True)) < _MATTERS:
                continue
            here = replace(place, suite=f"{suite}/{CHANGED}")
            return list(pair_cases(bent.draft, here, lab={}, rng=draws.child(rng)))
        except CausalBenchError:
            continue  # what the change breaks is not asked
    return []


def _query(draft: Draft) -> Query:
    """Return the question of a draft that asks for a number."""
    query = parse(str(draft.query), draft.sides[0].vocabulary)
    if not isinstance(query, Query):
        msg = f"'{query}' asks for an action, and a changed mechanism is asked by a number."
        raise QueryError(msg)
    return query


def _answers(draft: Draft) -> list[float]:
    return [float(value(side, str(draft.query))) for side in draft.sides]


def _seen(draft: Draft) -> bool:
    """Say whether what the question takes as seen is common enough in both worlds."""
    facts = {quantity.given for _, quantity in _query(draft).terms if quantity.given}
    return all(
        value(side, Query(((1.0, Probability(given)),))) >= EVIDENCE
        for given in facts
        for side in draft.sides
    )
