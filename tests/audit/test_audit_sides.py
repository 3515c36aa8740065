"""The bettor on sides finds a statistic that tells them, and keeps its money where none does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audited_suites import Audited

from causalbench.run.audit.sides import side_losses
from causalbench.run.audit.sketch import sketch

PAIRS, STATISTICS = 3000, 60


def skills(advantage, seed):
    """Return what each way of betting wins on twins with sixty statistics.

    The first statistic is right about the side with this advantage over a coin, the others say
    nothing.
    """
    rng = np.random.default_rng(seed)
    first, second = sorted(
        (sketch(case) for case in Audited(pairs=1).cases(0)), key=lambda case: case.placement.side
    )
    pairs = []
    for number in range(PAIRS):
        gaps = rng.normal(size=STATISTICS)
        gaps[0] = 1.0 if rng.random() < (1 + advantage) / 2 else -1.0
        traces = {f"s{place}": float(gap) for place, gap in enumerate(gaps)}
        spot = replace(first.placement, base=f"p{number}")
        one = replace(first, placement=spot, traces=dict.fromkeys(traces, 0.0))
        pairs.append((one, replace(second, traces=traces)))
    found = side_losses(pairs, of_one_type=True)
    return {way: float(1.0 - losses.mean()) for way, losses in found.items()}


@pytest.mark.parametrize("seed", range(3))
def test_an_advantage_of_15_in_100_is_found_among_3000_pairs(seed):
    """And staked on: the skill is the advantage, to within its standard error of .018."""
    assert skills(0.15, seed)["side, few"] == pytest.approx(0.15, abs=4 * 0.018)


@pytest.mark.parametrize("seed", range(3))
def test_what_tells_nothing_is_not_bet_on(seed):
    """Not a single pair."""
    assert set(skills(0.0, seed).values()) == {0.0}
