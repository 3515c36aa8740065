"""Draw random worlds of one step by the thousand, compiled by numba.

A world is a function of its key alone: it is drawn from words 2**63 on of the key's stream
(`causalbench.env.stream`), and what happens in it from words 0 on, so no word serves twice. This
module imports numba when it is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from causalbench.env.binary import HALF, LANES, MOST_PARENTS, NOBODY, ROWS, Binary
from causalbench.env.stack import FORCED, HEAD
from causalbench.env.stream import FIRST, GAMMA, SECOND
from causalbench.jit import entry, once
from causalbench.rng import GRID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.env.stack import Stack

__all__ = ["HIDDEN", "SHIFT", "Laws", "draw_laws", "no_laws", "put_laws"]

HIDDEN = 2
SHIFT = 22  # from a word of 32 bits to one of 10, as probabilities are multiples of 1/1024
_LEAST = GRID // 64  # the least probability of a value, in units of 1/1024
_LEAST_WEIGHT = GRID // 4
_STEP = 4  # numbers that each variable's causes or effects are drawn from
_ROOM = np.uint64(8)  # for each variable's causes, wanted or not
_U = np.uint64
_G, _A, _B = np.uint64(GAMMA), np.uint64(FIRST), np.uint64(SECOND)
_FAR, _ONE = np.uint64(2**63), np.uint64(1)
_NATURE = np.uint8(FORCED)


class Laws(NamedTuple):
    """What `Binary` leaves out: the last two variables of each world are hidden.

    Args:
        good: uint8[W, 2], the values that are paid, of the variables in ``paid``.
        weights: uint16[W], the second one's weight in units of 1/1024, 0 if there is none; the
            first one's is 1.
    """

    good: NDArray[np.uint8]
    weights: NDArray[np.uint16]


def no_laws(worlds: int, size: int) -> tuple[Binary, Laws]:
    """Return room for so many worlds of so many variables."""
    blocks = -(-worlds // LANES)
    binary = Binary(
        late=np.zeros((blocks, LANES), dtype=np.uint8),
        bits=np.zeros((blocks, size, LANES), dtype=np.uint8),
        parents=np.zeros((blocks, size, MOST_PARENTS, LANES), dtype=np.uint8),
        last=np.zeros((blocks, size, ROWS, LANES), dtype=np.uint16),
        opened=np.zeros((blocks, LANES), dtype=np.uint64),
        paid=np.zeros((blocks, 2, LANES), dtype=np.uint8),
        pay=np.zeros((blocks, 4, LANES), dtype=np.float64),
    )
    return binary, Laws(np.zeros((worlds, 2), dtype=np.uint8), np.zeros(worlds, dtype=np.uint16))


@once
def _below(half: Any, count: Any) -> Any:
    """Return a number from 0 to count - 1."""
    return (_U(half) * _U(count)) >> _U(32)


@once
def _others(halves: Any, h: Any, count: Any) -> Any:
    """Return three different numbers from 0 to count - 1; if there are fewer, the first ones do."""
    one = _below(halves[h], count)
    two = _below(halves[h + _ONE], max(count, _U(2)) - _ONE)
    three = _below(halves[h + _U(2)], max(count, _U(3)) - _U(2))
    two += _U(two >= one)
    low, high = min(one, two), max(one, two)
    three += _U(three >= low)
    three += _U(three >= high)
    return one, two, three


@once
def _words(key: Any, words: Any) -> None:
    for k in range(_U(len(words))):
        state = (_FAR + k) * _G ^ key
        state = (state ^ (state >> _U(30))) * _A
        state = (state ^ (state >> _U(27))) * _B
        words[k] = state ^ (state >> _U(31))


@once
def _ordered(halves: Any, h: Any, seen: Any, rest: Any, order: Any) -> Any:
    """Draw the visible variables' order; return where variable 0 stands, and an effect of it."""
    for v in range(seen - _ONE):
        rest[v] = v + _ONE
    for v in range(seen - _U(2)):
        other = v + _below(halves[h + v], seen - _ONE - v)
        rest[v], rest[other] = rest[other], rest[v]
    h += seen - _U(2)
    acts = _below(halves[h], seen - _ONE)
    heir = acts + _ONE + _below(halves[h + _ONE], seen - _ONE - acts)
    for v in range(seen - _ONE):
        order[v + _U(v >= acts)] = rest[v]
    order[acts] = 0
    return acts, heir


@once
def _confounded(halves: Any, h: Any, seen: Any, parents: Any, counts: Any) -> None:
    """Draw the effects of the hidden variables."""
    for hidden in range(_U(HIDDEN)):
        third = _below(halves[h], _U(2))
        for effect, there in zip(_others(halves, h + _ONE, seen), (_ONE, _ONE, third)):  # noqa: B905
            parents[_ROOM * effect + counts[effect]] = seen + hidden
            counts[effect] += there
        h += _U(_STEP)


@once
def _caused(
    halves: Any, h: Any, seen: Any, acts: Any, heir: Any, order: Any, parents: Any, counts: Any
) -> None:  # fmt: skip
    """Draw causes among the visible variables.

    What is drawn and not wanted is written behind what counts, which costs less than a branch.
    """
    for j in range(seen):
        v, inherits = order[j], _U(j == heir)
        parents[_ROOM * v + counts[v]] = 0
        count = counts[v] + inherits
        known = j - inherits
        bits = _U(halves[h]) & ((_ONE << known) - _ONE)
        wanted = min(_ones(bits), _U(MOST_PARENTS) - count)
        at = _ROOM * v + count
        for cause in _others(halves, h + _ONE, known):
            parents[at] = order[cause + (inherits & _U(cause >= acts))]
            at += _ONE
        counts[v] = count + wanted
        h += _U(_STEP)


@once
def _ones(bits: Any) -> Any:
    """Return how many of 32 bits are set."""
    bits -= bits >> _ONE & _U(0x55555555)
    bits = (bits & _U(0x33333333)) + (bits >> _U(2) & _U(0x33333333))
    return (((bits + (bits >> _U(4))) & _U(0x0F0F0F0F)) * _U(0x01010101) & _U(2**32 - 1)) >> _U(24)


@once
def _sequence(size: Any, sorted_: Any, parents: Any, counts: Any, causes: Any, slots: Any) -> Any:
    """Put the variables in the order of a diagram, as Kahn's algorithm does, first come first.

    Returns:
        Those that variable 0 changes, and itself, as bits.
    """
    end, late = _U(0), _ONE
    for v in range(size):
        causes[v] = 0
        for q in range(_U(MOST_PARENTS)):
            causes[v] |= _U(q < counts[v]) << parents[_ROOM * v + q]
        slots[end] = v
        end += _U(counts[v] == _U(0))
    done = _U(0)
    for slot in range(size):
        cause = slots[slot]
        done |= _ONE << cause
        late |= _U(causes[cause] & late != _U(0)) << cause
        for r in range(size):
            v = sorted_[r]
            slots[end] = v
            end += _U(causes[v] & ~done == _U(0)) & causes[v] >> cause
    return late


@entry()
def draw_laws(  # noqa: C901, PLR0912, PLR0915  (one pass over the worlds)
    keys: NDArray[np.uint64],
    which: NDArray[np.bool_],
    sorted_: NDArray[np.uint64],
    b: Binary,
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
        sorted_: uint64[V], the variables in the order of their names as texts.
        b: where the worlds go.
        laws: where the rest of them goes.
    """
    # (Taken out of the tuples here, they cost no count of references at each access.)
    late_, bits_, parents_, last_, opened_ = b.late, b.bits, b.parents, b.last, b.opened
    paid_, pay_, good_, weights_ = b.paid, b.pay, laws.good, laws.weights
    size = _U(len(sorted_))
    seen = size - _U(HIDDEN)
    # Halves of words: tables, an order, confounders, causes, what is paid.
    ordered = size * _U(ROWS)
    confounded = ordered + seen
    caused = confounded + _U(_STEP * HIDDEN)
    prized = caused + _U(_STEP) * seen
    words = np.empty((prized + _U(6)) >> _ONE, dtype=np.uint64)
    halves = words.view(np.uint32)
    numbers = np.zeros((5, size + _ONE), dtype=np.uint64)
    rest, order, counts, causes, slots = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    parents = np.empty(size * _ROOM, dtype=np.uint64)
    for w in range(_U(len(keys))):
        if not which[w]:
            continue
        _words(keys[w], words)
        for v in range(size):
            counts[v] = 0
        for q in range(size * _ROOM):
            parents[q] = 0
        acts, heir = _ordered(halves, ordered, seen, rest, order)
        _confounded(halves, confounded, seen, parents, counts)
        _caused(halves, caused, seen, acts, heir, order, parents, counts)
        late = _sequence(size, sorted_, parents, counts, causes, slots)
        changed = _ones(late)
        # Variable 0 is the first of those that it changes, so they are the ones after it.
        one = _ONE + _below(halves[prized], changed - _ONE)
        two = _U(0)
        weight: Any = 0
        if changed > _U(2):
            two = _ONE + _below(halves[prized + _ONE], changed - _U(2))
            two += _U(two >= one)
            weight = _LEAST_WEIGHT + np.int64(
                _below(halves[prized + _U(2)], GRID + 1 - _LEAST_WEIGHT)
            )
        block, lane = w // _U(LANES), w % _U(LANES)
        late_[block, lane] = changed
        paid_[block, 1, lane] = NOBODY
        opened, first, second = _U(0), _U(0), changed
        for slot in range(size):
            v = slots[slot]
            early = late >> v & _ONE == 0
            k, up = second if early else first, _U(HALF) if early else _U(0)
            second += _U(early)
            first += _U(not early)
            if early and v < seen:
                opened |= _ONE << v
            bits_[block, k, lane] = v + up
            for q in range(_U(MOST_PARENTS)):
                parent = parents[_ROOM * v + q] + up
                parents_[block, k, q, lane] = parent if q < counts[v] else _U(NOBODY)
            if k == one:
                paid_[block, 0, lane] = v
            if two and k == two:
                paid_[block, 1, lane] = v
        opened_[block, lane] = opened
        for k in range(size):
            for row in range(_U(ROWS)):
                drawn = _below(halves[k * _U(ROWS) + row], GRID + 1 - 2 * _LEAST)
                last_[block, k, row, lane] = _U(_LEAST - 1) + drawn
        good = _U(halves[prized + _U(3)]) & _U(3)
        good_[w, 0], good_[w, 1] = good & _ONE, good >> _ONE
        weights_[w] = weight
        share = weight / GRID
        for cell in range(_U(4)):
            total = 1.0 * (cell >> _ONE == good & _ONE)
            if two:
                total += share * (cell & _ONE == good >> _ONE)
            pay_[block, cell, lane] = total / (1.0 + share)


@entry()
def put_laws(  # noqa: C901
    which: NDArray[np.bool_],
    b: Binary,
    natural: bool,  # noqa: FBT001
    s: Stack,
) -> None:
    """Put some worlds where the loops of `causalbench.env.kernel` read them.

    Args:
        which: bool[W], which.
        b: the worlds.
        natural: whether the natural choice of what is set is shown before the action.
        s: room for them, as `causalbench.env.fresh` makes it.
    """
    size, actions, parts = np.int64(s.sizes[1]), np.int64(s.sizes[4]), np.int64(s.sizes[7])
    observed = len(s.places)
    wide = HEAD + 2 * MOST_PARENTS
    position = np.zeros(HALF, dtype=np.int64)
    for w in range(len(which)):
        if not which[w]:
            continue
        block, lane = w // LANES, w % LANES
        late = np.int64(b.late[block, lane])
        early = size - late
        for k in range(size):
            position[b.bits[block, k, lane] % HALF] = k + early if k < late else k - late
        for k in range(size):
            at: Any = k + early if k < late else k - late
            for part in range(parts):
                line = ((w * parts + part) * size + at) * wide
                s.lines[line] = at if at < early else at + early % 2
                s.lines[line + 1] = (w * size + at) * ROWS
                s.lines[line + 2], s.lines[line + 3] = 0, MOST_PARENTS
                for q in range(MOST_PARENTS):
                    parent = b.parents[block, k, q, lane] % HALF
                    s.lines[line + HEAD + 2 * q] = 1 << q if parent != NOBODY else 0
                    s.lines[line + HEAD + 1 + 2 * q] = position[parent]
            for row in range(ROWS):
                cut = (_U(b.last[block, k, row, lane]) + _ONE) << _U(SHIFT)
                s.cells[(w * size + at) * ROWS + row] = (cut - _ONE) | _ONE << _U(40)
        acts = position[0]
        for at in range(size):
            s.intends[w * size + at] = natural and at == acts
            for action in range(actions + 1):
                s.force[(w * (actions + 1) + action) * size + at] = _NATURE
        for action in range(1, actions):
            s.force[(w * (actions + 1) + action) * size + acts] = action - 1
        for v in range(observed):
            at, blank = position[v], 3 * size + np.int64(s.places[v])
            shown = at + 2 * size if natural and at == acts else at
            s.maps[3 * w * observed + v] = shown if at < early or shown != at else blank
            s.maps[(3 * w + 1) * observed + v] = shown
            s.maps[(3 * w + 2) * observed + v] = at
        # Group 0 says when an episode ends early: never.
        pay = (2 * w + 1) * 6
        s.pays[pay], s.pays[pay + 1] = 1 + 4 * w, 0
        one, two = b.paid[block, 0, lane], b.paid[block, 1, lane]
        s.pays[pay + 2], s.pays[pay + 3] = 2, 1 if two != NOBODY else 0
        s.pays[pay + 4], s.pays[pay + 5] = position[one], position[two]
        for cell in range(4):
            s.pay[1 + 4 * w + cell] = b.pay[block, cell, lane]
        s.offset[w] = 0.0
        s.shape[w, 0], s.shape[w, 1] = early, (early + 1) // 2
        s.shape[w, 2] = (early + 1) // 2 + (late + 1) // 2
