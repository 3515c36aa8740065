"""Run a program over many parameter sets at once, compiled by numba.

Sets come in blocks of `WIDTH`, the last axis of every array: the innermost loops run over
neighbouring numbers, their length is known to the compiler, and a block's rows stay in a near
cache. This module imports numba when it is loaded; `family_run` loads it when it has work.
"""

# ruff: noqa: PLR2004  (one, two and three factors have loops of their own)
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from causalbench.jit import entry, once, source_digest
from causalbench.truth import family, family_program
from causalbench.truth.family import WIDTH
from causalbench.truth.family_program import (
    ADD,
    MAXIMUM,
    MINIMUM,
    MULTIPLY,
    PRODUCTS,
    ROUGH,
    SELECT,
)

__all__ = ["run"]


@once
def _one_term(rows: Any, out: int, ids: Any, at: int, factors: int) -> None:
    """Set row ``out`` to the first product."""
    if factors == 1:
        o, p = out, ids[at]
        for i in range(WIDTH):
            rows[o, i] = rows[p, i]
    elif factors == 2:
        o, p, q = out, ids[at], ids[at + 1]
        for i in range(WIDTH):
            rows[o, i] = rows[p, i] * rows[q, i]
    else:
        o, p, q, r = out, ids[at], ids[at + 1], ids[at + 2]
        for i in range(WIDTH):
            rows[o, i] = rows[p, i] * rows[q, i] * rows[r, i]


@once
def _two_terms(rows: Any, out: int, ids: Any, at: int, factors: int) -> None:
    """Set row ``out`` to the sum of the first two products."""
    if factors == 1:
        o, p, q = out, ids[at], ids[at + 1]
        for i in range(WIDTH):
            rows[o, i] = rows[p, i] + rows[q, i]
    elif factors == 2:
        o, p, q = out, ids[at], ids[at + 1]
        r, s = ids[at + 2], ids[at + 3]
        for i in range(WIDTH):
            rows[o, i] = rows[p, i] * rows[q, i] + rows[r, i] * rows[s, i]
    else:
        o, p, q, r = out, ids[at], ids[at + 1], ids[at + 2]
        s, t, u = ids[at + 3], ids[at + 4], ids[at + 5]
        for i in range(WIDTH):
            rows[o, i] = rows[p, i] * rows[q, i] * rows[r, i] + rows[s, i] * rows[t, i] * rows[u, i]


@once
def _next_term(rows: Any, out: int, ids: Any, at: int, factors: int) -> None:
    """Add one product to row ``out``."""
    if factors == 1:
        o, p = out, ids[at]
        for i in range(WIDTH):
            rows[o, i] += rows[p, i]
    elif factors == 2:
        o, p, q = out, ids[at], ids[at + 1]
        for i in range(WIDTH):
            rows[o, i] += rows[p, i] * rows[q, i]
    else:
        o, p, q, r = out, ids[at], ids[at + 1], ids[at + 2]
        for i in range(WIDTH):
            rows[o, i] += rows[p, i] * rows[q, i] * rows[r, i]


@once
def _simple(rows: Any, kind: int, out: int, first: int, second: int) -> None:
    """Work out one row from two others."""
    o, p, q = out, first, second
    if kind == ADD:
        for i in range(WIDTH):
            rows[o, i] = rows[p, i] + rows[q, i]
    elif kind == MULTIPLY:
        for i in range(WIDTH):
            rows[o, i] = rows[p, i] * rows[q, i]
    elif kind == MINIMUM:
        for i in range(WIDTH):
            rows[o, i] = min(rows[p, i], rows[q, i])
    elif kind == MAXIMUM:
        for i in range(WIDTH):
            rows[o, i] = max(rows[p, i], rows[q, i])
    else:
        for i in range(WIDTH):
            rows[o, i] = rows[p, i] - rows[q, i] if rows[p, i] - rows[q, i] > ROUGH else 0.0


@once
def _products(rows: Any, line: Any, ids: Any) -> None:
    """Work out the cells of one elimination step, each a sum of products."""
    first, cells, terms, factors, at = line[1], line[2], line[3], line[4], line[5]
    for cell in range(first, first + cells):
        if terms == 1:
            _one_term(rows, cell, ids, at, factors)
        else:
            _two_terms(rows, cell, ids, at, factors)
            for term in range(2, terms):
                _next_term(rows, cell, ids, at + term * factors, factors)
        at += terms * factors


@once
def _work_out(rows: Any, line: Any, ids: Any, tables: Any, block: int) -> None:
    """Work out one line of the program."""
    kind, o, p = line[0], line[1], line[2]
    if kind == SELECT:
        table, wanted = line[3], line[4]
        for i in range(WIDTH):
            rows[o, i] = rows[p, i] if tables[block, table, i] == wanted else 0.0
    elif kind == PRODUCTS:
        _products(rows, line, ids)
    else:
        _simple(rows, kind, o, p, line[3])


def _make(digest: str) -> Any:
    """Return `run`, compiled when it is first called and kept on disk where that can be written.

    numba asks this file alone whether kept machine code is still right; closing over a digest of
    all the files that `run` takes constants from makes it look at them too.
    """

    @entry()
    def run(  # noqa: PLR0913, PLR0917  (compiled: plain arrays alone)
        loads: Any,
        code: Any,
        operands: Any,
        constants: Any,
        outputs: Any,
        height: int,
        numbers: Any,
        tables: Any,
        answers: Any,
        start: int,
        stop: int,
    ) -> None:
        """Fill ``answers[start:stop]``.

        Args:
            loads: int64[k, 2], see `family_program`.
            code: int64[lines, 6].
            operands: int64, the rows that sums of products take.
            constants: float64, the numbers of the first rows.
            outputs: int64, the rows to hand out.
            height: how many rows there are.
            numbers: float64[blocks, rows, WIDTH], the family's numbers.
            tables: int16[blocks, rows, WIDTH], the codes of tables that differ between sets.
            answers: float64[blocks, outputs, WIDTH], written to.
            start: the first block.
            stop: one past the last block.
        """
        _ = digest
        rows = np.empty((height, WIDTH))
        for number in range(len(constants)):
            rows[number, :] = constants[number]
        for block in range(start, stop):
            for line in range(len(loads)):
                o, p = loads[line, 0], loads[line, 1]
                for i in range(WIDTH):
                    rows[o, i] = numbers[block, p, i]
            for line in code:
                _work_out(rows, line, operands, tables, block)
            for number in range(len(outputs)):
                p = outputs[number]
                for i in range(WIDTH):
                    answers[block, number, i] = rows[p, i]

    return run


run = _make(source_digest(*(Path(str(each.__file__)) for each in (family, family_program))))
