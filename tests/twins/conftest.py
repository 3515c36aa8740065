"""Suites that several tests look at, built once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from causalbench.task.leaks import pairs_of
from causalbench.task.suite import make

for room in ("certify", "truth", "twins"):  # readers of estimands and the oracles live there
    folder = str(Path(__file__).parent.parent / room)
    if folder not in sys.path:
        sys.path.insert(0, folder)


@pytest.fixture(scope="session")
def mini():
    """The whole of ladder-mini at seed 0."""
    return make("ladder-mini", seed=0)


@pytest.fixture(scope="session")
def pairs(mini):
    """Its pairs, side 0 first."""
    return pairs_of(mini)
