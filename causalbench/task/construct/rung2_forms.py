"""The forms of rung-2 questions over batches: all their answers at once, and their text."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.query.render import number, quote
from causalbench.task.construct.asks import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from causalbench.task.construct.asks import Labels
    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats
    from causalbench.task.construct.rung2_spots import Target

    Codes = tuple[tuple[int, ...], ...]
    Fold = Callable[[Floats, NDArray[np.int64]], Floats]

__all__ = ["EFFECTS", "Answers", "answers", "query_text"]

EFFECTS = ("ATE", "CATE", "CDE")
_POLICIES = 12
_STEPS = 8  # a policy's chances are multiples of 1/8
_MATTERS = 0.02  # an intervention that moves the answer less than this does not matter


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers to all questions of a form about one target.

    Args:
        first: float64[candidate, question], on one side.
        second: the same on the other.
        usable: bool[candidate, question], whether what is conditioned on is not too rare.
        codes: of every question, as codes, for `query_text`.
        fold: takes tables of P(y | do(xs), seen) of some candidates, float64[candidate, ..., xs,
            seen, y], and the candidates' places, to answers, float64[candidate, ..., question].
        policies: float64[policy, xs, seen], where the form has them.
    """

    first: Floats
    second: Floats
    usable: np.ndarray
    codes: Codes
    fold: Fold
    policies: Floats | None = None


def answers(
    rng: np.random.Generator,
    form: str,
    batches: tuple[Batch, Batch],
    target: Target,
) -> Answers:
    """Work out every question of a form about a target, on both sides.

    Args:
        rng: draws the policies of soft interventions.
        form: a name of `causalbench.task.forms`.
        batches: the two sides.
        target: what is set, seen and asked for.
    """
    base = batches[0]
    size = _Size(
        xs=tuple(base.cards[x] for x in target.xs),
        seen=tuple(base.cards[z] for z in target.seen),
        y=base.cards[target.y],
    )
    tables, masses = zip(*(_after(batch, target, size) for batch in batches), strict=True)
    common = np.minimum(*masses)
    watched = base.law((*target.xs, *target.seen)).reshape(common.shape)
    usable = np.round(np.minimum(common, watched), 9) >= EVIDENCE
    policies = None
    if form in EFFECTS:
        first = size.xs[0]
        rows = common.shape[1] * common.shape[2] // first
        usable = usable.reshape(len(base), first, rows)
        codes, fold, fits = _differences(first, rows, size.y, usable)
    elif form == "soft-intervention":
        policies = _policies(rng, common.shape[1], common.shape[2])
        codes, fold, fits = _soft(policies, common[:, :1], size.y, len(base))
    else:
        codes = tuple(product(*(range(n) for n in (*common.shape[1:], size.y))))
        fold = _levels
        fits = np.repeat(usable.reshape(len(base), -1), size.y, axis=1)
        if form == "joint-intervention":
            fits = fits & _both_matter(tables, size)
    everyone = np.arange(len(base))
    return Answers(
        fold(tables[0], everyone), fold(tables[1], everyone), fits, codes, fold, policies
    )


@dataclass(frozen=True)
class _Size:
    """How many values there are of what is set, of what is seen, and of the outcome."""

    xs: tuple[int, ...]
    seen: tuple[int, ...]
    y: int


def _after(batch: Batch, target: Target, size: _Size) -> tuple[Floats, Floats]:
    """Return P(y | do(xs), seen), float64[c, xs, seen, y], and P(seen | do(xs)).

    Setting a variable to each of its values at once is to give it no causes and the chance 1 of
    every value.
    """
    cut = batch.replace(
        {x: np.ones((len(batch), batch.cards[x])) for x in target.xs},
        dict.fromkeys(target.xs, ()),
    )
    joint = cut.law((*target.xs, *target.seen, target.y)).reshape(
        len(batch), _prod(size.xs), _prod(size.seen), size.y
    )
    mass = joint.sum(axis=-1)
    return joint / np.where(mass > 0.0, mass, 1.0)[..., None], mass


def _prod(sizes: Sequence[int]) -> int:
    result = 1
    for size in sizes:
        result *= size
    return result


def _levels(table: Floats, kept: NDArray[np.int64]) -> Floats:
    """List every (xs, seen, y)."""
    del kept
    return _flat(table)


def _flat(table: Floats) -> Floats:
    """Join the last three axes."""
    return table.reshape(*table.shape[:-3], -1)


def _differences(
    first: int, rows: int, values: int, usable: np.ndarray
) -> tuple[Codes, Fold, np.ndarray]:
    """Return codes (a, b, row, value) of differences b - a, with what computes and allows them."""
    steps = [(a, b) for a in range(first) for b in range(first) if a != b]
    low, high = [a for a, _ in steps], [b for _, b in steps]
    codes = tuple((a, b, row, v) for a, b in steps for row in range(rows) for v in range(values))

    def fold(table: Floats, kept: NDArray[np.int64]) -> Floats:
        del kept
        shaped = table.reshape(*table.shape[:-3], first, rows, values)
        return _flat(shaped[..., high, :, :] - shaped[..., low, :, :])

    both = usable[:, high] & usable[:, low]
    fits = np.repeat(both.reshape(len(both), -1), values, axis=1)
    return codes, fold, fits


def _soft(
    policies: Floats, chance: Floats, values: int, count: int
) -> tuple[Codes, Fold, np.ndarray]:
    """Return codes (policy, value), with what mixes the outcomes of actions by the policies.

    Args:
        policies: float64[policy, xs, seen].
        chance: float64[candidate, 1, seen], P(seen), which no action moves.
        values: of the outcome.
        count: of candidates.
    """
    codes = tuple((k, v) for k in range(len(policies)) for v in range(values))

    def fold(table: Floats, kept: NDArray[np.int64]) -> Floats:
        middle = (1,) * (table.ndim - 4)
        share = chance[kept].reshape(len(kept), *middle, 1, chance.shape[2], 1)
        each = (share * table)[..., None, :, :, :] * policies[..., None]
        total = each.sum(axis=(-3, -2))
        return np.asarray(total.reshape(*total.shape[:-2], -1))

    return codes, fold, np.ones((count, len(codes)), dtype=bool)


def _policies(rng: np.random.Generator, actions: int, rows: int) -> Floats:
    """Draw policies that toss a coin between two actions, which two may depend on what is seen."""
    shape = (_POLICIES, rows)
    first = draws.integers(rng, actions, shape)
    second = (first + 1 + draws.integers(rng, actions - 1, shape)) % actions
    share = (1 + draws.integers(rng, _STEPS - 1, shape)) / _STEPS
    code = np.arange(actions)[None, :, None]
    result: Floats = (code == first[:, None]) * share[:, None] + (code == second[:, None]) * (
        1.0 - share[:, None]
    )
    return result


def _both_matter(tables: Sequence[Floats], size: _Size) -> np.ndarray:
    """Say of which questions each of the two interventions moves the answer on some side."""
    moved = []
    for axis in (1, 2):
        spans = [
            np.ptp(table.reshape(len(table), *size.xs, size.y), axis=axis, keepdims=True)
            for table in tables
        ]
        shape = (len(tables[0]), *size.xs, size.y)
        moved.append(np.broadcast_to(np.maximum(*spans) > _MATTERS, shape))
    both: np.ndarray = (moved[0] & moved[1]).reshape(len(tables[0]), -1)
    return both


def query_text(
    form: str,
    target: Target,
    labels: Labels,
    codes: Sequence[int],
    found: Answers,
    cards: Sequence[int],
) -> str:
    """Write a question in the query language.

    Args:
        form: a name of `causalbench.task.forms`.
        target: under the names that are told.
        labels: writes atoms.
        codes: one of `Answers.codes`.
        found: where it comes from.
        cards: of what is set, then of what is seen.
    """
    many = len(target.xs)
    if form in EFFECTS:
        x, (a, b, row, value) = target.xs[0], codes
        step = f"{quote(x)}: {quote(labels.values[x][a])} -> {quote(labels.values[x][b])}"
        names = (*target.xs[1:], *target.seen)
        rest = ", ".join(_atoms(labels, names, row, cards[1:]))
        sign = "; " if form == "CDE" else " | "
        return f"{form}({step}; {labels.atom(target.y, value)}{sign + rest if rest else ''})"
    if form == "soft-intervention":
        return _policy_text(target, labels, codes, found, cards)
    action, row, value = codes
    do = ", ".join(_atoms(labels, target.xs, action, cards[:many]))
    given = [f"do({do})", *_atoms(labels, target.seen, row, cards[many:])]
    return f"P({labels.atom(target.y, value)} | {', '.join(given)})"


def _policy_text(
    target: Target, labels: Labels, codes: Sequence[int], found: Answers, cards: Sequence[int]
) -> str:
    """Write the mixture of the outcomes of actions that a policy makes."""
    policy, value = codes
    parts = []
    weights = np.zeros((1, 1)) if found.policies is None else found.policies[policy]
    for action, row in product(*(range(n) for n in weights.shape)):
        weight = float(weights[action, row])
        if weight:
            event = [labels.atom(target.y, value), *_atoms(labels, target.seen, row, cards[1:])]
            do = labels.atom(target.xs[0], action)
            parts.append(f"{number(weight)} * P({', '.join(event)} | do({do}))")
    return " + ".join(parts)


def _atoms(labels: Labels, names: Sequence[str], row: int, cards: Sequence[int]) -> list[str]:
    """Write the values that a row stands for, counted with the last name fastest."""
    codes = np.unravel_index(row, tuple(cards)) if names else ()
    return [labels.atom(name, int(code)) for name, code in zip(names, codes, strict=True)]
