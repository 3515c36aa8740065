"""Draw random worlds of one step by the thousand, compiled by numba.

A world is a function of its key alone: it is drawn from words 2**63 on of the key's stream
(`causalbench.env.stream`), and what happens in it from words 0 on, so no word serves twice. This
module imports numba when it is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from causalbench.env.stack import FORCED, HEAD
from causalbench.env.stream import FIRST, GAMMA, SECOND
from causalbench.jit import entry, once
from causalbench.rng import GRID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.env.stack import Stack

__all__ = ["HIDDEN", "MOST_PARENTS", "Laws", "draw_laws", "no_laws", "put_laws"]

HIDDEN, MOST_PARENTS = 2, 3
ROWS = 1 << MOST_PARENTS
_LEAST = GRID // 64  # the least probability of a value, in units of 1/1024
_SHIFT = 22  # of a multiple of 1/1024, to one of 2**-32
_LEAST_WEIGHT = GRID // 4
_U = np.uint64
_G, _A, _B = np.uint64(GAMMA), np.uint64(FIRST), np.uint64(SECOND)
_FAR = np.uint64(2**63)
_NATURE = np.uint8(FORCED)


class Laws(NamedTuple):
    """W worlds of V binary variables, the last `HIDDEN` of them hidden, by position.

    A position is a place in causal order: first come the variables that no action can change.

    Args:
        variable: uint8[W, V], which variable stands there.
        position: uint8[W, V], the inverse.
        early: uint8[W], how many no action can change.
        parents: uint8[W, V, 3], positions; V where there is none.
        cuts: uint16[W, V, 8], the probability of value 0 in units of 1/1024; bit j of the row is
            the value of parent j.
        paid: uint8[W, 2], positions of what is paid; V where there is no second one.
        good: uint8[W, 2], the values that are paid.
        weights: uint16[W], the second one's weight in units of 1/1024; the first one's is 1.
    """

    variable: NDArray[np.uint8]
    position: NDArray[np.uint8]
    early: NDArray[np.uint8]
    parents: NDArray[np.uint8]
    cuts: NDArray[np.uint16]
    paid: NDArray[np.uint8]
    good: NDArray[np.uint8]
    weights: NDArray[np.uint16]


def no_laws(worlds: int, size: int) -> Laws:
    """Return room for so many worlds."""
    return Laws(
        np.zeros((worlds, size), dtype=np.uint8),
        np.zeros((worlds, size), dtype=np.uint8),
        np.zeros(worlds, dtype=np.uint8),
        np.zeros((worlds, size, MOST_PARENTS), dtype=np.uint8),
        np.zeros((worlds, size, ROWS), dtype=np.uint16),
        np.zeros((worlds, 2), dtype=np.uint8),
        np.zeros((worlds, 2), dtype=np.uint8),
        np.zeros(worlds, dtype=np.uint16),
    )


@once
def _fill(words: Any, count: Any, begin: Any, key: Any) -> None:
    for k in range(count):
        state = (_FAR + begin + _U(k)) * _G ^ key
        state = (state ^ (state >> _U(30))) * _A
        state = (state ^ (state >> _U(27))) * _B
        words[k] = state ^ (state >> _U(31))


@once
def _below(half: Any, count: Any) -> Any:
    """Return a number from 0 to count - 1."""
    return np.int64((_U(half) * _U(count)) >> _U(32))


@entry()
def draw_laws(  # noqa: C901, PLR0912, PLR0915  (one pass; loops take arrays one by one)
    keys: NDArray[np.uint64],
    which: NDArray[np.bool_],
    sorted_: NDArray[np.int64],
    laws: Laws,
) -> None:
    """Draw the worlds of some keys.

    The visible variables' causal order is uniform, except that variable 0, which is set, is never
    the last; one later variable, drawn, has it as a cause. Two hidden variables have two or three
    effects each. Of the earlier visible ones each is a cause with a chance of 1/2, while there is
    room for three. Probabilities are uniform on the multiples of 1/1024 from 1/64 to 63/64. One or
    two of the visible effects of variable 0 are paid, each for a value that is drawn.

    Args:
        keys: uint64[W].
        which: bool[W], the worlds to draw; the others are left alone.
        sorted_: int64[V], the variables in the order of their names as texts.
        laws: where they go.
    """
    size = len(sorted_)
    seen = size - HIDDEN
    # Words for the structure: an order, confounders, an heir, causes, what is paid.
    halves_needed = seen + 4 * HIDDEN + 1 + 4 * seen + 6
    first = (halves_needed + 1) // 2
    words = np.empty(max(first, size * ROWS // 2), dtype=np.uint64)
    halves = words.view(np.uint32)
    order = np.empty(seen, dtype=np.int64)
    rest = np.empty(size, dtype=np.int64)
    parents = np.empty((size, MOST_PARENTS), dtype=np.int64)
    count = np.empty(size, dtype=np.int64)
    waiting = np.empty(size, dtype=np.int64)
    ready = np.empty(size, dtype=np.int64)
    late = np.empty(size, dtype=np.bool_)
    place = np.empty(size, dtype=np.int64)
    for w in range(len(keys)):
        if not which[w]:
            continue
        key = keys[w]
        _fill(words, first, _U(0), key)
        h = 0
        # The order of the visible variables.
        for v in range(seen - 1):
            rest[v] = v + 1
        for v in range(seen - 2):
            other = v + _below(halves[h], seen - 1 - v)
            h += 1
            rest[v], rest[other] = rest[other], rest[v]
        acts = _below(halves[h], seen - 1)
        heir = acts + 1 + _below(halves[h + 1], seen - 1 - acts)
        h += 2
        for v in range(acts):
            order[v] = rest[v]
        order[acts] = 0
        for v in range(acts + 1, seen):
            order[v] = rest[v - 1]
        # What the hidden variables confound.
        for v in range(size):
            count[v] = 0
        for hidden in range(seen, size):
            effects = 2 + _below(halves[h], min(2, seen - 1))
            h += 1
            for v in range(seen):
                rest[v] = v
            for v in range(effects):
                other = v + _below(halves[h + v], seen - v)
                rest[v], rest[other] = rest[other], rest[v]
                parents[rest[v], count[rest[v]]] = hidden
                count[rest[v]] += 1
            h += 3
        # Causes among the visible ones.
        for j in range(seen):
            v = order[j]
            known = 0
            for k in range(j):
                if j != heir or k != acts:
                    rest[known] = order[k]
                    known += 1
            k = count[v]
            if j == heir:
                parents[v, k] = 0
                k += 1
            bits = halves[h] & ((_U(1) << _U(known)) - _U(1))
            wanted = 0
            while bits:
                bits &= bits - _U(1)
                wanted += 1
            wanted = min(wanted, MOST_PARENTS - k)
            for q in range(wanted):
                other = q + _below(halves[h + 1 + q], known - q)
                rest[q], rest[other] = rest[other], rest[q]
                parents[v, k + q] = rest[q]
            h += 4
            count[v] = k + wanted
        # The order in which a diagram gives its variables: the first come first (Kahn).
        end = 0
        for v in range(size):
            waiting[v] = count[v]
            if count[v] == 0:
                ready[end] = v
                end += 1
        for slot in range(size):
            cause = ready[slot]
            for r in range(size):
                v = sorted_[r]
                for q in range(count[v]):
                    if parents[v, q] == cause:
                        waiting[v] -= 1
                        if waiting[v] == 0:
                            ready[end] = v
                            end += 1
        early = 0
        for slot in range(size):
            v = ready[slot]
            late[v] = v == 0
            for q in range(count[v]):
                late[v] |= late[parents[v, q]]
            early += not late[v]
        before, after = 0, early
        for slot in range(size):
            v = ready[slot]
            if late[v]:
                at: Any = after
                after += 1
            else:
                at = before
                before += 1
            laws.variable[w, at] = v
            laws.position[w, v] = at
            place[v] = at
        laws.early[w] = early
        # What is paid: visible effects of what is set.
        effects = 0
        for v in range(1, seen):
            if late[v]:
                rest[effects] = v
                effects += 1
        one = _below(halves[h], effects)
        laws.paid[w, 0] = place[rest[one]]
        rest[one] = rest[effects - 1]
        laws.paid[w, 1], laws.weights[w] = size, 0
        if effects > 1:
            laws.paid[w, 1] = place[rest[_below(halves[h + 1], effects - 1)]]
            laws.weights[w] = _LEAST_WEIGHT + _below(halves[h + 2], GRID + 1 - _LEAST_WEIGHT)
        laws.good[w, 0], laws.good[w, 1] = halves[h + 3] & 1, halves[h + 4] & 1
        # The tables, as many rows as there are.
        rows = 0
        for v in range(size):
            rows += 1 << count[v]
        _fill(words, (rows + 1) // 2, _U(first), key)
        h = 0
        for v in range(size):
            at = place[v]
            for q in range(MOST_PARENTS):
                laws.parents[w, at, q] = place[parents[v, q]] if q < count[v] else size
            for row in range(1 << count[v]):
                laws.cuts[w, at, row] = _LEAST + _below(halves[h], GRID + 1 - 2 * _LEAST)
                h += 1


@entry()
def put_laws(  # noqa: C901, PLR0912
    which: NDArray[np.bool_],
    laws: Laws,
    natural: bool,  # noqa: FBT001
    s: Stack,
) -> None:
    """Put some worlds where the loops of `causalbench.env.kernel` read them.

    Args:
        which: bool[W], which.
        laws: the worlds.
        natural: whether the natural choice of what is set is shown before the action.
        s: room for them, as `causalbench.env.fresh` makes it.
    """
    size, actions, parts = np.int64(s.sizes[1]), np.int64(s.sizes[4]), np.int64(s.sizes[7])
    observed = len(s.places)
    wide = HEAD + 2 * MOST_PARENTS
    for w in range(len(which)):
        if not which[w]:
            continue
        early, acts = np.int64(laws.early[w]), np.int64(laws.position[w, 0])
        for part in range(parts):
            for at in range(size):
                line = ((w * parts + part) * size + at) * wide
                s.lines[line] = at if at < early else at + early % 2
                s.lines[line + 1] = (w * size + at) * ROWS
                s.lines[line + 2], s.lines[line + 3] = 0, MOST_PARENTS
                for q in range(MOST_PARENTS):
                    parent = laws.parents[w, at, q]
                    there = parent < size
                    s.lines[line + HEAD + 2 * q] = 1 << q if there else 0
                    s.lines[line + HEAD + 1 + 2 * q] = parent if there else 0
        for at in range(size):
            for row in range(ROWS):
                cut = _U(laws.cuts[w, at, row]) << _U(_SHIFT)
                cell = (cut - _U(1)) | _U(1) << _U(40)
                s.cells[(w * size + at) * ROWS + row] = cell
            s.intends[w * size + at] = natural and at == acts
            for action in range(actions + 1):
                s.force[(w * (actions + 1) + action) * size + at] = _NATURE
        for action in range(1, actions):
            s.force[(w * (actions + 1) + action) * size + acts] = action - 1
        for v in range(observed):
            at, blank = np.int64(laws.position[w, v]), 3 * size + np.int64(s.places[v])
            shown = at + 2 * size if natural and at == acts else at
            opens = at < early or shown != at
            s.maps[3 * w * observed + v] = shown if opens else blank
            s.maps[(3 * w + 1) * observed + v] = shown
            s.maps[(3 * w + 2) * observed + v] = at
        # Group 0 says when an episode ends early: never.
        pay = (2 * w + 1) * 6
        s.pays[pay], s.pays[pay + 1] = 1 + 4 * w, 0
        second = laws.paid[w, 1] < size
        s.pays[pay + 2], s.pays[pay + 3] = 2, 1 if second else 0
        s.pays[pay + 4] = laws.paid[w, 0]
        s.pays[pay + 5] = laws.paid[w, 1] if second else 0
        weight = laws.weights[w] / GRID
        for one in range(2):
            for two in range(2):
                total = 1.0 * (one == laws.good[w, 0])
                if second:
                    total += weight * (two == laws.good[w, 1])
                s.pay[1 + 4 * w + 2 * one + two] = total / (1.0 + weight)
        s.offset[w] = 0.0
        s.shape[w, 0], s.shape[w, 1] = early, (early + 1) // 2
        s.shape[w, 2] = (early + 1) // 2 + (size - early + 1) // 2
