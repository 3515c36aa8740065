"""Read a log into a table: number its rows, and sweep its Bellman equation until it is still."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.agent.learn.policies import History, Index
    from causalbench.env.log import Log

__all__ = ["numbered", "solved"]

_SWEEPS = 1000  # at most
_STILL = 1e-10  # a sweep that moves no value by more is the last


def numbered(
    log: Log, history: History, index: Index, seen: NDArray[np.uint8] | None = None
) -> NDArray[np.int64]:
    """Return the row of each step, int64[E, T + 1], -1 after the end.

    Args:
        log: episodes.
        history: how rows are made.
        index: takes the rows that are new.
        seen: uint8[E, T + 1, D], in place of the log's observations.
    """
    shown = log.seen if seen is None else seen
    episodes, horizon = log.action.shape
    at = np.full((episodes, horizon + 1), -1, dtype=np.int64)
    memory, last = history.begin(episodes), np.full(episodes, -1, dtype=np.int64)
    for step in range(horizon):
        rows, memory = history.rows(memory, shown[:, step], last, step)
        alive = step < log.length
        at[alive, step] = index.add(rows[alive])
        last = log.action[:, step]
    return at


def solved(
    log: Log, at: NDArray[np.int64], rows: int, discount: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return values and counts, [rows, A], that the log's mean rewards and moves imply.

    A step counts for each action whose settings it satisfies. Of equal rows the mean is taken, and
    the best action that the log holds is taken to follow.

    Args:
        log: episodes with rewards.
        at: as `numbered` returns it.
        rows: how many rows there are.
        discount: of a step, in (0, 1].
    """
    width = log.matches.shape[2]
    episode, step, action = np.nonzero(log.matches)
    place = at[episode, step] * width + action
    after, reward = at[episode, step + 1], log.reward[episode, step]
    counts = np.bincount(place, minlength=rows * width)
    tried, values = counts > 0, np.zeros(rows * width)
    for _ in range(_SWEEPS):
        best = np.where(tried, values, -np.inf).reshape(rows, width).max(axis=1, initial=-np.inf)
        best[~np.isfinite(best)] = 0.0  # rows on which none of the actions was done
        total = reward + discount * np.where(after < 0, 0.0, best[after])
        sums = np.bincount(place, weights=total, minlength=len(values))
        moved = np.abs(sums / np.maximum(counts, 1) - values).max(initial=0.0)
        values = sums / np.maximum(counts, 1)
        if moved <= _STILL:
            break
    return values.reshape(rows, width), counts.reshape(rows, width)
