"""Step many copies of worlds in one pass, compiled by numba.

This module imports numba when it is loaded; only vector environments load it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.env.stream import FIRST, GAMMA, SECOND
from causalbench.jit import entry, once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.env.stack import Stack

__all__ = ["OVER", "WATCHING", "reset_all", "step_all"]

WATCHING, OVER = 1, 2
_G, _A, _B = np.uint64(GAMMA), np.uint64(FIRST), np.uint64(SECOND)
_LOW = np.uint64(2**32 - 1)
_REDO = 2  # as in `causalbench.task.observation.MODES`
_ACT = 1
_FEW = 8  # up to here counting is faster than bisection


@once
def _word(key: Any, base: Any, place: Any) -> Any:
    """Return a 32-bit word of a step whose words begin at ``base``."""
    state = (base + np.uint64(place >> 1)) * _G ^ key
    state = (state ^ state >> np.uint64(30)) * _A
    state = (state ^ state >> np.uint64(27)) * _B
    state ^= state >> np.uint64(31)
    return state >> np.uint64(32) if place & 1 else state & _LOW


@once
def _value(s: Stack, w: Any, part: Any, v: Any, row: Any, key: Any, base: Any) -> Any:
    """Return what a mechanism gives its variable."""
    at = np.int64(0)
    for p in range(s.parents.shape[3]):
        at += np.int64(s.strides[w, part, v, p]) * np.int64(row[s.parents[w, part, v, p]])
    cuts = np.int64(s.cuts[w, part, v])
    code = np.int64(0)
    if cuts > 0:
        word = np.uint32(_word(key, base, s.word[w, v]))
        begin = s.at[w, part, v, 0] + at * cuts
        if cuts <= _FEW:
            for k in range(cuts):
                code += np.int64(word > s.last[begin + k])
        else:
            high = cuts
            while code < high:
                middle = (code + high) >> 1
                if word > s.last[begin + middle]:
                    code = middle + 1
                else:
                    high = middle
    return s.values[s.at[w, part, v, 1] + at * (cuts + 1) + code]


@once
def _open(s: Stack, w: Any, row: Any, step: Any, key: Any, base: Any) -> Any:
    """Give a step its early values, and its natural ones as far as they are shown."""
    size = s.word.shape[1]
    part = 0 if step == 0 else 1
    if step > 0:
        for v in range(size):
            row[size + v] = row[v]
    for v in range(s.early[w]):
        row[v] = _value(s, w, part, v, row, key, base)
    for v in range(s.early[w], size):
        if s.intends[w, v]:
            row[2 * size + v] = _value(s, w, part + 2, v, row, key, base)


@once
def _finish(s: Stack, w: Any, row: Any, step: Any, key: Any, base: Any, action: Any) -> Any:
    """Give a step its late values, and return whether it ends the episode."""
    size = s.word.shape[1]
    part = 0 if step == 0 else 1
    for v in range(s.early[w], size):
        force = s.force[w, action, v]
        if force >= 0:
            row[v] = np.uint8(force)
        else:
            row[v] = _value(s, w, part, v, row, key, base)
    return _paid(s, w, 0, row, action) > 0.0


@once
def _paid(s: Stack, w: Any, group: Any, row: Any, action: Any) -> Any:
    at = s.pay_at[w, group, 0] + s.pay_at[w, group, 1] * action
    for q in range(s.pay_stride.shape[2]):
        at += np.int64(s.pay_stride[w, group, q]) * np.int64(row[s.pay_position[w, group, q]])
    return s.pay[at]


@once
def _show(s: Stack, w: Any, kind: Any, row: Any, out: Any) -> None:
    for j in range(s.maps.shape[2]):
        out[j] = row[s.maps[w, kind, j]]


@once
def _begin(
    s: Stack, w: Any, row: Any, clock: Any, key: Any, horizon: Any, replay: Any, out: Any
) -> None:
    """Begin an episode, and show what it shows first."""
    clock[0] += 1
    clock[1] = 0
    clock[2] = 0
    base = np.uint64(clock[0] * horizon * s.width[w])
    _open(s, w, row, 0, key, base)
    if replay:
        clock[2] = WATCHING
        _watch(s, w, row, clock, key, horizon)
    _show(s, w, 1 if replay else 0, row, out)


@once
def _watch(s: Stack, w: Any, row: Any, clock: Any, key: Any, horizon: Any) -> None:
    """Let nature finish a step of the watched course, and open what comes next."""
    width = s.width[w]
    begin = clock[0] * horizon
    over = _finish(
        s, w, row, clock[1], key, np.uint64((begin + clock[1]) * width), s.force.shape[1] - 1
    )
    mode = 3 * s.word.shape[1] + s.maps.shape[2] - 2
    if over or clock[1] + 1 == horizon:
        clock[1], clock[2] = 0, 0
        row[mode] = _REDO
    else:
        clock[1] += 1
        row[mode] = _ACT
    _open(s, w, row, clock[1], key, np.uint64((begin + clock[1]) * width))


@entry()
def reset_all(
    s: Stack,
    keys: NDArray[np.uint64],
    rows: NDArray[np.uint8],
    clocks: NDArray[np.int64],
    which: NDArray[np.bool_],
    horizon: int,
    replay: bool,  # noqa: FBT001  (compiled loops take their arguments by place)
    seen: NDArray[np.uint8],
) -> None:
    """Begin an episode in some copies.

    Args:
        s: the worlds; copy i is in world i modulo W.
        keys: uint64[n], of the copies.
        rows: uint8[n, 3 V + D], the state.
        clocks: int64[n, 3]: the episode, the step within a course (both from 0), and flags.
        which: bool[n], the copies that begin.
        horizon: the number of steps.
        replay: whether a course is watched first.
        seen: uint8[n, D], where the observations go.
    """
    worlds = s.early.shape[0]
    for i in range(len(keys)):
        if which[i]:
            _begin(s, i % worlds, rows[i], clocks[i], keys[i], horizon, replay, seen[i])


@entry()
def step_all(  # noqa: PLR0913, PLR0917  (compiled loops take their arrays one by one)
    s: Stack,
    keys: NDArray[np.uint64],
    rows: NDArray[np.uint8],
    clocks: NDArray[np.int64],
    actions: NDArray[np.int64],
    horizon: int,
    replay: bool,  # noqa: FBT001
    same: bool,  # noqa: FBT001
    seen: NDArray[np.uint8],
    final: NDArray[np.uint8],
    rewards: NDArray[np.float64],
    ended: NDArray[np.bool_],
) -> int:
    """Step every copy.

    Args:
        s: as in `reset_all`, like those not listed.
        keys: as there.
        rows: as there.
        clocks: as there.
        actions: int64[n].
        horizon: as there.
        replay: as there.
        same: whether an episode that ends is followed by another in the same step; else in the
            next one, which pays nothing and whose action counts for nothing.
        seen: uint8[n, D], where the observations go.
        final: uint8[n, D], where the last observations go of episodes that end, under ``same``.
        rewards: float64[n], where the rewards go.
        ended: bool[n], where it goes whether an episode ended.

    Returns:
        -1; or the index of a copy whose action does not exist, and then nothing was done.
    """
    n, worlds, count = len(keys), s.early.shape[0], s.force.shape[1] - 1
    for i in range(n):
        if actions[i] < 0 or actions[i] >= count:
            return i
    w = -1
    for i in range(n):
        w = w + 1 if w + 1 < worlds else 0
        row, clock, key = rows[i], clocks[i], keys[i]
        rewards[i] = 0.0
        ended[i] = False
        if clock[2] & OVER:
            _begin(s, w, row, clock, key, horizon, replay, seen[i])
            continue
        if clock[2] & WATCHING:
            _watch(s, w, row, clock, key, horizon)
            _show(s, w, 1, row, seen[i])
            continue
        step, action = clock[1], actions[i]
        base = np.uint64((clock[0] * horizon + step) * s.width[w])
        over = _finish(s, w, row, step, key, base, action)
        pay = 0.0 if step > 0 else s.offset[w]
        for group in range(1, s.pay_at.shape[1]):
            pay += _paid(s, w, group, row, action)
        rewards[i] = pay
        if over or step + 1 == horizon:
            ended[i] = True
            if same:
                _show(s, w, 2, row, final[i])
                _begin(s, w, row, clock, key, horizon, replay, seen[i])
            else:
                clock[2] = OVER
                _show(s, w, 2, row, seen[i])
        else:
            clock[1] = step + 1
            _open(s, w, row, step + 1, key, base + np.uint64(s.width[w]))
            _show(s, w, 1, row, seen[i])
    return -1
