"""Step many copies of binary worlds of one step, compiled by numba: what `kernel` does, faster.

The values of a copy's variables are the bits of one word, so reading causes is shifting. Copies go
through the worlds' lines side by side, in lanes, and nothing in the loop over lanes depends on a
branch or on an index that is read, so that compilers turn it into instructions on whole vectors. An
episode has one step, so a step here finishes an episode in every copy and opens the next one. The
words of noise that this takes stand in a row: those of the variables that an action can change,
then, of the next unit, those of the others. The lines of a world stand in this order too: the first
ones read and write the low half of a copy's word, the others the high half. This module imports
numba when it is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from causalbench.env.stream import FIRST, GAMMA, SECOND
from causalbench.jit import entry, once

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HALF", "LANES", "MOST_PARENTS", "NOBODY", "ROWS", "Binary", "step_binary"]

MOST_PARENTS = 3
ROWS = 1 << MOST_PARENTS
LANES = 32
HALF = 32
"""How many bits a state has; the next unit's are those above them."""
NOBODY = HALF - 1
"""Stands for a variable that is not there; this bit is always 0."""
_U = np.uint64
_G, _A, _B = np.uint64(GAMMA), np.uint64(FIRST), np.uint64(SECOND)
_ONES, _DIAGONAL = np.uint64(0x0101010101010101), np.uint64(0x8040201008040201)
_SEVENS, _BYTE, _ONE = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(255), np.uint64(1)


class Binary(NamedTuple):
    """Worlds of V binary variables, alike in face, in B blocks of `LANES`: the last axis.

    Variable v is bit v of a state. Its own mechanism is a line; a world has first the lines of the
    variables that an action can change, then the others, each after its causes of the same kind.

    Args:
        late: uint8[B, 32], how many variables an action can change.
        bits: uint8[B, V, 32], the variable that a line gives its value; plus `HALF` where no action
            can change it.
        parents: uint8[B, V, 3, 32], likewise the variables that it depends on, or `NOBODY`.
        last: uint16 or uint32[B, V, 8, 32], by row (bit j of it is the value of parent j) the last
            word of noise that gives the value 0, shifted to the right.
        opened: uint64[B, 32], the variables that are seen before the action.
        paid: uint8[B, Q, 32], the variables that are paid, or `NOBODY`.
        pay: float64[B, 2 ** Q, 32], what is paid; the first of ``paid`` is the highest bit.
    """

    late: NDArray[np.uint8]
    bits: NDArray[np.uint8]
    parents: NDArray[np.uint8]
    last: NDArray[np.uint16] | NDArray[np.uint32]
    opened: NDArray[np.uint64]
    paid: NDArray[np.uint8]
    pay: NDArray[np.float64]


@once
def _pick(zero: Any, one: Any, mask: Any) -> Any:
    """Return the one where the mask is all ones, and the other where it is 0, without a branch."""
    return zero ^ ((zero ^ one) & mask)


@once
def _draw(words: Any, first: Any, count: Any, bases: Any, k: Any, keys: Any, copy: Any) -> None:
    """Put word k of some copies in their lanes, the low half before the high one."""
    second = first + _U(LANES)
    for c in range(count):
        state = (bases[c] + k) * _G ^ keys[copy + c]
        state = (state ^ (state >> _U(30))) * _A
        state = (state ^ (state >> _U(27))) * _B
        state ^= state >> _U(31)
        words[first + c] = np.uint32(state)
        words[second + c] = np.uint32(state >> _U(32))


@once
def _line(  # noqa: PLR0913, PLR0917
    bits: Any, parents: Any, last: Any, line: Any, k: Any, by: Any, words: Any, padded: Any,
    kept: Any, states: Any, count: Any,
) -> None:  # fmt: skip
    """Let a line's variable take its value in some copies."""
    lanes = _U(LANES)
    bit, one, half = line * lanes, line * _U(MOST_PARENTS) * lanes, k * lanes
    two, three = one + lanes, one + _U(2) * lanes
    row = line * _U(ROWS) * lanes
    for c in range(count):
        s = states[c]
        m = _U(0) - (s >> _U(parents[one + c]) & _ONE)
        a = _pick(_U(last[row + c]), _U(last[row + lanes + c]), m)
        b = _pick(_U(last[row + _U(2) * lanes + c]), _U(last[row + _U(3) * lanes + c]), m)
        d = _pick(_U(last[row + _U(4) * lanes + c]), _U(last[row + _U(5) * lanes + c]), m)
        e = _pick(_U(last[row + _U(6) * lanes + c]), _U(last[row + _U(7) * lanes + c]), m)
        m = _U(0) - (s >> _U(parents[two + c]) & _ONE)
        a, d = _pick(a, b, m), _pick(d, e, m)
        a = _pick(a, d, _U(0) - (s >> _U(parents[three + c]) & _ONE))
        # An odd number of lines before the others leaves half a word unused.
        m = _U(0) - _U(k >= padded[c])
        word = _pick(_U(words[half + c]), _U(words[half + lanes + c]), m) >> by
        states[c] = s | (_U(word > a) << _U(bits[bit + c]) & kept[c])


@once
def _show(values: Any, shown: Any, count: Any, mode: Any, out: Any, at: Any) -> None:
    """Write an observation: of each variable its value, or 2 where it is not shown."""
    values, hidden = values & shown, ~shown
    j = _U(0)
    while j + _U(8) <= count:
        one = ((values >> j & _BYTE) * _ONES & _DIAGONAL) + _SEVENS
        two = ((hidden >> j & _BYTE) * _ONES & _DIAGONAL) + _SEVENS
        codes = (one >> _U(7) & _ONES) + (two >> _U(6) & (_ONES << _ONE))
        for k in range(_U(8)):
            out[at + j + k] = np.uint8(codes >> (_U(8) * k))
        j += _U(8)
    while j < count:
        out[at + j] = np.uint8((values >> j & _ONE) | (hidden >> j & _ONE) << _ONE)
        j += _ONE
    out[at + count] = mode
    out[at + count + _ONE] = 0


@entry()
def step_binary(  # noqa: C901, PLR0912, PLR0913, PLR0917  (one pass; loops take arrays one by one)
    b: Binary,
    shift: int,
    set_: NDArray[np.uint64],
    values: NDArray[np.uint64],
    observed: int,
    mode: int,
    keys: NDArray[np.uint64],
    states: NDArray[np.uint64],
    clocks: NDArray[np.int64],
    actions: NDArray[np.int64],
    begin: bool,  # noqa: FBT001
    seen: NDArray[np.uint8],
    final: NDArray[np.uint8],
    rewards: NDArray[np.float64],
) -> int:
    """Finish an episode in every copy and open the next, or only open one in some.

    Args:
        b: the worlds; copy i is in world i modulo their number, the blocks' lanes counted in turn.
        shift: by how many bits words of noise are shifted to the right.
        set_: uint64[A], the variables that an action sets.
        values: uint64[A], and their values.
        observed: the variables that are ever seen.
        mode: the code of the mode in an observation.
        keys: uint64[n], of the copies.
        states: uint64[n], the values of the variables that no action can change.
        clocks: int64[n * 3], of which the first is the number of the episode.
        actions: int64[n]; where ``begin``, 0 for the copies that are left alone.
        begin: only open.
        seen: uint8[n * D], where the first observations of the opened episodes go.
        final: uint8[n * D], where the last ones of those that are finished go.
        rewards: float64[n], where the rewards go.

    Returns:
        -1; or the index of a copy whose action does not exist, and then nothing was done.
    """
    # (Taken out of the tuple here, they cost no count of references at each access.)
    bits, parents, last, late = b.bits.ravel(), b.parents.ravel(), b.last.ravel(), b.late.ravel()
    opened, paid, pay = b.opened.ravel(), b.paid.ravel(), b.pay.ravel()
    n, blocks, size, reads = (
        _U(len(keys)),
        _U(len(b.late)),
        _U(b.bits.shape[1]),
        _U(b.paid.shape[1]),
    )
    dims, lanes = _U(len(seen)) // n, _U(LANES)
    places, by, everything = dims - _U(2), _U(shift), _U(observed)
    if not begin:
        for i in range(n):
            if _U(actions[i]) >= _U(len(set_)):
                return int(i)
    most = size // _U(2) + _ONE
    words = np.empty(_U(2) * most * lanes, dtype=np.uint32)
    room = np.empty((4, LANES), dtype=np.uint64)
    states_, kept, bases, padded = room[0], room[1], room[2], room[3]
    block = _U(0)
    for copy in range(_U(0), n, lanes):
        count, lane = min(lanes, n - copy), block * lanes
        for c in range(count):
            changed, i = _U(late[lane + c]), copy + c
            early = (size - changed + _ONE) >> _ONE
            bases[c] = _U(clocks[_U(3) * i]) * (early + ((changed + _ONE) >> _ONE)) + early
            padded[c] = changed if changed & _ONE else size
            states_[c], kept[c] = states[i], ~_U(0)
            if begin:
                clocks[_U(3) * i] += actions[i] > 0
            else:
                clocks[_U(3) * i] += 1
                states_[c] |= values[actions[i]]
                kept[c] = ~set_[actions[i]]
        for k in range(most):
            _draw(words, _U(2) * k * lanes, count, bases, k, keys, copy)
        for k in range(size):
            line = block * size + k
            _line(bits, parents, last, line, k, by, words, padded, kept, states_, count)
        for c in range(count):
            i, s = copy + c, states_[c]
            if not begin:
                at = _U(0)
                for q in range(reads):
                    at = at << _ONE | (s >> _U(paid[(block * reads + q) * lanes + c]) & _ONE)
                rewards[i] = pay[((block << reads) + at) * lanes + c]
                _show(s, everything, places, mode, final, i * dims)
            elif actions[i] == 0:
                continue
            states[i] = s >> _U(HALF)
            _show(s >> _U(HALF), opened[lane + c], places, mode, seen, i * dims)
        block = block + _ONE if block + _ONE < blocks else _U(0)
    return -1
