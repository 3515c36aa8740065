"""Handle a policy's memory, whatever it is: None, an array of n rows, or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from causalbench.truth.policy.frames import Ints

__all__ = ["distinct", "pick"]


def pick(memory: Any, rows: Ints) -> Any:
    """Return some rows of a memory.

    Args:
        memory: None, an array (or tensor), or a tuple, list or mapping of memories.
        rows: int64[m].
    """
    if memory is None:
        return None
    if isinstance(memory, Mapping):
        return {key: pick(part, rows) for key, part in memory.items()}
    if isinstance(memory, tuple | list):
        return type(memory)(pick(part, rows) for part in memory)
    return memory[rows]


def distinct(memory: Any, count: int) -> Ints:
    """Number the rows of a memory so that equal rows have one number.

    Args:
        memory: as in `pick`.
        count: how many rows, counted from the first.

    Returns:
        int64[count].
    """
    if not count:
        return np.zeros(0, dtype=np.int64)
    columns: list[np.ndarray[Any, Any]] = []
    _flatten(memory, count, columns)
    number = np.zeros(count, dtype=np.int64)
    for column in columns:
        wide = np.ascontiguousarray(column.reshape(count, -1))
        if not wide.shape[1]:
            continue
        raw = wide.view(np.dtype((np.void, wide.dtype.itemsize * wide.shape[1]))).ravel()
        _, own = np.unique(raw, return_inverse=True)
        _, number = np.unique(number * (int(own.max()) + 1) + own, return_inverse=True)
    return number


def _flatten(memory: Any, count: int, into: list[np.ndarray[Any, Any]]) -> None:
    if memory is None:
        return
    if isinstance(memory, Mapping):
        memory = [memory[key] for key in sorted(memory)]
    if isinstance(memory, tuple | list):
        for part in memory:
            _flatten(part, count, into)
        return
    into.append(np.asarray(memory)[:count])
