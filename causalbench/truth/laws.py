"""Work out whole laws: joint tables, and every interventional table of a small world."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import TooWideError
from causalbench.query.ast import Term
from causalbench.truth.engine import solve
from causalbench.truth.structure import LIMIT, compiled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.scm import SCM

__all__ = ["interventional_tables", "law"]


def law(scm: SCM, names: Sequence[str], do: Mapping[str, str] | None = None) -> NDArray[np.float64]:
    """Return the joint law P(names | do(...)).

    Args:
        scm: a discrete world.
        names: variables, hidden ones too if wanted; the axes follow their order.
        do: variable to value label, for the variables that are forced.

    Returns:
        A new float64 array; its sum is 1, to round-off.

    Raises:
        UnknownNameError: a name or value that the world does not have.
        TooWideError: a table of more than 2^26 cells would be needed.
    """
    subscript: tuple[tuple[str, Any], ...] = tuple(sorted((do or {}).items()))
    terms = tuple(Term(name, subscript) for name in names)
    return np.array(solve(compiled(scm), terms, ()))


def interventional_tables(scm: SCM) -> dict[tuple[str, ...], NDArray[np.float64]]:
    """Return every interventional law over the visible variables of a small world.

    Args:
        scm: a discrete world.

    Returns:
        For each set S of visible variables (a tuple in declared order; subsets by size) the array
        Q[V - S](v) = P(v outside S | do(S = v inside S)), whose axes are all visible variables in
        declared order. () is the law that is seen; all of them give ones.

    Raises:
        TooWideError: all tables together, or one with the hidden variables, exceed 2^26 cells.

    Reference:
        Tian and Pearl (2002), the truncated factorisation and Q-factors.
    """
    world = compiled(scm)
    structure = world.structure
    visible = [structure.index[name] for name in scm.visible]
    hidden = [structure.index[name] for name in scm.hidden]
    axes = [*hidden, *visible]
    shape = tuple(structure.cards[position] for position in axes)
    wide = int(np.prod(shape, dtype=object))
    all_cells = int(np.prod(shape[len(hidden) :], dtype=object)) * 2 ** len(visible)
    if max(wide, all_cells) > LIMIT:
        msg = (
            f"all interventional tables need {max(wide, all_cells)} cells and the limit is "
            f"{LIMIT}; ask for single laws with law(scm, names, do)."
        )
        raise TooWideError(msg)
    factors = {position: _factor(world, position, axes) for position in axes}
    base = np.ones((1,) * len(axes))
    for position in hidden:
        base = base * factors[position]
    unseen = tuple(range(len(hidden)))
    results: dict[tuple[str, ...], NDArray[np.float64]] = {}

    def descend(depth: int, product: NDArray[np.float64], forced: tuple[str, ...]) -> None:
        if depth == len(visible):
            table = product.sum(axis=unseen) if unseen else product
            results[forced] = np.array(np.broadcast_to(table, shape[len(hidden) :]))
            return
        descend(depth + 1, product * factors[visible[depth]], forced)
        descend(depth + 1, product, (*forced, scm.visible[depth]))

    descend(0, base, ())
    subsets = (s for size in range(len(visible) + 1) for s in combinations(scm.visible, size))
    return {subset: results[subset] for subset in subsets}


def _factor(world: Any, position: int, axes: list[int]) -> NDArray[np.float64]:
    """Return P(variable | parents) shaped to broadcast over all the axes."""
    structure = world.structure
    parents = structure.parents[position]
    table = world.kernel((position, ((-1, tuple(range(len(parents)))),)))
    places = [axes.index(p) for p in (*parents, position)]
    order = sorted(range(len(places)), key=places.__getitem__)
    shape = [1] * len(axes)
    for p in (*parents, position):
        shape[axes.index(p)] = structure.cards[p]
    shaped: NDArray[np.float64] = table.transpose(order).reshape(shape)
    return shaped
