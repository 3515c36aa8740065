"""Stack the plans of one or many worlds into flat arrays, world after world."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from causalbench.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.env.plan import Pay, Piece, Plan
    from causalbench.scm.program import Program

__all__ = ["FORCED", "HEAD", "Stack", "check_alike", "stack"]

HEAD = 4
"""What stands before the parents in a line: word, first cell, whether wide, how many parents."""
FORCED = 255
"""Stands in ``force`` where nature decides; a value's code is below."""


class Stack(NamedTuple):
    """W worlds of V variables as the loops read them, all flat, world after world.

    A line is ``[word, first cell, wide, parents, stride and byte of each parent ...]``; there are
    ``parts`` lists of V lines: those of the first step; of later ones, where there are any; and the
    same again for the natural course, where it is shown. Worlds that differ have all lines padded
    to as many parents, as a processor that cannot foretell their number loses more than it saves.

    A cell is a row of a table. Where the line is not wide, it holds the last word that gives one
    value (bits 0 to 31), that value (32 to 39), and the value of the words above it (40 to 47). If
    it is, bits 0 to 31 say where its stretches begin in ``last`` and ``values``, and the bits above
    how many there are besides the first.

    Args:
        lines: uint32[W * parts * V * (4 + 2 P)].
        cells: uint64[cells].
        last: uint32[stretches].
        values: uint8[stretches].
        force: uint8[W * (A + 1) * V], codes, or FORCED; the last action is nature's.
        places: uint32[O], where the observed variables stand in an observation.
        maps: uint16[W * 3 * O], bytes of the state that the first, a running and the last
            observation show there.
        intends: uint8[W * V], whether the natural course of a step must be known.
        pays: uint32[W * G * (2 + 2 Q)]: where a table begins in ``pay``, its stride of the action,
            strides and bytes; group 0 is the event that ends an episode.
        pay: float64[cells of all tables].
        offset: float64[W], what the first step pays besides.
        shape: uint64[W, 4]: how many variables are early, how many 64-bit words they take, how many
            a step takes, 0.
        sizes: uint64[9]: W, V, P, D, A, G, Q, parts, whether an episode can end early.
    """

    lines: NDArray[np.uint32]
    cells: NDArray[np.uint64]
    last: NDArray[np.uint32]
    values: NDArray[np.uint8]
    force: NDArray[np.uint8]
    places: NDArray[np.uint32]
    maps: NDArray[np.uint16]
    intends: NDArray[np.uint8]
    pays: NDArray[np.uint32]
    pay: NDArray[np.float64]
    offset: NDArray[np.float64]
    shape: NDArray[np.uint64]
    sizes: NDArray[np.uint64]


def check_alike(programs: Sequence[Program]) -> None:
    """Refuse programs that one environment cannot hold: they may differ in their laws alone.

    Raises:
        WorldError: no programs; or other variables, values, actions, observed variables, mode or
            horizon.
    """
    if not programs:
        raise WorldError("no programs are given; give one or more")

    def face(program: Program) -> tuple[object, ...]:
        process, play = program.process, program.play
        variables = [process.variable(name) for name in process.names]
        return (
            [(v.name, v.labels, v.hidden) for v in variables],
            (play.actions, play.mode, set(play.observes)),
            program.horizon,
        )

    wanted = face(programs[0])
    for number, program in enumerate(programs):
        if program is not programs[0] and face(program) != wanted:
            raise WorldError(
                f"program {number} differs from the first in variables, values, actions, what is"
                " seen or horizon; worlds of one environment may differ in their laws alone"
            )


def stack(plans: Sequence[Plan]) -> Stack:
    """Stack plans whose programs `check_alike` accepts."""
    size, dims = len(plans[0].order), len(plans[0].nvec)
    slices = 1 if plans[0].program.horizon == 1 else 2
    natural = any(plan.intends.any() for plan in plans)
    most = max(len(piece.parents) for plan in plans for line in plan.lines for piece in line)
    parts = slices * (1 + natural)
    lines = np.zeros((len(plans), parts, size, HEAD + 2 * most), dtype=np.uint32)
    cells: list[NDArray[np.uint64]] = []
    last: list[NDArray[np.uint32]] = []
    values: list[NDArray[np.uint8]] = []
    used = [0, 0]
    for world, plan in enumerate(plans):
        for part in range(slices):
            for position, piece in enumerate(plan.lines[part]):
                line = lines[world, part, position]
                count = len(piece.parents)
                wide = piece.last.shape[1] > 1
                told = count if len(plans) == 1 else most
                line[:HEAD] = max(int(plan.words[position]), 0), used[0], wide, told
                line[HEAD : HEAD + 2 * count : 2] = piece.strides
                line[HEAD + 1 : HEAD + 1 + 2 * count : 2] = piece.parents
                if wide:
                    made, ends, stretches = _wide(piece, used[1])
                    last.append(ends)
                    values.append(stretches)
                    used[1] += len(ends)
                else:
                    made = _narrow(piece)
                cells.append(made)
                used[0] += len(made)
                if natural:
                    twin = lines[world, part + slices, position]
                    twin[:] = line
                    inside = (piece.parents >= plan.early) & (piece.parents < size)
                    twin[HEAD + 1 : HEAD + 1 + 2 * count : 2] = piece.parents + 2 * size * inside
    nature = np.full((len(plans), 1, size), -1, dtype=np.int16)
    force = np.concatenate([np.stack([plan.force for plan in plans]), nature], axis=1)
    pays, pay, groups, reads = _stacked_pay(plans)
    shape = np.zeros((len(plans), 4), dtype=np.uint64)
    for world, plan in enumerate(plans):
        taken = plan.words[: plan.early]
        shape[world, :3] = plan.early, (int(taken.max(initial=-1)) + 2) // 2, plan.width
    sizes: list[int] = [len(plans), size, most, dims, force.shape[1] - 1, groups, reads, parts]
    sizes.append(any(plan.ends is not None for plan in plans))
    return Stack(
        lines.ravel(),
        np.concatenate(cells),
        np.concatenate([*last, np.zeros(1, dtype=np.uint32)]),
        np.concatenate([*values, np.zeros(1, dtype=np.uint8)]),
        np.where(force < 0, FORCED, force).astype(np.uint8).ravel(),
        plans[0].program.places.astype(np.uint32),
        np.stack([plan.maps[:, plan.program.places] for plan in plans]).astype(np.uint16).ravel(),
        np.stack([plan.intends for plan in plans]).astype(np.uint8).ravel(),
        pays,
        pay,
        np.array([plan.offset for plan in plans]),
        shape,
        np.array(sizes, dtype=np.uint64),
    )


def _narrow(piece: Piece) -> NDArray[np.uint64]:
    """Return the cells of a table whose rows have at most two stretches."""
    last, values = piece.last, piece.values.astype(np.uint64)
    low = last[:, 0].astype(np.uint64) if last.shape[1] else np.uint64(2**32 - 1)
    cells: NDArray[np.uint64] = low | values[:, 0] << np.uint64(32) | values[:, -1] << np.uint64(40)
    return cells


def _wide(
    piece: Piece, begin: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint8]]:
    """Return the cells of a table, and the stretches that they point to."""
    counts = (piece.last < np.uint32(2**32 - 1)).sum(axis=1)
    kept = np.arange(piece.values.shape[1]) <= counts[:, None]
    starts = begin + np.concatenate([[0], np.cumsum(counts + 1)[:-1]])
    cells = starts.astype(np.uint64) | counts.astype(np.uint64) << np.uint64(32)
    last = np.pad(piece.last, ((0, 0), (0, 1)), constant_values=2**32 - 1)
    return cells, last[kept], piece.values[kept]


def _stacked_pay(
    plans: Sequence[Plan],
) -> tuple[NDArray[np.uint32], NDArray[np.float64], int, int]:
    rows: list[list[Pay | None]] = [[plan.ends, *plan.pay] for plan in plans]
    groups = max(len(row) for row in rows)
    reads = max(1, *(len(pay.positions) for row in rows for pay in row if pay is not None))
    pays = np.zeros((len(plans), groups, 2 + 2 * reads), dtype=np.uint32)
    tables: list[NDArray[np.float64]] = [np.zeros(1)]  # cell 0: what is not there pays nothing
    used = 1
    for world, row in enumerate(rows):
        for group, pay in enumerate(row):
            if pay is None:
                continue
            count = len(pay.positions)
            pays[world, group, :2] = used, pay.action
            pays[world, group, 2 : 2 + count] = pay.strides
            pays[world, group, 2 + reads : 2 + reads + count] = pay.positions
            tables.append(pay.table)
            used += len(pay.table)
    return pays.ravel(), np.concatenate(tables), groups, reads
