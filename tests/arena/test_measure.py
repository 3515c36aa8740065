"""Summing up trainings: means, intervals, and where they stand on the ladder."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.run.arena.measure import climb, interval, reached, spread


def _about(**values):
    return {name: {"value": value, "exact": True} for name, value in values.items()}


def test_the_mean_is_interquartile() -> None:
    """Of eight values the two highest and the two lowest are dropped."""
    values = np.array([[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.9, 1.0]]).T
    middle, low, high = interval(values, 0, "test")
    assert middle == pytest.approx(0.35)
    assert low < middle < high


def test_equal_trainings_have_no_width() -> None:
    """An interval of the same value again and again is that value."""
    assert interval(np.full((10, 3), 0.5), 0, "test") == (0.5, 0.5, 0.5)


def test_the_same_figures_give_the_same_interval() -> None:
    """Resamples come from the seed and the tag."""
    values = np.random.default_rng(0).random((10, 2))
    assert interval(values, 1, "a") == interval(values, 1, "a")
    assert interval(values, 1, "a") != interval(values, 1, "b")


def test_the_interval_covers() -> None:
    """Of normal samples of twenty, the interval holds the truth nearly as often as it says."""
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        _, low, high = interval(rng.normal(size=(20, 1)), 0, f"trial {trial}")
        hits += low <= 0 <= high
    assert hits >= 170  # 95% of 200 is 190; the percentile bootstrap of 20 covers about 91%


def test_values_known_as_intervals_widen_the_interval() -> None:
    """The ends are those of the ends."""
    values = np.full((10, 1), 0.5)
    assert interval(values, 0, "test", values - 0.1, values + 0.2) == pytest.approx((0.5, 0.4, 0.7))


def test_spread_is_of_single_trainings() -> None:
    """Worlds are averaged first."""
    values = np.array([[0.0, 1.0], [1.0, 1.0]])
    found = spread(values)
    assert (found["least"], found["most"]) == (0.5, 1.0)
    assert found["sd"] == pytest.approx(np.std([0.5, 1.0], ddof=1))


def test_a_climb_is_0_at_the_rung_below_and_1_at_its_own() -> None:
    """Under do from see to do, under intent from do to intent."""
    about = _about(uniform=0.1, see=0.2, do=0.4, intent=0.8)
    scale = climb(about, "do")
    assert scale is not None
    assert (scale(0.2), scale(0.4), scale(0.3)) == pytest.approx((0, 1, 0.5))
    scale = climb(about, "intent")
    assert scale is not None
    assert scale(0.8) == pytest.approx(1)


def test_rungs_that_are_not_apart_have_no_climb() -> None:
    """Dividing by nothing would say anything."""
    assert climb(_about(see=0.4, do=0.4), "do") is None
    assert climb(_about(see=0.5, do=0.4), "do") is None
    assert climb(_about(do=0.4), "replay") is None


def test_reaching_is_naming_the_highest_reference_within_reach() -> None:
    """Equal references are named by the lowest rung, which needs the least."""
    about = _about(uniform=0.1, see=0.2, do=0.4, intent=0.4, replay=0.9)
    assert reached(about, 0.5) == "do"
    assert reached(about, 0.15) == "uniform"
    assert reached(about, 0.05) == ""
    assert reached(about, 0.9) == "replay"
    # One whose value is known within an interval may lie a hair above what it equals.
    about = _about(uniform=0.114, see=0.6748, do=0.6748, intent=0.6748, replay=0.67485)
    assert reached(about, 0.6748) == "see"
