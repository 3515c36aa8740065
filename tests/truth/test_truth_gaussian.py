"""Linear-Gaussian worlds: closed forms against regression algebra, scipy and sampling by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from causalbench.errors import QueryError, UnknownNameError, WorldError, ZeroProbabilityError
from causalbench.scm import SCM, LinearMechanism, Variable
from causalbench.scm.random import random_linear
from causalbench.truth import reading, truth, truth_many, value
from causalbench.truth.normal import box_mean, box_probability


def linear(**mechanisms):
    """Build a world from name -> (weights, intercept, std)."""
    return SCM(
        {name: Variable(name, None) for name in mechanisms},
        {
            name: LinearMechanism(tuple(w), np.array(list(w.values()), dtype=float), a, s)
            for name, (w, a, s) in mechanisms.items()
        },
    )


# u confounds t and y; t -> m -> y and t -> y
WORLD = linear(
    u=({}, 0.5, 1.5),
    t=({"u": 0.8}, 1.0, 0.7),
    m=({"t": 1.2}, -0.3, 0.5),
    y=({"t": -0.6, "m": 0.9, "u": 2.0}, 0.2, 0.4),
)


def test_effects_beyond_floats_are_refused():
    """Coefficients that multiply past 1e100 are named, rather than answered by nan."""
    world = linear(x=({}, 0.0, 1e90), y=({"x": 1e300}, 0.0, 1.0))
    with pytest.raises(WorldError, match="'y' reaches beyond 1e\\+100"):
        truth(world, "P(y > 1)")


def moments(scm, names):
    """Return the mean and covariance of what is seen, by the textbook formula (I - B)^-1."""
    order = list(scm.order)
    B = np.zeros((len(order), len(order)))
    for i, name in enumerate(order):
        for parent, weight in zip(scm.parents(name), scm.mechanism(name).weights, strict=True):
            B[i, order.index(parent)] = weight
    inverse = np.linalg.inv(np.eye(len(order)) - B)
    mean = inverse @ [scm.mechanism(name).intercept for name in order]
    cov = inverse @ np.diag([scm.mechanism(name).std ** 2 for name in order]) @ inverse.T
    at = [order.index(name) for name in names]
    return mean[at], cov[np.ix_(at, at)]


def regression(scm, target, seen):
    """Return mean and variance of a variable given others, by the Schur complement."""
    mean, cov = moments(scm, [target, *seen])
    gain = np.linalg.solve(cov[1:, 1:], cov[1:, 0])
    centre = mean[0] + gain @ (np.array(list(seen.values())) - mean[1:])
    return centre, cov[0, 0] - gain @ cov[1:, 0]


def test_rung_one_is_regression():
    """E[y | t, m] is the regression of y on t and m."""
    expected, _ = regression(WORLD, "y", {"t": 1.5, "m": 0.4})
    assert expected == pytest.approx(value(WORLD, "E[y | t=1.5, m=0.4]"), abs=1e-12)


def test_probability_given_equalities():
    """P(y > 2 | t = 1.5) is one normal tail."""
    centre, variance = regression(WORLD, "y", {"t": 1.5})
    expected = norm.sf(2, centre, math.sqrt(variance))
    assert expected == pytest.approx(value(WORLD, "P(y > 2 | t=1.5)"), abs=1e-14)


def test_rung_two_is_the_mutilated_world():
    """P(y > 2 | do(t=1.5), m=0.4) is rung 1 of the world after do."""
    centre, variance = regression(WORLD.do(t=1.5), "y", {"m": 0.4})
    expected = norm.sf(2, centre, math.sqrt(variance))
    assert expected == pytest.approx(value(WORLD, "P(y > 2 | do(t=1.5), m=0.4)"), abs=1e-12)


def test_total_effect_is_the_sum_of_paths():
    """ATE of one unit of t: -0.6 + 1.2 * 0.9."""
    assert value(WORLD, "E[y | do(t=1)] - E[y | do(t=0)]") == pytest.approx(0.48, abs=1e-12)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("E[y[t=1, m=m[t=0]]] - E[y[t=0]]", -0.6),
        ("E[y[t=0, m=m[t=1]]] - E[y[t=0]]", 1.08),
    ],
)
@pytest.mark.parametrize("kind", ["do", "imagine"])
def test_natural_effects(query, expected, kind):
    """NDE and NIE are path coefficients; the do reading of a mean agrees with the truth."""
    assert expected == pytest.approx(reading(WORLD, query, kind), abs=1e-12)


def test_counterfactual_by_abduction():
    """A unit's effect is deterministic: Y[t+1] - Y = .48, whatever is seen."""
    actual = value(WORLD, "E[y[t=2.5] | t=1.5, y=3, m=1.0]")
    assert actual == pytest.approx(3 + 0.48, abs=1e-10)


def test_counterfactual_given_part_of_the_unit():
    """E[y[t=0] | t=1, y=2] = 2 - .48: the effect is constant over units."""
    assert value(WORLD, "E[y[t=0] | t=1, y=2]") == pytest.approx(2 - 0.48, abs=1e-10)


def test_certain_counterfactual_events():
    """What abduction settles has probability 1 or 0, equalities too."""
    queries = ["P(y[t=0] = 1.52 | t=1, y=2)", "P(y[t=0] > 1.6 | t=1, y=2)", "P(t[t=3] = 3)"]
    assert truth_many(WORLD, queries).tolist() == [1.0, 0.0, 1.0]


def test_parallel_lines_are_merged():
    """P(y[t=1] > a, y[t=0] < b) is one interval: the two differ by a constant."""
    mean, cov = moments(WORLD.do(t=0), ["y"])
    expected = norm.cdf(1.3, mean[0], math.sqrt(cov[0, 0])) - norm.cdf(
        1.2 - 0.48, mean[0], math.sqrt(cov[0, 0])
    )
    assert expected == pytest.approx(value(WORLD, "P(y[t=1] > 1.2, y[t=0] < 1.3)"), abs=1e-12)


def test_two_lines_against_scipy():
    """A bivariate orthant agrees with scipy within the stated error."""
    mean, cov = moments(WORLD, ["t", "y"])
    expected = multivariate_normal.cdf([1.0, 2.0], mean, cov, abseps=1e-10, maxpts=10**6)
    found = truth(WORLD, "P(t < 1, y < 2)")
    assert found.error < 1e-10
    assert expected == pytest.approx(found.value, abs=1e-8)


@pytest.mark.parametrize(
    ("rho", "expected"), [(r, 0.25 + math.asin(r) / (2 * math.pi)) for r in (-0.99, 0.3, 0.999999)]
)
def test_orthant_of_two_lines(rho, expected):
    """Sheppard's formula for the positive quadrant."""
    rows = np.array([[1.0, 0.0], [rho, math.sqrt(1 - rho * rho)]])
    found, error = box_probability([(row, 0.0, math.inf) for row in rows])
    assert abs(found - expected) <= max(error, 1e-12)


def test_orthant_of_three_lines():
    """The octant with equal correlations 1/2 has probability 1/4, within the stated error."""
    rows = np.linalg.cholesky(np.full((3, 3), 0.5) + 0.5 * np.eye(3))
    found, error = box_probability([(row, 0.0, math.inf) for row in rows])
    assert error < 1e-4
    assert abs(found - 0.25) <= error


def test_three_lines_give_the_same_number_every_time():
    """The lattice is fixed: no hidden randomness."""
    query = "P(t > 1, m > 0.5, y > 2)"
    assert truth(WORLD, query) == truth(WORLD, query)


def test_independent_groups_multiply_exactly():
    """Lines that share no noise are settled one by one, without error."""
    found, error = box_probability([(row, -1.0, 2.0) for row in np.eye(4)])
    assert error == 0.0
    assert found == pytest.approx((norm.cdf(2) - norm.cdf(-1)) ** 4, abs=1e-15)


def test_truncated_mean():
    """E[t | t > 1] is the inverse Mills ratio."""
    mean, cov = moments(WORLD, ["t"])
    spread = math.sqrt(cov[0, 0])
    cut = (1 - mean[0]) / spread
    expected = mean[0] + spread * norm.pdf(cut) / norm.sf(cut)
    assert expected == pytest.approx(value(WORLD, "E[t | t > 1]"), abs=1e-12)


def test_truncated_mean_of_another_variable():
    """E[y | t > 1, t < 2] follows t's truncated mean along the regression line."""
    mean, cov = moments(WORLD, ["y", "t"])
    inside = value(WORLD, "E[t | t > 1, t < 2]")
    expected = mean[0] + cov[0, 1] / cov[1, 1] * (inside - mean[1])
    assert expected == pytest.approx(value(WORLD, "E[y | t > 1, t < 2]"), abs=1e-12)


def test_truncated_mean_in_two_directions():
    """Tallis' formula agrees with a fine numerical integral over the box."""
    rows = np.array([[1.0, 0.0], [0.6, 0.8]])
    grid = np.linspace(-1, 9, 4001)
    weight = norm.pdf(grid) * norm.sf((0.5 - 0.6 * grid) / 0.8)
    expected = np.trapezoid(grid * weight, grid) / np.trapezoid(weight, grid)
    found, _ = box_mean(rows[0], [(rows[0], -1.0, math.inf), (rows[1], 0.5, math.inf)])
    assert expected == pytest.approx(found, abs=1e-5)


def test_far_tails_keep_their_digits():
    """P(t > mean + 20 deviations) keeps its relative precision."""
    mean, cov = moments(WORLD, ["t"])
    bound = float(mean[0] + 20 * math.sqrt(cov[0, 0]))
    cut = (bound - mean[0]) / math.sqrt(cov[0, 0])
    assert norm.sf(cut) == pytest.approx(value(WORLD, f"P(t > {bound!r})"), rel=1e-9)


def test_unequal_is_certain():
    """A real variable differs from any number almost surely."""
    assert value(WORLD, "P(y != 2)") == 1.0


def test_point_event_is_refused():
    """P(y = 2) is 0 whatever the world; the message says what to ask instead."""
    with pytest.raises(QueryError, match=r"ask for a range such as P\(y > 2\)"):
        value(WORLD, "P(y=2)")


def test_contradiction_is_a_zero_condition():
    """Evidence that contradicts itself names the condition."""
    with pytest.raises(ZeroProbabilityError, match=r"P\(t=1, t\[m=0\]=2\) = 0"):
        value(WORLD, "E[y | t=1, t[m=0]=2]")


def test_empty_range_is_a_zero_condition():
    """An empty range is a condition that never happens."""
    with pytest.raises(ZeroProbabilityError):
        value(WORLD, "E[y | t > 2, t < 1]")


def test_consistent_repetition_is_no_contradiction():
    """Saying the same thing twice, in worlds that agree, changes nothing."""
    once = value(WORLD, "E[y | t=1]")
    assert once == pytest.approx(value(WORLD, "E[y | t=1, t[m=0]=1, t=1]"), abs=1e-12)


def test_deterministic_mechanisms():
    """With std 0 throughout, everything is settled."""
    scm = linear(a=({}, 2.0, 0.0), b=({"a": 3.0}, 1.0, 0.0))
    queries = ["P(b=7)", "P(b > 7)", "P(b >= 7)", "E[b[a=1] | b=7]"]
    assert truth_many(scm, queries).tolist() == [1.0, 0.0, 1.0, 4.0]


def test_deterministic_contradiction():
    """Evidence against a certainty is a condition of probability zero."""
    scm = linear(a=({}, 2.0, 0.0), b=({"a": 3.0}, 1.0, 0.0))
    with pytest.raises(ZeroProbabilityError):
        value(scm, "E[a | b=8]")


def test_readings_of_a_counterfactual():
    """Rung-3 evidence on a descendant is dropped by do, and kept as a condition by see."""
    found = truth(WORLD, "E[y[t=0] | t=1, m=0.5]").readings
    assert found["do"] == pytest.approx(value(WORLD, "E[y | do(t=0)]"), abs=1e-12)
    assert found["see"] == pytest.approx(value(WORLD, "E[y | t=0, m=0.5]"), abs=1e-12)
    assert found["marginal"] == pytest.approx(value(WORLD, "E[y]"), abs=1e-12)


def test_see_reading_of_a_nested_event():
    """P(y[t=1, m=m[t=0]] > 1) by seeing: m drawn from its regression, y given t and m."""
    centre, spread = regression(WORLD, "m", {"t": 0.0})
    low, variance = regression(WORLD, "y", {"t": 1.0, "m": 0.0})
    high, _ = regression(WORLD, "y", {"t": 1.0, "m": 1.0})
    slope = high - low
    total = math.sqrt(variance + slope * slope * spread)
    expected = norm.sf(1, low + slope * centre, total)
    actual = reading(WORLD, "P(y[t=1, m=m[t=0]] > 1)", "see")
    assert expected == pytest.approx(actual, abs=1e-12)


def test_twin_probabilities_against_sampling():
    """PNS-like events agree with shared-noise sampling within five standard errors."""
    rng, n = np.random.default_rng(7), 200_000
    noise = WORLD.draw_noise(n, rng=rng)
    high = WORLD.solve(noise, {"t": 2.0})
    low = WORLD.solve(noise, {"m": 0.0})
    expected = np.mean((high["y"] > 2.5) & (low["y"] < 1.5))
    actual = value(WORLD, "P(y[t=2] > 2.5, y[m=0] < 1.5)")
    assert abs(expected - actual) < 5 * math.sqrt(actual * (1 - actual) / n)


def test_unknown_names_and_labels():
    """A name the world lacks, or a label where a number belongs, is refused."""
    with pytest.raises(UnknownNameError):
        value(WORLD, "E[q]")
    with pytest.raises(QueryError):
        value(WORLD, "P(y > high)")


def joint(scm, terms):
    """Return the mean and covariance of (variable, forced) terms by solving unit by unit."""
    names, n = list(scm.names), len(scm.names)
    units = {name: np.r_[0.0, np.eye(n)[i]] for i, name in enumerate(names)}
    rows = [np.broadcast_to(scm.solve(units, forced)[name], n + 1) for name, forced in terms]
    table = np.stack(rows)
    slopes = table[:, 1:] - table[:, :1]
    return table[:, 0], slopes @ slopes.T


@pytest.mark.parametrize("seed", range(20))
def test_random_counterfactuals_against_units(seed):
    """E and P of a term given terms of other worlds agree with the Schur complement."""
    rng = np.random.default_rng([seed, 40])
    scm = random_linear(rng=rng, n=5)
    names = list(scm.names)
    terms = []
    for _ in range(3):
        forced = rng.choice(names, size=int(rng.integers(0, 3)), replace=False)
        do = {str(name): float(np.round(rng.normal(), 2)) for name in sorted(forced)}
        terms.append((str(rng.choice([name for name in names if name not in do])), do))
    mean, cov = joint(scm, terms)
    if np.linalg.cond(cov[1:, 1:]) > 1e6:
        seen, gain = 1, np.array([cov[0, 1] / cov[1, 1]])  # the worlds merge: keep one term
    else:
        seen, gain = 2, np.linalg.solve(cov[1:, 1:], cov[1:, 0])
    values = np.round(mean[1 : 1 + seen] + rng.normal(size=seen), 3).tolist()
    centre = mean[0] + gain @ (values - mean[1 : 1 + seen])
    spread = math.sqrt(max(0.0, cov[0, 0] - gain @ cov[1 : 1 + seen, 0]))

    def shown(number):
        name, do = terms[number]
        return f"{name}[{', '.join(f'{k}={v!r}' for k, v in do.items())}]" if do else name

    given = ", ".join(f"{shown(i + 1)}={values[i]!r}" for i in range(seen))
    assert centre == pytest.approx(value(scm, f"E[{shown(0)} | {given}]"), abs=1e-9)
    if spread > 1e-6:
        bound = round(float(centre + spread / 2), 3)
        expected = norm.sf((bound - centre) / spread)
        actual = value(scm, f"P({shown(0)} > {bound!r} | {given})")
        assert expected == pytest.approx(actual, abs=1e-9)
