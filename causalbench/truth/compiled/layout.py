"""Name the places in the flat arrays that compiled code reads: worlds, and what is asked.

A world is one array in three parts: whole numbers (a head, then one column per property, variables
in topological order), floats (noise probabilities and CPTs) and codes (response tables, transposed
so that the noise runs fastest). What is asked knows a world's declared names alone, never its
graph, so that one packed query serves every world with these names.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = [
    "COLUMN",
    "CPT_ONLY",
    "EVENT",
    "FIRST",
    "HEAD",
    "IMPOSSIBLE",
    "MORE_FLOATS",
    "MORE_INTS",
    "OK",
    "POINT",
    "POSITIVE",
    "POSSIBLE",
    "Q_CARD",
    "Q_CLAMP",
    "Q_FORCED",
    "Q_HEAD",
    "Q_KIND",
    "Q_MASKS",
    "Q_NUMBERS",
    "Q_SPLIT",
    "Q_TARGET",
    "Q_TERMS",
    "Q_WORLDS",
    "RATIO",
    "SAYS_NOTHING",
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

HEAD = 4  # n, edges, the addresses of floats and codes
POSITIVE, CPT_ONLY = 1, 2  # flags: no CPT entry is zero; no noise, so single copies alone

# What a quantity asks for.
COLUMN = 0  # the mean of some numbers under P(term | given)
EVENT = 1  # P(event)
RATIO = 2  # P(event, given) / P(given)
POSSIBLE = 3  # whether P(given) > 0
POINT = 4  # P(its first term = what that one says | given)

# A query: where its numbers start, its length, how many quantities, where each starts; the
# quantities; the numbers (float64: its constant, its weights, then those of columns).
FIRST = 3  # where the quantities' places stand

# A quantity's head, from its offset on; places in it count from there.
Q_KIND = 0
Q_WORLDS = 1  # how many worlds (different subscripts)
Q_TERMS = 2  # how many terms
Q_SPLIT = 3  # how many of them are the event's; the others are the condition's
Q_TARGET = 4  # the term of a COLUMN or POINT
Q_NUMBERS = 5  # where a COLUMN's numbers start, among the query's numbers
Q_CARD = 6  # how many those are
Q_CLAMP = 7  # whether it is a probability, which round-off must not carry above 1
Q_FORCED = 8  # where its worlds start: how many variables are forced, then each with its setting
Q_MASKS = 9  # where its masks start
Q_HEAD = 10  # where its terms start: world, variable, and the code that it has

SAYS_NOTHING = -1  # in place of a term's code; below it, from -2 downwards, is a mask's place


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
