"""Skill, its interval, and the height reached."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalbench.errors import ScoreError
from causalbench.rng import generator
from causalbench.score import Skill, height, iqm, per_pair_mean, skill, skill_interval


def rng():
    """Return a fresh generator, the same every time."""
    return generator(0, "test")


def test_truth_has_skill_one(pair):
    """No loss: skill 1, and so have both ends of its interval."""
    found = skill([*pair("p", (0, 0)), *pair("q", (0, 0))], rng=rng())
    assert found == Skill(1.0, 1.0, 1.0, 2, 1.0)


def test_skill_is_a_ratio_of_sums(pair):
    """Losses .1 + .3 and .4 + 0 over floors .4 and 1: 1 - .8 / 1.4; per pair (0 + .6) / 2."""
    records = [*pair("p", (0.1, 0.3)), *pair("q", (0.4, 0.0), floor=1.0)]
    found = skill(records, rng=rng())
    assert found.value == pytest.approx(1 - 0.8 / 1.4)
    assert found.per_pair == pytest.approx(0.3)


def test_one_answer_for_both_sides_has_skill_zero(pair):
    """Whoever can't tell the twins apart and answers between them pays the whole floor."""
    found = skill([*pair("p", (0.1, 0.3)), *pair("q", (0.2, 0.2))], rng=rng())
    assert found.value == pytest.approx(0.0)


def test_only_pairs_of_role_skill_count(pair):
    """Honesty and named records change nothing, whatever they cost."""
    records = [
        *pair("p", (0, 0)),
        *pair("q", (9, 9), role="honesty"),
        *pair("r", (9, 9), role="named"),
    ]
    assert skill(records, rng=rng()).value == 1.0


def test_regret_counts_where_the_twins_agree(pair):
    """An observation on which one action is best in both twins has no floor; its regret counts."""
    asked = pair("p", (0, 0))
    agreed = [replace(one, question=f"{one.question}2", loss=0.1, floor=0.0) for one in asked]
    assert skill([*asked, *agreed], rng=rng()).value == pytest.approx(1 - 0.2 / 0.4)


def test_skill_of_nothing_raises(pair):
    """A mean of nothing isn't 0."""
    with pytest.raises(ScoreError, match="no pairs"):
        skill(pair("p", (0, 0), role="named"), rng=rng())


def test_per_pair_mean_of_nothing_raises():
    """Nor is this one."""
    with pytest.raises(ScoreError, match="no pairs"):
        per_pair_mean([])


def test_repeats_with_different_items_raise(pair):
    """A repeat that lost an item can't be compared with one that didn't."""
    records = [*pair("p", (0, 0)), *pair("q", (0, 0)), *pair("p", (0, 0), repeat=1)]
    with pytest.raises(ScoreError, match="different items"):
        skill(records, rng=rng())


def test_an_item_scored_twice_raises(pair):
    """The same question twice in one repeat would weigh double."""
    with pytest.raises(ScoreError, match="scored twice"):
        skill(pair("p", (0, 0)) * 2, rng=rng())


def test_one_base_world_has_no_interval(pair):
    """Two pairs of one base world say nothing of other worlds."""
    found = skill([*pair("p", (0, 0), base="b"), *pair("q", (0, 0), base="b")], rng=rng())
    assert (found.low, found.high, found.pairs) == (None, None, 2)


def test_repeats_enter_by_their_interquartile_mean(pair):
    """Skills -1, 1, 1, 1 over four repeats: the lowest and the highest are dropped."""
    records = [
        record
        for repeat, loss in enumerate((0.4, 0.0, 0.0, 0.0))
        for name in "pq"
        for record in pair(name, (loss, loss), repeat=repeat)
    ]
    assert skill(records, rng=rng()).value == 1.0


@pytest.mark.parametrize(
    ("values", "mean"),
    [([3.0], 3.0), ([0.0, 1.0, 5.0], 2.0), ([9.0, 0.0, 1.0, 3.0], 2.0), ([1, 2, 3, 4, 90], 3.0)],
)
def test_iqm_by_hand(values, mean):
    """A quarter, rounded down, is dropped at either end."""
    assert iqm(np.array(values, dtype=float)) == mean


def test_iqm_of_nothing_raises():
    """An empty mean isn't NaN."""
    with pytest.raises(ScoreError, match="no values"):
        iqm(np.empty(0))


def test_interval_is_deterministic():
    """The same stream gives the same interval; another stream another one."""
    losses, floors = np.linspace(0, 1, 60).reshape(2, 30) ** 2, np.ones(30)
    first = skill_interval(losses, floors, rng=generator(1, "x"))
    assert first == skill_interval(losses, floors, rng=generator(1, "x"))
    assert first != skill_interval(losses, floors, rng=generator(2, "x"))


def test_interval_covers_the_exact_bootstrap_quantiles():
    """Two bases with skills 0 and 1: resamples give 0, .5, 1 with 1/4, 1/2, 1/4."""
    interval = skill_interval(np.array([[0.0, 1.0]]), np.ones(2), rng=rng())
    assert interval == (0.0, 1.0)


def test_interval_narrows_as_the_mean_of_many_bases():
    """Half of 400 bases at 0, half at 1: sd .5 / 20, so the ends lie near .5 -+ 1.96 x .025."""
    losses = np.tile([0.0, 1.0], 200)[None, :]
    low, high = skill_interval(losses, np.ones(400), rng=rng())
    # The sd of a 2.5% quantile over 2,000 draws is about .0668 / sqrt(2000) sd-units x 17 = .0015.
    assert low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.0075)
    assert high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.0075)


def test_interval_resamples_repeats():
    """Two repeats that differ on every base: the interval spans both."""
    losses = np.array([[0.0] * 50, [1.0] * 50])
    assert skill_interval(losses, np.ones(50), rng=rng()) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("losses", "floors", "why"),
    [
        (np.zeros((3, 2)), np.ones(3), "don't fit"),
        (np.zeros(3), np.ones(3), "don't fit"),
        (np.zeros((2, 3)), np.ones((2, 3)), "don't fit"),
        (np.zeros((0, 3)), np.ones(3), "no pairs"),
        (np.zeros((1, 0)), np.ones(0), "no pairs"),
        (np.array([[np.nan, 0]]), np.ones(2), "finite"),
        (np.zeros((1, 2)), np.array([1, np.inf]), "finite"),
        (np.zeros((1, 2)), np.array([1.0, 0.0]), "above 0"),
        (np.array([[-1.0, 0.0]]), np.ones(2), "above 0"),
    ],
)
def test_wrong_shapes_and_numbers_raise(losses, floors, why):
    """A transposed matrix, an empty one, and numbers that can't be, are refused."""
    with pytest.raises(ScoreError, match=why):
        skill_interval(losses, floors, rng=rng())


@given(
    st.lists(
        st.tuples(st.floats(0, 2), st.floats(0, 2), st.floats(0.05, 1)), min_size=2, max_size=8
    )
)
def test_skill_never_exceeds_one_and_lies_between_its_pairs(triples):
    """Skill is a weighted mean of the pairs' own skills, each at most 1."""
    losses = np.array([[a + b for a, b, _ in triples]])
    floors = np.array([floor for *_, floor in triples])
    each = 1 - losses[0] / floors
    low, high = skill_interval(losses, floors, rng=rng(), draws=50)
    assert each.min() - 1e-9 <= low <= high <= each.max() + 1e-9 <= 1 + 2e-9


def climbed(low):
    """Return a skill whose interval starts at low."""
    return Skill(low, low, 1.0, 5, low)


@pytest.mark.parametrize(
    ("lows", "expected"),
    [
        ((0.9, 0.9, 0.9), 3),
        ((0.9, 0.9, 0.5), 2),
        ((0.9, 0.1, 0.9), 1),
        ((0.5, 0.9, 0.9), 0),
        ((0.9,), 1),
        ((), None),
    ],
)
def test_height_is_the_highest_rung_climbed_without_a_gap(lows, expected):
    """The lower end must lie above .5 on every rung up to the height."""
    assert height({rung: climbed(low) for rung, low in enumerate(lows, 1)}) == expected


def test_height_without_rung_one_is_unknown():
    """Who never played rung 1 has no height, not height 0."""
    assert height({2: climbed(0.9), 3: climbed(0.9)}) is None


def test_height_without_an_interval_is_unknown():
    """A single base world gives no interval, so no claim."""
    assert height({1: Skill(1.0, None, None, 1, 1.0)}) is None
