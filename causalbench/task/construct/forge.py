"""Draw a pair to order: a core from the builder of its rung, and a halo to its size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from causalbench.errors import TooWideError, TwinError
from causalbench.task.construct import linear, rung1, rung2, rung3
from causalbench.task.construct.halo import with_halo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from causalbench.task.construct.draft import Draft
    from causalbench.task.construct.order import Order

__all__ = ["BATCHES", "forge"]

BATCHES = 400  # attempts with the motif that is wanted, and as many with any shape
_FREE = "free"
_BUILDERS: Mapping[int, Callable[[np.random.Generator, Order], Draft | None]] = {
    1: rung1.build,
    2: rung2.build,
    3: rung3.build,
}


def forge(rng: np.random.Generator, order: Order) -> Draft:
    """Draw a pair.

    Where its motif bears no pair, a free random shape takes its place, and the draft says so.

    Args:
        rng: draws everything.
        order: what is wanted.

    Raises:
        TwinError: no attempt kept the margins.
    """
    build = linear.build if order.family == "linear" else _BUILDERS[order.kind.rung]
    attempts = 0
    for motif in dict.fromkeys((order.motif, _FREE)):
        wanted = replace(order, motif=motif)
        for _ in range(BATCHES):
            attempts += 1
            try:
                draft = build(rng, wanted)
            except TooWideError:
                continue
            if draft is not None:
                drawn = replace(draft, motif=draft.motif or motif, attempts=attempts)
                return with_halo(rng, drawn, order)
    msg = (
        f"no pair for '{order.form}' ({order.terms.name}, {order.size}, {order.family}) kept the "
        f"margins in {attempts} attempts; take another seed."
    )
    raise TwinError(msg)
