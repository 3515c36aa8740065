"""Stack the plans of one or many worlds into padded arrays, which tensor operations can gather."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.env.plan import Pay, Piece, Plan

__all__ = ["Padded", "padded"]

_NARROW = 4  # tables up to so wide are padded to one width: branches that all worlds share are free


class Padded(NamedTuple):
    """W worlds of V variables as the loops read them; shapes in `padded`.

    Slices: 0 the first step, 1 later ones, 2 and 3 the same for the natural course, whose values
    stand apart in a row.
    """

    parents: NDArray[np.uint16]
    strides: NDArray[np.uint32]
    cuts: NDArray[np.int32]
    at: NDArray[np.int64]
    last: NDArray[np.uint32]
    values: NDArray[np.uint8]
    word: NDArray[np.int16]
    early: NDArray[np.int64]
    intends: NDArray[np.bool_]
    force: NDArray[np.int16]
    maps: NDArray[np.uint16]
    pay_at: NDArray[np.int64]
    pay_position: NDArray[np.uint16]
    pay_stride: NDArray[np.uint32]
    pay: NDArray[np.float64]
    offset: NDArray[np.float64]
    width: NDArray[np.int64]


def padded(plans: Sequence[Plan]) -> Padded:
    """Stack plans that `check_alike` accepts.

    Returns:
        Arrays with the worlds first: parents and strides [W, 4, V, P], cuts [W, 4, V] (how many
        stretches end in a row of a table), at [W, 4, V, 2] (where its rows begin in ``last`` and
        in ``values``), word [W, V], early [W], intends [W, V], force [W, A + 1, V] (the last row is
        nature's), maps [W, 3, D], pay_at [W, G, 2] (where a table begins, and its stride of the
        action; group 0 is the event that ends an episode), pay_position and pay_stride [W, G, Q],
        offset [W], width [W].
    """
    size, worlds = len(plans[0].order), len(plans)
    pieces = [piece for plan in plans for slice_ in plan.lines for piece in slice_]
    most_parents = max(1, *(len(piece.parents) for piece in pieces))
    narrow = max(piece.last.shape[1] for piece in pieces) <= _NARROW
    most_cuts = max(piece.last.shape[1] for piece in pieces)
    parents = np.zeros((worlds, 4, size, most_parents), dtype=np.uint16)
    strides = np.zeros((worlds, 4, size, most_parents), dtype=np.uint32)
    cuts = np.zeros((worlds, 4, size), dtype=np.int32)
    at = np.zeros((worlds, 4, size, 2), dtype=np.int64)
    last: list[NDArray[np.uint32]] = []
    values: list[NDArray[np.uint8]] = []
    used = [0, 0]
    for world, plan in enumerate(plans):
        for slice_, line in enumerate(plan.lines):
            if slice_ and line is plan.lines[0]:
                for field in (parents, strides, cuts, at):
                    field[world, 1], field[world, 3] = field[world, 0], field[world, 2]
                continue
            for v, piece in enumerate(line):
                wide = _widened(piece, most_cuts if narrow else piece.last.shape[1])
                count = len(piece.parents)
                natural = piece.parents + 2 * size * (
                    (piece.parents >= plan.early) & (piece.parents < size)
                )
                for part, read in ((slice_, piece.parents), (slice_ + 2, natural)):
                    parents[world, part, v, :count] = read
                    strides[world, part, v, :count] = piece.strides
                    cuts[world, part, v] = wide[0].shape[1]
                    at[world, part, v] = used
                last.append(wide[0].ravel())
                values.append(wide[1].ravel())
                used = [used[0] + wide[0].size, used[1] + wide[1].size]
    nature = np.full((worlds, 1, size), -1, dtype=np.int16)
    force = np.concatenate([np.stack([plan.force for plan in plans]), nature], axis=1)
    return Padded(
        parents,
        strides,
        cuts,
        at,
        np.concatenate([*last, np.zeros(1, dtype=np.uint32)]),
        np.concatenate(values),
        np.stack([plan.words for plan in plans]).astype(np.int16),
        np.array([plan.early for plan in plans], dtype=np.int64),
        np.stack([plan.intends for plan in plans]),
        np.ascontiguousarray(force),
        np.stack([plan.maps for plan in plans]).astype(np.uint16),
        *_stacked_pay(plans),
        np.array([plan.offset for plan in plans]),
        np.array([plan.width for plan in plans], dtype=np.int64),
    )


def _widened(piece: Piece, wide: int) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Widen a piece with stretches that no word reaches."""
    more = wide - piece.last.shape[1]
    return (
        np.pad(piece.last, ((0, 0), (0, more)), constant_values=2**32 - 1),
        np.pad(piece.values, ((0, 0), (0, more)), mode="edge"),
    )


def _stacked_pay(
    plans: Sequence[Plan],
) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint32], NDArray[np.float64]]:
    never = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), 0, np.zeros(1))]

    rows = [
        [
            *(never if plan.ends is None else [_fields(plan.ends)]),
            *(_fields(pay) for pay in plan.pay),
        ]
        for plan in plans
    ]
    most = max(len(row) for row in rows)
    wide = max(1, *(len(entry[0]) for row in rows for entry in row))
    at = np.zeros((len(plans), most, 2), dtype=np.int64)
    positions = np.zeros((len(plans), most, wide), dtype=np.uint16)
    strides = np.zeros((len(plans), most, wide), dtype=np.uint32)
    tables: list[NDArray[np.float64]] = [np.zeros(1)]  # cell 0: what is not there pays nothing
    used = 1
    for world, row in enumerate(rows):
        for group, (where, steps, action, table) in enumerate(row):
            at[world, group] = used, action
            positions[world, group, : len(where)] = where
            strides[world, group, : len(where)] = steps
            tables.append(table)
            used += len(table)
    return at, positions, strides, np.concatenate(tables)


def _fields(
    pay: Pay,
) -> tuple[NDArray[np.int64], NDArray[np.int64], int, NDArray[np.float64]]:
    return pay.positions, pay.strides, pay.action, pay.table
