"""Lay out worlds that the fast loops of `causalbench.env.binary` can step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from causalbench.task.observation import MODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.env.binary import Binary
    from causalbench.env.plan import Plan

__all__ = ["Face", "binary_of", "face_of"]

_MOST_VARIABLES, _MOST_PAID = 31, 8  # the bits of a state, but one; reads of a table of pay
_NEVER = 2**32 - 1
_PARENTS = 3  # as in `causalbench.env.binary`, which loads numba


class Face(NamedTuple):
    """What binary worlds that are alike in face share; bit v is variable v, the hidden ones last.

    Args:
        set_: uint64[A], the variables that an action sets.
        values: uint64[A], and their values.
        observed: the variables that are ever seen.
        mode: the code of the mode.
    """

    set_: NDArray[np.uint64]
    values: NDArray[np.uint64]
    observed: int
    mode: int


def face_of(plan: Plan) -> Face:
    """Return the face of a binary plan."""
    numbers = _numbers(plan)
    bits = np.uint64(1) << numbers[plan.order].astype(np.uint64)
    set_ = np.where(plan.force >= 0, bits, np.uint64(0)).sum(axis=1, dtype=np.uint64)
    values = np.where(plan.force == 1, bits, np.uint64(0)).sum(axis=1, dtype=np.uint64)
    observed = sum(1 << int(place) for place in plan.program.places)
    return Face(set_, values, observed, MODES.index(plan.program.play.mode))


def binary_of(plans: Sequence[Plan], copies: int) -> Binary | None:
    """Return worlds as the fast loops take them, or None where some cannot be stepped so.

    They can if they have one step of binary variables of three causes at most, all with noise, the
    value 0 standing for the lower words; and if what is paid is one small table.

    Args:
        plans: of the worlds.
        copies: how many copies there are of them, in turn.
    """
    if not all(_fits(plan) for plan in plans):
        return None
    from causalbench.env.binary import HALF, LANES, NOBODY, ROWS, Binary

    worlds, size = len(plans), len(plans[0].order)
    reads = max(len(plan.pay[0].positions) for plan in plans)
    late = np.array([size - plan.early for plan in plans], dtype=np.uint8)
    bits = np.zeros((worlds, size), dtype=np.uint8)
    parents = np.full((worlds, size, _PARENTS), NOBODY, dtype=np.uint8)
    last = np.full((worlds, size, ROWS), _NEVER, dtype=np.uint32)
    opened = np.zeros(worlds, dtype=np.uint64)
    paid = np.full((worlds, reads), NOBODY, dtype=np.uint8)
    pay = np.zeros((worlds, 2**reads))
    for world, plan in enumerate(plans):
        numbers = _numbers(plan)[plan.order]
        for k, at in enumerate(np.roll(np.arange(size), -plan.early)):
            piece, up = plan.lines[0][at], HALF * (at < plan.early)
            count = len(piece.parents)
            rows = np.arange(2**count)
            if piece.last.shape[1]:
                # The loops' strides are 1, 2, 4, in the order of the parents.
                last[world, k, rows] = piece.last[
                    (rows[:, None] >> np.arange(count) & 1) @ piece.strides, 0
                ]
            bits[world, k] = numbers[at] + up
            parents[world, k, :count] = numbers[piece.parents] + up
        seen = [numbers[at] for at in range(plan.early) if plan.order[at] in plan.program.seen]
        opened[world] = sum(1 << int(number) for number in seen)
        table = plan.pay[0]
        count = len(table.positions)
        # What is not there is always 0, so the table is read in its lower cells alone.
        paid[world, reads - count :] = numbers[table.positions]
        pay[world, : 2**count] = plan.offset + table.table
    # As many worlds as fill whole blocks, or as there are copies.
    lanes = min(math.lcm(worlds, LANES), -(-copies // LANES) * LANES)
    which = np.arange(lanes) % worlds

    def dealt(array: NDArray[Any]) -> NDArray[Any]:
        blocks = array[which].reshape(-1, LANES, *array.shape[1:])
        return np.ascontiguousarray(np.moveaxis(blocks, 1, -1))

    return Binary(*[dealt(each) for each in (late, bits, parents, last, opened, paid, pay)])


def _numbers(plan: Plan) -> NDArray[np.int64]:
    """Return the number of each slot."""
    process = plan.program.process
    hidden = [name for name in process.names if name not in set(process.visible)]
    number = {name: at for at, name in enumerate([*process.visible, *hidden])}
    return np.array([number[name] for name in plan.program.names], dtype=np.int64)


def _fits(plan: Plan) -> bool:
    program = plan.program
    if plan.regime != "do" or program.play.mode != "act" or program.horizon > 1:
        return False
    if len(plan.order) > _MOST_VARIABLES or (program.cards != 2).any():  # noqa: PLR2004
        return False
    if program.ends is not None or (plan.words < 0).any() or len(plan.pay) != 1:
        return False
    if len(plan.pay[0].positions) > _MOST_PAID or plan.pay[0].action:
        return False
    return all(
        len(piece.parents) <= _PARENTS and piece.last.shape[1] <= 1 and not piece.values[:, 0].any()
        for piece in plan.lines[0]
    )
