"""Draw tables that a search for unit-level differences likes: sharp ones, and level ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.rng import GRID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats

__all__ = ["ruled", "suited"]

_SHARP = 0.9  # the most that a rule takes of a table
_HEARD = 0.7  # how often a rule that adds up hears a cause
_HALF = 0.5
_LEVEL = 0.6  # how level a table is made at the least, where it is


def ruled(table: Floats, rule: NDArray[np.int64], parts: Floats) -> Floats:
    """Return a table, on the grid, part of whose chance goes to the values of a rule.

    Args:
        table: float64[candidate, ..., value], on the grid.
        rule: int64[candidate, ...], a value for each row.
        parts: float64[candidate]: how much the rule takes.
    """
    rest = 1.0 - parts.reshape(-1, *(1,) * (table.ndim - 1))
    kept = np.floor(rest * table * GRID) / GRID
    chosen = rule[..., None] == np.arange(table.shape[-1])
    result: Floats = kept + chosen * (1.0 - kept.sum(axis=-1, keepdims=True))
    return result


def suited(
    rng: np.random.Generator, batch: Batch, stake: str, minimum: float, sharp: float = 0.0
) -> Batch:
    """Return the batch with other tables: level for the mechanism at stake, sharp elsewhere.

    A unit's answers at two rows can be tied in many ways only where each is open, and what follows
    from them shows only where it is passed on. Some candidates are left as they are.

    Args:
        rng: draws them.
        batch: candidates.
        stake: the variable whose coupling will differ.
        minimum: the least probability in a table, before a rule takes its part.
        sharp: the least part that a rule takes.
    """
    count, card = len(batch), batch.cards[stake]
    shape = batch.cpts[stake].shape
    level = draws.simplex(rng, card, max(minimum, _LEVEL / card), shape[:-1])
    taken = draws.uniforms(rng, (count,)) < _HALF
    tables = {
        stake: np.where(taken.reshape(-1, *(1,) * (len(shape) - 1)), level, batch.cpts[stake])
    }
    for name, table in batch.cpts.items():
        if name != stake and batch.parents[name]:
            rule = _rule(rng, batch, name)
            parts = sharp + (_SHARP - sharp) * draws.uniforms(rng, (count,))
            tables[name] = ruled(table, rule, parts)
    return batch.replace(tables)


def _rule(rng: np.random.Generator, batch: Batch, name: str) -> NDArray[np.int64]:
    """Draw a value for each row: any, or one that adds up some causes, which interact then."""
    count, card = len(batch), batch.cards[name]
    sizes = [batch.cards[parent] for parent in batch.parents[name]]
    chance = draws.integers(rng, card, (count, *sizes))
    heard = draws.uniforms(rng, (count, len(sizes))) < _HEARD
    total = draws.integers(rng, card, (count,)).reshape(count, *(1,) * len(sizes))
    for place, codes in enumerate(np.indices(sizes)):
        total = total + codes * heard[:, place].reshape(count, *(1,) * len(sizes))
    adds = (draws.uniforms(rng, (count,)) < _HALF).reshape(count, *(1,) * len(sizes))
    return np.where(adds, total % card, chance)
