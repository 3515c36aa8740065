"""Keys of ladder-v1 are worked out again by brute force, pyAgrum and the sampler."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyagrum")
PROGRAM = Path(__file__).resolve().parents[2] / "benchmarks" / "recompute.py"


@pytest.fixture(scope="module")
def recompute():
    """Load the program that people run for a larger share."""
    spec = importlib.util.spec_from_file_location("recompute", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    sys.modules["recompute"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_three_independent_roads_agree_on_random_keys(recompute):
    """One pair in two hundred, from a seed that nobody looks at: no number differs on any road."""
    counts, problems = recompute.compare(recompute.drawn("ladder-v1", 0.005, 11))
    assert problems == []
    assert all(count["agree"] > 20 for count in counts.values())


def test_a_wrong_key_is_noticed_on_every_road(recompute):
    """A key moved by .02 is called different by all three."""
    case = recompute.drawn("ladder-mini", 0.005, 0)[0]
    target = next(recompute.targets(case, case.items[0]))
    found = {road: work(target) for road, work in recompute.ROADS.items()}
    assert [
        road for road, (value, allowed) in found.items() if abs(value - target.key) > allowed
    ] == []
    assert [
        road for road, (value, allowed) in found.items() if abs(value - target.key - 0.02) > allowed
    ] == list(recompute.ROADS)
