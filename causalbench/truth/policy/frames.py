"""Spread weighted rows over the values of mechanisms, and merge rows that have become equal.

A frame is a law written sparsely: columns of codes, and a weight for each row. Expanding the
variables in causal order and dropping what nothing reads any more keeps it as small as the law
over what still matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.scm.program import Line, Term

__all__ = [
    "Floats",
    "Frame",
    "Ints",
    "conditional",
    "gather",
    "holds",
    "join",
    "outcomes",
    "pack",
    "row_of",
    "take",
]

_WIDE = 2**62  # packed codes stay below this, inside int64

Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Frame:
    """A law over columns of codes.

    Args:
        weight: float64[n], positive.
        columns: key -> int64[n].
        cards: key -> the number of codes in that column; may hold keys that are no column.
    """

    weight: Floats
    columns: Mapping[int, Ints]
    cards: Mapping[int, int]

    def with_column(self, key: int, column: Ints, card: int) -> Frame:
        """Return the frame with one column more."""
        return Frame(self.weight, {**self.columns, key: column}, {**self.cards, key: card})

    def spread(self, key: int, chances: Floats) -> Frame:
        """Split each row over the values of a new column.

        Args:
            key: of the new column.
            chances: float64[n, card], the probability of each value in each row.
        """
        rows, values = np.nonzero(chances > 0)
        weight = self.weight[rows] * chances[rows, values]
        columns = {name: column[rows] for name, column in self.columns.items()}
        columns[key] = values.astype(np.int64)
        return Frame(weight, columns, {**self.cards, key: chances.shape[1]})

    def keep(self, keys: Iterable[int]) -> Frame:
        """Drop all other columns, and merge the rows that are equal then, in order of their codes.

        Rows are left as they are where nothing is dropped.
        """
        kept = [key for key in sorted(self.columns) if key in set(keys)]
        if len(kept) == len(self.columns):
            return self
        codes = pack([(self.columns[key], self.cards[key]) for key in kept], len(self.weight))
        _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        weight = gather(inverse, self.weight, len(first))
        return Frame(weight, {key: self.columns[key][first] for key in kept}, self.cards)

    def where(self, rows: NDArray[np.bool_]) -> Frame:
        """Keep some rows."""
        columns = {key: column[rows] for key, column in self.columns.items()}
        return Frame(self.weight[rows], columns, self.cards)


def pack(columns: Sequence[tuple[Ints, int]], rows: int) -> Ints:
    """Return one code a row, equal where all columns are; ordered like the columns in turn.

    Args:
        columns: (int64[n], the number of its codes).
        rows: n.
    """
    codes, size = np.zeros(rows, dtype=np.int64), 1
    for column, card in columns:
        if size * card >= _WIDE:
            known, codes = np.unique(codes, return_inverse=True)
            size = len(known)
        codes = codes * card + column
        size *= card
    return codes


def row_of(line: Line, columns: Sequence[Ints], rows: int) -> Ints:
    """Return the row of a mechanism's table that the parents' values point to."""
    found = np.zeros(rows, dtype=np.int64)
    for stride, column in zip(line.strides, columns, strict=True):
        found += int(stride) * column
    return found


def outcomes(line: Line, card: int) -> Floats:
    """Return P(value | row) of a mechanism, float64[rows, card]."""
    width = line.table.shape[1]
    found = np.zeros((width, card))
    at = np.arange(width)
    for chance, values in zip(line.noise, line.table, strict=True):
        found[at, values] += chance
    return found


def conditional(line: Line, card: int, told: Ints, value: Ints, asked: Ints) -> Floats:
    """Return P(value at one row | value at another row) of a mechanism in one unit.

    The noise is what both have in common (Balke and Pearl, "Probabilistic evaluation of
    counterfactual queries", 1994).

    Args:
        line: the mechanism.
        card: the number of its values.
        told: int64[n], the row whose value is known.
        value: int64[n], that value.
        asked: int64[n], the row whose value is asked for.

    Returns:
        float64[n, card].
    """
    width = line.table.shape[1]
    codes = pack([(told, width), (value, card), (asked, width)], len(told))
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    noise = line.noise[:, None] * (line.table[:, told[first]] == value[first])
    there = line.table[:, asked[first]]
    found = np.stack([(noise * (there == code)).sum(axis=0) for code in range(card)], axis=1)
    return np.asarray((found / noise.sum(axis=0)[:, None])[inverse], dtype=np.float64)


def holds(term: Term, frame: Frame) -> NDArray[np.bool_]:
    """Return in which rows a term's event holds."""
    found = np.ones(len(frame.weight), dtype=np.bool_)
    for slot, fits in term.atoms:
        found &= fits[frame.columns[slot]]
    return found


def gather(index: Ints, weight: Floats, size: int) -> Floats:
    """Return the sums of weights by index, float64[size]."""
    sums = np.bincount(index, weight, minlength=size)
    return np.asarray(sums, dtype=np.float64)


def join(start: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Return (position in ``rows``, index of entry) for all entries of some rows of a sparse table.

    Args:
        start: int64[R + 1], where each row's entries begin.
        rows: int64[n], rows of the table.
    """
    counts = start[rows + 1] - start[rows]
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    who = np.repeat(np.arange(len(rows)), counts)
    return who, np.arange(total) + np.repeat(start[rows] - (ends - counts), counts)


def take(start: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Return (where each row begins, index of entry) of a sparse table of some rows of another."""
    counts = start[rows + 1] - start[rows]
    _, entry = join(start, rows)
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]), entry
