"""Say what is permitted of one unit in several worlds: the joint laws of regimes intent and replay.

With intent that is the choice about to be made, beside all that follows from another one; with
replay it is what was, beside what would have been under every action that is permitted.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError
from causalbench.query.ast import Term
from causalbench.truth.engine import table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from causalbench.scm import SCM
    from causalbench.truth.permitted import Permitted

__all__ = ["unit_laws", "unit_terms"]

_CELLS = 2**20


def unit_terms(
    regime: str, labels: Mapping[str, tuple[str, ...]], manipulable: Collection[str]
) -> Iterator[tuple[Term, ...]]:
    """Yield lists of counterfactual variables whose joint law is permitted.

    Args:
        regime: only ``intent`` and ``replay`` tell of a unit in several worlds.
        labels: visible variable -> its values.
        manipulable: what may be set, alone or together.
    """
    if regime not in {"intent", "replay"}:
        return
    worlds: list[tuple[tuple[str, str], ...]] = []
    names = sorted(manipulable)
    for size in range(1, len(names) + 1):
        for chosen in combinations(names, size):
            every = product(*(labels[name] for name in chosen))
            worlds += [tuple(zip(chosen, values, strict=True)) for values in every]
    if regime == "replay":
        yield tuple(term for world in [(), *worlds] for term in _under(labels, world))
        return
    for world in worlds:
        yield (*(Term(name) for name, _ in world), *_under(labels, world))


def unit_laws(permitted: Permitted, scm: SCM) -> Iterator[NDArray[np.float64]]:
    """Yield the joint laws of `unit_terms` in a world.

    Args:
        permitted: what is known.
        scm: the world, or another one over the same visible variables.

    Raises:
        TooWideError: a law of more than 2^20 cells.
    """
    labels, regime = permitted.labels, permitted.knowledge.regime
    for terms in unit_terms(regime, labels, permitted.manipulable):
        cells = float(np.prod([len(labels[term.variable]) for term in terms], dtype=float))
        if cells > _CELLS:
            msg = (
                f"units that are run again have {cells:.3g} joint values and a check takes "
                f"{_CELLS}; let fewer variables be set."
            )
            raise TooWideError(msg)
        yield np.asarray(table(scm, terms))


def _under(
    labels: Mapping[str, tuple[str, ...]], world: tuple[tuple[str, str], ...]
) -> tuple[Term, ...]:
    """Return every variable that an action leaves alone, in that world."""
    forced = dict(world)
    return tuple(Term(name, world) for name in sorted(labels) if name not in forced)
