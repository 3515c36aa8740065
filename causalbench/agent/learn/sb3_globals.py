"""Let a library that draws from global generators train without anybody else noticing."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Globals"]


class Globals:
    """The states of Python's, NumPy's and torch's global generators, as one training has them.

    Inside `borrowed` they go on from where this training left them, on one thread of torch; outside
    they are as if it had never been. So a training in parts is the same training.
    """

    def __init__(self) -> None:
        self._states: tuple[Any, ...] | None = None

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Swap this training's generators in, and out again."""
        import torch

        threads, outside = torch.get_num_threads(), _states()
        torch.set_num_threads(1)
        if self._states is not None:
            _set(self._states)
        try:
            yield
        finally:
            self._states = _states()
            _set(outside)
            torch.set_num_threads(threads)


def _states() -> tuple[Any, ...]:
    import torch

    return random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002


def _set(states: tuple[Any, ...]) -> None:
    import torch

    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
    torch.set_rng_state(states[2])
