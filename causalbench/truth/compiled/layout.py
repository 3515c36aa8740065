"""Name the places in the flat arrays that compiled code reads: worlds, and what is asked.

A world is three arrays: whole numbers (a head, then one column per property, variables in
topological order), floats (noise probabilities and CPTs) and codes (response tables, transposed
so that the noise runs fastest). What is asked knows a world's declared names alone, never its
graph, so that one packed query serves every world with these names.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = [
    "COLUMN",
    "CPT_ONLY",
    "EVENT",
    "HEAD",
    "IMPOSSIBLE",
    "MORE_FLOATS",
    "MORE_INTS",
    "OK",
    "POSITIVE",
    "POSSIBLE",
    "Q_ATOMS",
    "Q_CARD",
    "Q_CLAMP",
    "Q_EVENT",
    "Q_GIVEN",
    "Q_GIVENS",
    "Q_KIND",
    "Q_NUMBERS",
    "Q_TARGET",
    "Q_TERMS",
    "Q_WORLDS",
    "Q_WORLD_LIST",
    "RATIO",
    "TOO_WIDE",
    "UNCOUPLED",
    "WORK",
    "World",
]

# The state of an answer.
OK = 0
IMPOSSIBLE = 1  # a condition of probability zero; the detail is the quantity's number
TOO_WIDE = 2  # the detail is the cells that are needed
UNCOUPLED = 3  # the detail is the variable, whose coupling is not known
MORE_INTS, MORE_FLOATS = 4, 5  # the workspace is too small; the detail is the size that is needed

WORK = 2**31
"""The most cells that conditioning may look at for one answer (some ten seconds)."""

HEAD = 8  # n, floats' address and length, codes' address and length, edges, two spare
POSITIVE, CPT_ONLY = 1, 2  # flags: no CPT entry is zero; no noise, so single copies alone

# What a quantity asks for.
COLUMN = 0  # the mean of some numbers under P(term | given)
EVENT = 1  # P(event)
RATIO = 2  # P(event, given) / P(given)
POSSIBLE = 3  # whether P(given) > 0

# A quantity's head, from its offset on.
Q_KIND = 0
Q_WORLDS = 1  # how many worlds (different subscripts)
Q_TERMS = 2  # how many terms
Q_TARGET = 3  # the term of a COLUMN
Q_NUMBERS = 4  # where its numbers start, among the floats
Q_CLAMP = 5  # whether it is a probability, which round-off must not carry above 1
Q_WORLD_LIST = 6  # where its worlds start
Q_EVENT = 7  # how many atoms of the event
Q_ATOMS = 8  # where they start
Q_GIVEN = 9  # how many atoms of the condition
Q_GIVENS = 10  # where they start
Q_CARD = 11  # how many numbers a COLUMN has


class World(NamedTuple):
    """A packed world, as views; one entry per variable in topological order, else as said.

    Attributes:
        n: how many variables.
        edges: how many parents in all.
        card: how many values.
        size: how many noise values.
        noise: where its noise starts in `floats`.
        table: where its responses start in `codes`; [row of parents, noise].
        cpt: where its CPT starts in `floats`; [row of parents, value].
        flags: of `POSITIVE` and `CPT_ONLY`.
        place: per declared variable, its topological place.
        start: n + 1 entries, where its parents start in `parent` and `stride`.
        parent: topological places, in the mechanism's order.
        stride: how many rows a step of that parent's code is.
        floats: float64.
        codes: int32.
    """

    n: int
    edges: int
    card: Any
    size: Any
    noise: Any
    table: Any
    cpt: Any
    flags: Any
    place: Any
    start: Any
    parent: Any
    stride: Any
    floats: Any
    codes: Any
