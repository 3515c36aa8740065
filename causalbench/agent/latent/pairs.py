"""Infer how a mechanism ties settings together, from units seen under two of them.

Where the mechanisms are shown, a unit may be run twice: as it was, and with one variable forced.
What a variable did at two settings of its inputs, in the same unit, tells couplings apart. The
couplings at hand are mixed with the weights that make those pairs likeliest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.agent.latent.coupling import (
    Antitone,
    Coupling,
    Gumbel,
    Independent,
    Mixture,
    Monotone,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.agent.latent.layout import Layout, Slot
    from causalbench.scm import SCM

__all__ = ["Pairs", "candidates", "infer_coupling", "pairs_of"]

Array = np.ndarray
_MOST_SETTINGS = 32
_DRAWS = 4000
_SWEEPS = 50
_LEAST = 0.03  # a share below this is noise of the sweep, and is dropped


@dataclass(frozen=True, slots=True)
class Pairs:
    """What one variable did in units at two settings of its inputs, int [n] each."""

    setting: Array
    value: Array
    other_setting: Array
    other_value: Array


def pairs_of(scm: SCM, layout: Layout, *, units: int, rng: np.random.Generator) -> list[Pairs]:
    """Run units twice, the second time with one variable forced, and collect pairs per slot."""
    noise = scm.draw_noise(units, rng=rng)
    chosen = rng.integers(len(layout.slots), size=units)
    forced = {}
    for i, slot in enumerate(layout.slots):
        values = rng.integers(slot.card, size=units)
        forced[slot.name] = np.where(chosen == i, values, -1)
    before, after = scm.solve(noise), scm.solve(noise, do=forced)
    one = {i: np.broadcast_to(before[s.name], units) for i, s in enumerate(layout.slots)}
    two = {i: np.broadcast_to(after[s.name], units) for i, s in enumerate(layout.slots)}
    found = []
    for i, slot in enumerate(layout.slots):
        first = np.broadcast_to(layout.row_of(slot, one, one) - slot.offset, units)
        second = np.broadcast_to(layout.row_of(slot, two, one) - slot.offset, units)
        use = (chosen != i) & (first != second)
        found.append(Pairs(first[use], one[i][use], second[use], two[i][use]))
    return found


def candidates(layout: Layout, slot: Slot) -> list[Coupling]:
    """Return the couplings to weigh for a slot: Gumbel-max first."""
    cards = [layout.slots[i].card for i in layout.inputs(slot)]
    ways: list[Coupling] = [Gumbel(), Monotone(), Independent(layout.settings(slot))]
    turns = ([setting[k] % 2 == 1 for setting in np.ndindex(*cards)] for k in range(len(cards)))
    return [*ways, *(Antitone(tuple(turned)) for turned in turns)]


def infer_coupling(
    ways: Sequence[Coupling], table: Array, pairs: Pairs, *, rng: np.random.Generator
) -> Coupling:
    """Return the mixture of couplings under which the pairs are likeliest.

    Args:
        ways: couplings; the first is kept where pairs say nothing.
        table: P(value | setting), float [settings, card].
        pairs: what was seen.
        rng: source of randomness.
    """
    settings, _card = table.shape
    if settings > _MOST_SETTINGS or not len(pairs.setting):
        return ways[0]
    likelihood = np.stack(
        [
            _joint(way, table, rng)[
                pairs.setting, pairs.other_setting, pairs.value, pairs.other_value
            ]
            for way in ways
        ],
        axis=1,
    )
    share = np.full(len(ways), 1.0 / len(ways))
    for _ in range(_SWEEPS):
        blame = likelihood * share
        share = (blame / blame.sum(1, keepdims=True)).mean(0)
    kept = [(way, float(w)) for way, w in zip(ways, share, strict=True) if w >= _LEAST]
    total = sum(weight for _, weight in kept)
    return Mixture(tuple(way for way, _ in kept), tuple(weight / total for _, weight in kept))


def _joint(way: Coupling, table: Array, rng: np.random.Generator) -> Array:
    """Return P(value at s, value at t), [settings, settings, card, card], by simulation."""
    settings, card = table.shape
    noise = way.draw((_DRAWS,), card, rng)
    hot = np.zeros((settings, _DRAWS, card))
    for setting in range(settings):
        p = np.broadcast_to(table[setting], (_DRAWS, card))
        values = way.settle(noise, p, np.full(_DRAWS, setting))
        hot[setting, np.arange(_DRAWS), values] = 1.0
    flat = hot.transpose(0, 2, 1).reshape(settings * card, _DRAWS)
    joint = (flat @ flat.T).reshape(settings, card, settings, card).transpose(0, 2, 1, 3)
    result: np.ndarray = (joint + 1.0) / (_DRAWS + card**2)
    return result
