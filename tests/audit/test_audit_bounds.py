"""Bounds hold as often as they say, agree with Holm's steps, and with theory where it is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from causalbench.errors import ScoreError
from causalbench.run.audit.bounds import LIMIT, bounds_of, compatible_bounds, draws_for

DRAWS = 20_000


def bound(skills, floors=None, draws=DRAWS, seed=0):
    """Bound the skill of base worlds with these skills."""
    skills = np.asarray(skills, dtype=float)
    floors = np.ones(len(skills)) if floors is None else np.asarray(floors, dtype=float)
    losses = ((1.0 - skills) * floors)[None]
    return bounds_of(losses, floors, draws=draws, rng=np.random.default_rng(seed))[0]


def test_normal_skills_have_students_bound():
    """The studentised bootstrap of a normal sample is Student's interval, up to its own error."""
    skills = np.random.default_rng(5).normal(-0.1, 0.3, 100)
    found = bound(skills, draws=200_000)
    width = skills.std(ddof=1) / math.sqrt(100)
    for level in (0.05, 0.0025):
        exact = skills.mean() + stats.t.ppf(1 - level, 99) * width
        # A sample's skewness of 1 / sqrt(n) moves the bound by a part of a standard error.
        assert found.upper(level) == pytest.approx(exact, abs=0.35 * width)


def test_p_value_and_bound_are_one_test_turned_round():
    """At the bound the p value is the level, to within one resample."""
    found = bound(np.random.default_rng(1).normal(0.0, 0.4, 50))
    for level in (0.05, 0.01):
        assert found.chance(found.upper(level)) <= level
        assert found.chance(found.upper(level) - 1e-6) > level - 2 / DRAWS


def test_equal_skills_are_their_own_bound():
    """Nothing varies, so nothing is uncertain; floors may differ."""
    found = bound([-0.2] * 20, floors=np.linspace(0.2, 0.9, 20))
    assert found.skill == pytest.approx(-0.2, abs=1e-12)
    assert found.upper(0.001) == pytest.approx(-0.2, abs=1e-9)
    assert (found.chance(LIMIT), found.chance(-0.3)) == (0.0, 1.0)


def test_units_do_not_matter():
    """Losses and floors in any unit give one bound."""
    skills, floors = np.random.default_rng(2).normal(0, 0.3, (2, 40))
    floors = np.abs(floors) + 0.1
    one, other = bound(skills, floors), bound(skills, floors * 1000)
    assert one.upper(0.01) == pytest.approx(other.upper(0.01), abs=1e-6)


def test_few_base_worlds_have_no_bound():
    """Nine may be lucky alike; 1 is the most that any skill can be."""
    assert bound([-0.5] * 9).upper(0.05) == 1.0
    assert bound([-0.5] * 10).upper(0.05) < 0.0


def test_what_is_no_loss_is_refused():
    """A floor of 0 has no skill."""
    with pytest.raises(ScoreError):
        bound([0.0] * 12, floors=[0.0] * 12)


def test_enough_resamples_for_the_strictest_test():
    """At a level of .05 / 400 there are twenty resamples beyond the quantile."""
    assert draws_for(400) * 0.05 / 400 == pytest.approx(20)


def test_holm_passes_what_statsmodels_rejects():
    """The same hypotheses, by an independent implementation of the steps."""
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(7)
    found = [bound(rng.normal(mean, 0.3, 60)) for mean in np.linspace(-0.15, 0.1, 12)]
    passes = [one for _, one in compatible_bounds([[each] for each in found])]
    rejected = multipletests([each.chance(LIMIT) for each in found], 0.05, method="holm")[0]
    assert passes == rejected.tolist()
    assert 0 < sum(passes) < 12


def test_bounds_agree_with_what_passes():
    """A bound is at most the limit exactly where the shortcut passes."""
    rng = np.random.default_rng(8)
    for means in (np.linspace(-0.15, 0.1, 12), np.full(5, -0.6)):
        found = compatible_bounds([[bound(rng.normal(mean, 0.3, 60))] for mean in means])
        assert [upper <= LIMIT for upper, _ in found] == [passes for _, passes in found]


def test_where_all_pass_the_bounds_are_bonferronis():
    """They are then below the limit, and say by how much."""
    rng = np.random.default_rng(9)
    rivals = [bound(rng.normal(-0.6, 0.3, 60)) for _ in range(5)]
    found = compatible_bounds([[each] for each in rivals])
    assert [upper for upper, _ in found] == [each.upper(0.01) for each in rivals]


def test_the_worst_of_several_ways_counts():
    """A shortcut built in two ways passes where both do, without another adjustment."""
    rng = np.random.default_rng(10)
    weak, strong = bound(rng.normal(-0.5, 0.2, 60)), bound(rng.normal(0.5, 0.2, 60))
    ((upper, passes),) = compatible_bounds([[weak, strong]])
    assert not passes
    assert upper == strong.upper(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["left", "normal", "right"])
def test_familywise_error_is_held(shape):
    """Of 12 shortcuts 8 have exactly the limit, in skewed losses: any passes in 5% of the audits.

    One audit's error is a coin of at most .05, so over 300 audits its share exceeds .05 by more
    than 3.3 standard errors with a chance below 1 in 2000.
    """
    rng = np.random.default_rng(len(shape))
    audits, shortcuts, true, bases = 300, 12, 8, 60
    errors = 0
    for number in range(audits):
        noise = {
            "left": 1.0 - rng.exponential(size=(shortcuts, bases)),
            "normal": rng.normal(size=(shortcuts, bases)),
            "right": rng.gamma(4.0, size=(shortcuts, bases)) / 2.0 - 2.0,
        }[shape]
        means = np.where(np.arange(shortcuts) < true, LIMIT, -0.3)[:, None]
        floors = rng.uniform(0.2, 0.6, bases)
        losses = (1.0 - means - 0.3 * noise) * floors
        # A loss below 0 stands for nothing, but the test is of means alone.
        draws = draws_for(shortcuts)
        found = bounds_of(losses, floors, draws=draws, rng=np.random.default_rng(number))
        passes = [one for _, one in compatible_bounds([[each] for each in found])]
        errors += any(passes[:true])
    assert errors / audits <= 0.05 + 3.3 * math.sqrt(0.05 * 0.95 / audits)
