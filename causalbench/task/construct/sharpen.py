"""Make random tables more decided, so that large effects are not rare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws

if TYPE_CHECKING:
    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats

__all__ = ["sharpened"]

_POWERS = 8
_LEAST = 26  # of 1024: no probability falls below this


def sharpened(rng: np.random.Generator, batch: Batch) -> Batch:
    """Raise the tables of each candidate to a power from 1 to 8, and normalise them on the grid.

    Tables of hidden variables without causes stay as they are: a rare confounder does little.

    Args:
        rng: draws the powers.
        batch: tables on the grid of 1/1024, as `draw_batch` makes them.
    """
    powers = 1 + draws.integers(rng, _POWERS, len(batch))
    return batch.replace(
        {
            name: _power(table, powers)
            for name, table in batch.cpts.items()
            if name not in batch.hidden
        }
    )


def _power(table: Floats, powers: np.ndarray) -> Floats:
    every = np.empty((_POWERS, *table.shape))
    every[0] = table
    for step in range(1, _POWERS):
        np.multiply(every[step - 1], table, out=every[step])
    raised = every[powers - 1, np.arange(len(table))]
    share = raised / raised.sum(axis=-1, keepdims=True)
    card = table.shape[-1]
    units = _LEAST + np.floor(share * (draws.GRID - card * _LEAST))
    most = np.arange(card) == share.argmax(axis=-1)[..., None]
    result: Floats = (units + most * (draws.GRID - units.sum(axis=-1, keepdims=True))) / draws.GRID
    return result
