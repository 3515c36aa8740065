"""Ask causalboundingengine what `bounds.py` asks, where it is installed.

It takes samples, not laws: it gets a sample in which every outcome stands as often as the law says,
and we get that sample's law. Algorithms that miss something (R for causaloptim, Java for
zaffalonbounds, a further argument for entropybounds) log a warning and return the vacuous [-1, 1]
or [0, 1] as if found; such answers are caught here by the warning, and count as refused.
"""

from __future__ import annotations

import importlib.util
import logging
import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Bound = Callable[[np.ndarray], tuple[float, float]]

__all__ = ["INSTALLED", "ask_rival"]

INSTALLED = importlib.util.find_spec("causalboundingengine") is not None
_SIZE = 1000  # units a sample, or an arm of it
_SAME = 1e-6  # the tolerance that its programs are solved to is a solver's, 1e-7


class _Warnings(logging.Handler):
    """Keep the first line of every warning, and print none."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.lines.append(record.getMessage().splitlines()[0])


def _counts(arms: int, rng: np.random.Generator) -> np.ndarray:
    """Draw counts [z, x, y] of units of random types: their answers to z, and to x.

    Both arms hold the same units, so that the instrument's law is one of some world.
    """
    types = rng.choice(16, _SIZE, p=rng.dirichlet(np.full(16, 0.5)))
    takes, answers = types // 4, types % 4  # bits: the value at 0 and at 1
    counts = np.zeros((arms, 2, 2), dtype=int)
    for z in range(arms):
        x = takes >> z & 1
        np.add.at(counts[z], (x, answers >> x & 1), 1)
    return counts


def ask_rival(cases: dict[str, tuple[str, int, Bound]], repeat: int) -> None:
    """Ask every algorithm of the engine for every case and print a row each.

    Args:
        cases: name -> ("ATE" or "PNS", arms, our bounds from float64[arms, 2, 2], P(x, y | z)).
        repeat: samples a case.
    """
    from causalboundingengine.scenarios import BinaryConf, BinaryIV

    rng = np.random.default_rng(1)
    heard = _Warnings()
    logger = logging.getLogger("causalboundingengine")
    logger.addHandler(heard)
    logger.propagate = False
    for name, (asked, arms, bound) in cases.items():
        kind: Any = BinaryConf if arms == 1 else BinaryIV
        drawn = [_counts(arms, rng) for _ in range(repeat)]
        for algorithm in kind.AVAILABLE_ALGORITHMS[asked]:
            heard.lines.clear()
            _row(f"{name}, {algorithm}", kind, (asked, algorithm), drawn, bound, heard)


def _row(
    name: str,
    kind: Any,
    call: tuple[str, str],
    drawn: list[np.ndarray],
    bound: Bound,
    heard: _Warnings,
) -> None:
    theirs = ours = off = 0.0
    wider = 0
    for counts in drawn:
        cells = np.repeat(np.argwhere(counts >= 0), counts.ravel(), axis=0)
        z, x, y = cells.T
        scenario = kind(x, y) if len(counts) == 1 else kind(x, y, z)
        start = time.process_time()
        low, high = getattr(getattr(scenario, call[0]), call[1])()
        theirs += time.process_time() - start
        if heard.lines:
            print(f"{name:44} refused: {heard.lines[0]}")
            return
        law = counts / counts.sum(axis=(1, 2), keepdims=True)
        start = time.process_time()
        one, two = bound(law)
        ours += time.process_time() - start
        off = max(off, one - low, high - two, low - one, two - high)
        wider += abs(low - one) > _SAME or abs(high - two) > _SAME
    shares = 1e6 / len(drawn)
    print(
        f"{name:44} {theirs * shares:9.0f} us, ours {ours * shares:8.1f} us, "
        f"{theirs / ours:7.1f}x; ends differ in {wider} of {len(drawn)}, by at most {off:.0e}"
    )
