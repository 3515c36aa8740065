"""Rung 3: change what a hidden cause does to the later of its two effects, as no experiment tells.

A hidden cause u has two effects, of which the first is a cause of the last. Experiments and
watching take from the last one's table, for each row of its seen causes, its mean over u, and its
mean over the u of those units whose first one has the value in that row. What is left open is a
direction in which the table may go up for some u and down for others. Whoever asks of units whose
first variable is otherwise finds a difference: the effect on those who did otherwise, or past a
mediator.

References:
    Tian and Pearl (2002), A general identification condition for causal effects: what experiments
    tell of variables that a hidden cause joins. Avin, Shpitser and Pearl (2005).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.batch import Batch
from causalbench.task.construct.rung3_tables import ruled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.task.construct.net import Floats

__all__ = ["HIDDEN", "Joined", "mixed_sides"]

HIDDEN = "uc"
"""The role of the hidden cause that is added."""

_MOST_KINDS = 6  # values of the hidden cause
_ROWS = 40  # the most rows of a table, the hidden cause counted: mechanisms are told in full
_LEAST = 8 / 1024  # no probability of a table that is moved falls below
_OWN = 0.15  # how much of the last one's table goes with u before it is moved
_LEVEL = 0.6  # how level it is at the least, so that it has room to move
_SHARP = (0.3, 0.95)  # how much of the first one's table goes with u by rule
_ROOM = (0.6, 1.0)  # how much of the way to the edge the two worlds go
_TINY = 1e-9


@dataclass(frozen=True)
class Joined:
    """Where a hidden cause is put, and what is to differ.

    Args:
        first: its earlier effect.
        last: its later effect, of which the first is a cause.
        held: a cause of both whose value the first one would have had otherwise: the x of a
            mediator; "" where it is the first one itself that is set.
        codes: the first one's, or held one's, (value in fact, value that is set).
    """

    first: str
    last: str
    held: str
    codes: tuple[int, int]


def mixed_sides(
    rng: np.random.Generator, batch: Batch, joined: Joined
) -> tuple[Batch, Batch] | None:
    """Return two batches with the same laws under every intervention, or None.

    Args:
        rng: draws the hidden cause and the two tables that go with it.
        batch: the worlds, without the hidden cause.
        joined: where it goes.
    """
    above = batch.parents[joined.first]
    kept = [name for name in above if name != joined.held]
    rows = math.prod(batch.cards[name] for name in kept)
    kinds = 3 + rows
    rows = max(
        math.prod(batch.cards[name] for name in batch.parents[each])
        for each in (joined.first, joined.last)
    )
    if kinds > _MOST_KINDS or kinds * rows > _ROWS:
        return None
    count = len(batch)
    share = draws.simplex(rng, kinds, 0.5 / kinds, (count,))
    early = _sharp(rng, batch, joined.first, kinds)
    late = _late(rng, batch, joined.last, kinds)
    shift = _shift(rng, batch, joined, share, early)
    # float64[candidate, u, causes of the last one, its value]
    move = shift[..., None] * _signs(rng, batch.cards[joined.last], count, shift.ndim)
    fall = np.divide(
        late - _LEAST, np.abs(move), out=np.full_like(late, np.inf), where=np.abs(move) > _TINY
    )
    rise = np.divide(
        1.0 - _LEAST - late,
        np.abs(move),
        out=np.full_like(late, np.inf),
        where=np.abs(move) > _TINY,
    )
    # Every row of causes keeps its own sums, so each goes as far as it can.
    room = np.minimum(fall, rise).min(axis=(1, -1), keepdims=True)
    part = _ROOM[0] + (_ROOM[1] - _ROOM[0]) * draws.uniforms(rng, (count,))
    part = part.reshape(count, *(1,) * (late.ndim - 1))
    size = np.where(np.isfinite(room), room, 0.0) * part
    parents = {
        HIDDEN: (),
        joined.first: (HIDDEN, *above),
        joined.last: (HIDDEN, *batch.parents[joined.last]),
    }
    sides = []
    for sign in (1.0, -1.0):
        cpts = {HIDDEN: share, joined.first: early, joined.last: late + sign * size * move}
        sides.append(
            Batch(
                {HIDDEN: kinds, **batch.cards},
                {HIDDEN: (), **batch.parents, **parents},
                {**batch.cpts, **cpts},
                batch.hidden | {HIDDEN},
            )
        )
    return sides[0], sides[1]


def _sharp(rng: np.random.Generator, batch: Batch, name: str, kinds: int) -> Floats:
    """Draw P(first | u, its causes): partly chance, partly a rule that gives each u its values."""
    card = batch.cards[name]
    above = [batch.cards[each] for each in batch.parents[name]]
    noise = draws.simplex(rng, card, 0.04, (len(batch), kinds, *above))
    rule = draws.integers(rng, card, (len(batch), kinds, *above))
    rule[:, :card] = np.arange(min(card, kinds)).reshape(-1, *(1,) * len(above))
    parts = _SHARP[0] + (_SHARP[1] - _SHARP[0]) * draws.uniforms(rng, (len(batch),))
    return ruled(noise, rule, parts)


def _late(rng: np.random.Generator, batch: Batch, name: str, kinds: int) -> Floats:
    """Draw P(last | u, its causes), in which u does not matter much yet."""
    card = batch.cards[name]
    above = [batch.cards[each] for each in batch.parents[name]]
    whole = draws.simplex(rng, card, _LEVEL / card, (len(batch), 1, *above))
    own = draws.simplex(rng, card, _LEVEL / card, (len(batch), kinds, *above))
    return (1.0 - _OWN) * whole + _OWN * own


def _shift(
    rng: np.random.Generator, batch: Batch, joined: Joined, share: Floats, early: Floats
) -> Floats:
    """Return how the last one's table may move: float64[candidate, u, *its causes].

    For each row, the direction lies at right angles to what experiments fix.
    """
    above, below = batch.parents[joined.first], batch.parents[joined.last]
    count, kinds = share.shape
    first_at, held_at = below.index(joined.first), below.index(joined.held) if joined.held else -1
    cards = [batch.cards[name] for name in below]
    shift = np.zeros((count, kinds, *cards))
    chance = share.reshape(count, kinds, *(1,) * len(above), 1) * early
    known: dict[tuple[int, int], Floats] = {}
    for row in np.ndindex(*cards):
        value, held = row[first_at], row[held_at] if joined.held else -1
        if (value, held) not in known:
            known[value, held] = _open(rng, chance, share, joined, above, (value, held))
        shift[(slice(None), slice(None), *row)] = known[value, held]
    return shift


def _open(
    rng: np.random.Generator,
    chance: Floats,
    share: Floats,
    joined: Joined,
    above: Sequence[str],
    row: tuple[int, int],
) -> Floats:
    """Return the way to go in rows with a value of the first one (and of what is held)."""
    value, held = row
    count, kinds = share.shape
    mine = chance[..., value]
    fixed: Floats
    if joined.held:
        axis = 2 + above.index(joined.held)
        values = chance.shape[axis]
        other = joined.codes[0] if held == joined.codes[1] else _other(rng, values, held)
        fixed = mine.take(held, axis=axis).reshape(count, kinds, -1)
        wanted = mine.take(other, axis=axis).reshape(count, kinds, -1).sum(axis=-1)
    else:
        values = chance.shape[-1]
        other = joined.codes[0] if value == joined.codes[1] else _other(rng, values, value)
        fixed = mine.reshape(count, kinds, -1)
        wanted = chance[..., other].reshape(count, kinds, -1).sum(axis=-1)
    basis: list[Floats] = []
    for vector in (share, *np.moveaxis(fixed, -1, 0)):
        left = _without(_without(vector, basis), basis)
        length = np.sqrt((left * left).sum(axis=-1, keepdims=True))
        basis.append(np.where(length > _TINY, left / np.maximum(length, _TINY), 0.0))
    left = _without(_without(wanted, basis), basis)
    peak = np.abs(left).max(axis=-1, keepdims=True)
    # Scaled to 1 and cleaned once more; the chances of u are wanted at right angles, not their
    # shares of a unit, so nothing is divided by them.
    return _without(np.where(peak > _TINY, left / np.maximum(peak, _TINY), 0.0), basis)


def _without(vector: Floats, basis: Sequence[Floats]) -> Floats:
    for each in basis:
        vector = vector - (vector * each).sum(axis=-1, keepdims=True) * each
    return vector


def _other(rng: np.random.Generator, card: int, code: int) -> int:
    other = int(draws.integers(rng, card - 1))
    return other + (other >= code)


def _signs(rng: np.random.Generator, card: int, count: int, axes: int) -> Floats:
    """Draw which value becomes likelier, and which less: float64[candidate, 1, ..., card]."""
    order = draws.permutation(rng, card)
    signs = np.zeros(card)
    signs[order[0]], signs[order[1]] = 1.0, -1.0
    shape = (count, *(1,) * (axes - 1), card)
    result: Floats = np.broadcast_to(signs, shape)
    return result
