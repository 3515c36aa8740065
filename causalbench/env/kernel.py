"""Step many copies of worlds in one pass, compiled by numba.

All indices are unsigned, which spares a test for negative ones at every access; that and reading a
world's lines in the order in which they stand is where the speed is from. This module imports numba
when it is loaded; only vector environments load it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.env.stack import FORCED, HEAD
from causalbench.env.stream import FIRST, GAMMA, SECOND
from causalbench.jit import entry, once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.env.stack import Stack

__all__ = ["OVER", "RUNNING", "WATCHING", "step_all"]

RUNNING, WATCHING, OVER = 0, 1, 2
_U = np.uint64
_G, _A, _B = np.uint64(GAMMA), np.uint64(FIRST), np.uint64(SECOND)
_LOW, _BYTE = np.uint64(2**32 - 1), np.uint64(255)
_NATURE, _HEAD = np.uint8(FORCED), np.uint64(HEAD)
_ACT, _REDO = np.uint8(1), np.uint8(2)  # as in `causalbench.task.observation.MODES`


@once
def _draw(words: Any, low: Any, high: Any, base: Any, key: Any) -> None:
    """Put words low to high - 1 of a step in their places (see `causalbench.env.stream`)."""
    for k in range(low, high):
        state = (base + k) * _G ^ key
        state = (state ^ (state >> _U(30))) * _A
        state = (state ^ (state >> _U(27))) * _B
        words[k] = state ^ (state >> _U(31))


@once
def _value(
    lines: Any, cells: Any, last: Any, values: Any, line: Any, rows: Any, row: Any, halves: Any
) -> Any:
    """Return what a line gives its variable."""
    at, parents, pair = _U(lines[line + _U(1)]), _U(lines[line + _U(3)]), line + _HEAD
    # Written out as far as most worlds go: a loop of two or three rounds costs more than they do.
    if parents > _U(0):
        at += _U(lines[pair]) * _U(rows[row + _U(lines[pair + _U(1)])])
    if parents > _U(1):
        at += _U(lines[pair + _U(2)]) * _U(rows[row + _U(lines[pair + _U(3)])])
    if parents > _U(2):
        at += _U(lines[pair + _U(4)]) * _U(rows[row + _U(lines[pair + _U(5)])])
    if parents > _U(3):
        for p in range(_U(3), parents):
            at += _U(lines[pair + _U(2) * p]) * _U(rows[row + _U(lines[pair + _U(2) * p + _U(1)])])
    cell = cells[at]
    word = _U(halves[_U(lines[line])])
    if lines[line + _U(2)]:
        begin, low, high = cell & _LOW, _U(0), cell >> _U(32)
        while low < high:
            middle = (low + high) >> _U(1)
            if word > _U(last[begin + middle]):
                low = middle + _U(1)
            else:
                high = middle
        return values[begin + low]
    above = _U(8) if word > cell & _LOW else _U(0)
    return np.uint8((cell >> (_U(32) + above)) & _BYTE)


@once
def _pay(pays: Any, table: Any, record: Any, reads: Any, rows: Any, row: Any, action: Any) -> Any:
    """Return what a table pays on a state."""
    at = _U(pays[record]) + _U(pays[record + _U(1)]) * action
    strides = record + _U(2)
    bytes_ = strides + reads
    for q in range(reads):
        at += _U(pays[strides + q]) * _U(rows[row + _U(pays[bytes_ + q])])
    return table[at]


@once
def _show(places: Any, maps: Any, map_: Any, rows: Any, row: Any, seen: Any, out: Any) -> None:
    for j in range(_U(len(places))):
        seen[out + _U(places[j])] = rows[row + _U(maps[map_ + j])]


@entry()
def step_all(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917  (one pass; loops take arrays one by one)
    s: Stack,
    keys: NDArray[np.uint64],
    rows: NDArray[np.uint8],
    clocks: NDArray[np.int64],
    actions: NDArray[np.int64],
    horizon: int,
    replay: bool,  # noqa: FBT001
    same: bool,  # noqa: FBT001
    begin: bool,  # noqa: FBT001
    seen: NDArray[np.uint8],
    final: NDArray[np.uint8],
    rewards: NDArray[np.float64],
    ended: NDArray[np.bool_],
) -> int:
    """Step every copy, or begin an episode in some.

    Args:
        s: the worlds; copy i is in world i modulo W.
        keys: uint64[n], of the copies.
        rows: uint8[n * (3 V + D)], the states, as `causalbench.env.plan` has them.
        clocks: int64[n * 3]: the episode and the step within a course, both from 0, and RUNNING,
            WATCHING or OVER.
        actions: int64[n]; where ``begin``, 0 for the copies that are left alone.
        horizon: the number of steps.
        replay: whether a course is watched first.
        same: whether an episode that ends is followed by another in the same step; else in the
            next one, which pays nothing and whose action counts for nothing.
        begin: begin an episode instead of playing an action.
        seen: uint8[n * D], where the observations go: everything is unseen there, to begin with.
        final: uint8[n * D], likewise the last observations of episodes that end, under ``same``.
        rewards: float64[n], where the rewards go.
        ended: bool[n], where it goes whether an episode ended.

    Returns:
        -1; or the index of a copy whose action does not exist, and then nothing was done.
    """
    # (Taken out of the tuple here, they cost no count of references at each access.)
    lines, cells, last, values, force, maps = s.lines, s.cells, s.last, s.values, s.force, s.maps
    places = s.places
    intends, pays, table, offset, shape = s.intends, s.pays, s.pay, s.offset, s.shape
    n = len(keys)
    worlds, size, parents, dims = s.sizes[0], s.sizes[1], s.sizes[2], s.sizes[3]
    count, groups, reads, parts = s.sizes[4], s.sizes[5], s.sizes[6], s.sizes[7]
    for i in range(n):
        if actions[i] < 0 or (_U(actions[i]) >= count and not begin):
            return i
    steps = _U(horizon)
    slices = _U(1) if horizon == 1 else _U(2)
    natural = parts > slices
    wide = _HEAD + _U(2) * parents  # the numbers of a line
    block = size * wide  # and of a list of lines
    record = _U(2) + _U(2) * reads
    observed = _U(len(places))
    stride, mode = _U(3) * size + dims, dims - _U(2)
    ends = s.sizes[8] > _U(0)
    most = _U(1)
    for world in range(worlds):
        most = max(most, shape[world, 2])
    words = np.empty(most, dtype=np.uint64)
    halves = words.view(np.uint32)
    w = worlds - _U(1)
    for i in range(_U(n)):
        w = w + _U(1) if w + _U(1) < worlds else _U(0)
        clock = _U(3) * i
        state = clocks[clock + _U(2)]
        row, out, key = i * stride, i * dims, keys[i]
        early, cut, width = shape[w, 0], shape[w, 1], shape[w, 2]
        first = w * parts * block
        episode, step = _U(clocks[clock]), _U(clocks[clock + _U(1)])
        anew = state == OVER
        if begin:
            anew = actions[i] > 0
            if not anew:
                continue
        rewards[i] = 0.0
        ended[i] = False
        map_ = _U(1)
        while True:
            # Here a step is finished, unless an episode begins.
            if not anew:
                base = (episode * steps + step) * width
                _draw(words, cut, width, base, key)
                action = count if state == WATCHING else _U(actions[i])
                line = first + (block if step > _U(0) else _U(0)) + early * wide
                setting = (w * (count + _U(1)) + action) * size
                for v in range(early, size):
                    value = _value(lines, cells, last, values, line, rows, row, halves)
                    set_ = force[setting + v]
                    rows[row + v] = value if set_ == _NATURE else set_
                    line += wide
                paid = w * groups * record
                over = step + _U(1) == steps
                if ends and not over:
                    over = _pay(pays, table, paid, reads, rows, row, action) > 0.0
                if state == WATCHING:
                    step += _U(1)
                    if over:
                        step, state = _U(0), RUNNING
                else:
                    reward = offset[w] if step == _U(0) else 0.0
                    for _ in range(_U(1), groups):
                        paid += record
                        reward += _pay(pays, table, paid, reads, rows, row, action)
                    rewards[i] = reward
                    step += _U(1)
                    if over:
                        ended[i] = True
                        shown = (w * _U(3) + _U(2)) * observed
                        if not same:
                            state = OVER
                            _show(places, maps, shown, rows, row, seen, out)
                            if replay:
                                seen[out + mode] = _REDO
                            break
                        _show(places, maps, shown, rows, row, final, out)
                        if replay:
                            final[out + mode] = _REDO
                        anew = True
            if anew:
                episode += _U(1)
                step, state = _U(0), WATCHING if replay else RUNNING
                map_ = _U(1) if replay else _U(0)
            # And here one is opened.
            base = (episode * steps + step) * width
            _draw(words, _U(0), width if natural else cut, base, key)
            line = first
            if step > _U(0):
                line += block
                for v in range(size):
                    rows[row + size + v] = rows[row + v]
            for v in range(early):
                rows[row + v] = _value(lines, cells, last, values, line, rows, row, halves)
                line += wide
            if natural:
                line += slices * block
                for v in range(early, size):
                    if intends[w * size + v]:
                        value = _value(lines, cells, last, values, line, rows, row, halves)
                        rows[row + _U(2) * size + v] = value
                    line += wide
            if anew and replay:
                anew = False  # the watched course is shown from its second observation on
                continue
            _show(places, maps, (w * _U(3) + map_) * observed, rows, row, seen, out)
            if replay:
                seen[out + mode] = _ACT if state == WATCHING else _REDO
            break
        clocks[clock] = np.int64(episode)
        clocks[clock + _U(1)] = np.int64(step)
        clocks[clock + _U(2)] = state
    return -1
