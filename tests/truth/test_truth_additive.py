"""Worlds of additive noise: by hand, by quadrature, against closed forms, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import laplace, logistic, norm

from causalbench.errors import (
    QueryError,
    SimulationError,
    UnknownNameError,
    WorldError,
    ZeroProbabilityError,
)
from causalbench.rng import generator
from causalbench.scm import SCM, AdditiveMechanism, Noise, random_linear
from causalbench.task.explain import explain
from causalbench.truth import option_values, reading, truth, value
from causalbench.truth.additive import Plan
from causalbench.truth.chance import REPEATS, Tally, lattice
from causalbench.truth.exact import prepare
from causalbench.truth.montecarlo import LEAST_CASES, MOST_DRAWS
from causalbench.truth.support import impossible, range_of


def additive(**mechanisms):
    """Build a world from name -> equation, or (equation, noise)."""
    forms = {
        name: {"equation": each}
        if isinstance(each, str)
        else dict(zip(("equation", "noise"), each, strict=True))
        for name, each in mechanisms.items()
    }
    return SCM.from_dict(
        {"schema": 1, "variables": {n: {"kind": "real"} for n in forms}, "mechanisms": forms}
    )  # fmt: skip


UNIT = {"normal": 1}
SQUARE = additive(x=("0", UNIT), y=("x ** 2", UNIT))
# z confounds x and y; x -> m -> y and x -> y
WORLD = additive(
    z=("0", {"laplace": 1}),
    x=("z", UNIT),
    m=("tanh(x)", {"uniform": 0.5}),
    y=("x ** 2 + m + sin(z)", {"logistic": 0.5}),
)


def within(world, query, expected, deviations=4.0):
    """Check that a simulated value is within so many of its own standard errors."""
    found = truth(world, query)
    assert 0 < found.error < 1e-2
    assert abs(found.value - expected) <= deviations * found.error


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("P(y > 2 | do(x=1.5))", norm.sf(2 - 2.25)),
        ("P(y > 2 | x=1.5)", norm.sf(2 - 2.25)),
        ("P(y <= 2 | do(x=-1))", norm.cdf(1)),
        ("P(y > 1, y < 2 | do(x=1))", norm.cdf(1) - norm.cdf(0)),
        ("P(y > 3 | do(x=1), y > 2)", norm.sf(2) / norm.sf(1)),
        ("E[y | do(x=3)]", 9.0),
        ("E[y[x=1] | x=0, y=2]", 3.0),
        ("E[y[x=2] | x=1, y=3]", 6.0),
        ("E[y | x=1, y=3]", 3.0),
        ("P(y[x=2] > 5 | x=1, y=3)", 1.0),
        ("P(y[x=2] > 7 | x=1, y=3)", 0.0),
        ("P(y[x=2] = 6 | x=1, y=3)", 1.0),
        ("P(y[x=1] > 2, y[x=0] < 1.5)", norm.cdf(1.5) - norm.cdf(1)),
        ("P(y[x=1] > 2 | x=0, y > 1)", 1.0),
        ("P(y[x=1] > 3 | x=0, y > 1)", norm.sf(2) / norm.sf(1)),
        ("E[y | do(x=2)] - E[y | do(x=1)]", 3.0),
        ("E[x | x=2]", 2.0),
        ("E[y[x=2] | y[x=1]=4]", 7.0),
        ("P(x > 1)", norm.sf(1)),
        ("E[x]", 0.0),
    ],
)
def test_known_noise_gives_exact_answers(query, expected):
    """What is read off the noise, or integrated by a distribution function, has error 0."""
    found = truth(SQUARE, query)
    assert (found.value, found.error) == (pytest.approx(expected, abs=1e-14), 0.0)


def test_full_evidence_is_inverted_unit_by_unit():
    """A counterfactual from full evidence is what `solve` gives for the unit's own noise."""
    noise = WORLD.draw_noise(1, rng=generator(0, "unit"))
    unit, other = WORLD.solve(noise), WORLD.solve(noise, {"x": 0.5})
    evidence = ", ".join(f"{name}={float(column[0])!r}" for name, column in unit.items())
    for name in ("z", "m", "y"):
        found = truth(WORLD, f"E[{name}[x=0.5] | {evidence}]")
        assert (found.value, found.error) == (pytest.approx(float(other[name][0]), abs=1e-9), 0.0)


def test_mean_of_a_square():
    """E[x^2 + n] = 1."""
    within(SQUARE, "E[y]", 1.0)


def test_tail_of_a_square():
    """P(x^2 + n > 2) by quadrature over x."""
    expected, _ = quad(lambda x: norm.pdf(x) * norm.sf(2 - x * x), -12, 12, epsabs=1e-12)
    within(SQUARE, "P(y > 2)", expected)


def test_partial_evidence_by_quadrature():
    """E[y[x=2] | y=3] = 4 + E[3 - x^2 | y=3], the posterior of x by Bayes."""

    def weight(x):
        return norm.pdf(x) * norm.pdf(3 - x * x)

    mass, _ = quad(weight, -12, 12, epsabs=1e-13)
    moment, _ = quad(lambda x: weight(x) * (3 - x * x), -12, 12, epsabs=1e-13)
    within(SQUARE, "E[y[x=2] | y=3]", 4 + moment / mass)


def test_inequalities_by_quadrature():
    """P(x > 1 | y > 4) by Bayes."""

    def weight(x):
        return norm.pdf(x) * norm.sf(4 - x * x)

    part, _ = quad(weight, 1, 14, epsabs=1e-13)
    mass, _ = quad(weight, -14, 14, epsabs=1e-13, points=[0.0])
    within(SQUARE, "P(x > 1 | y > 4)", part / mass)


def test_confounding_by_quadrature():
    """Seeing x tells of z, setting it does not: P(y > 2 | x=1.5) and P(y > 2 | do(x=1.5))."""

    def tail(z):
        inner, _ = quad(
            lambda m: logistic.sf(2 - 2.25 - math.tanh(1.5) - m - math.sin(z), scale=0.5), -0.5, 0.5
        )
        return inner

    span = {"limit": 200, "epsabs": 1e-10}
    halves = [(-30, 0), (0, 30)]
    done = sum(quad(lambda z: laplace.pdf(z) * tail(z), *h, **span)[0] for h in halves)
    mass = sum(quad(lambda z: laplace.pdf(z) * norm.pdf(1.5 - z), *h, **span)[0] for h in halves)
    seen = sum(
        quad(lambda z: laplace.pdf(z) * norm.pdf(1.5 - z) * tail(z), *h, **span)[0] for h in halves
    )
    within(WORLD, "P(y > 2 | do(x=1.5))", done)
    within(WORLD, "P(y > 2 | x=1.5)", seen / mass)


def forced(noise, term):
    """Return a term's values by running every unit, nested worlds first."""
    variable, settings_ = term
    do = {n: s if isinstance(s, float) else forced(noise, s) for n, s in settings_.items()}
    return WORLD.solve(noise, do)[variable]


@pytest.mark.parametrize(
    ("query", "target", "above", "conditions"),
    [
        ("P(y[x=0] > 1 | y > 2, m < 0.5)", ("y", {"x": 0.0}), 1.0,
         [(("y", {}), 2.0, 1), (("m", {}), 0.5, -1)]),
        ("P(m[x=1] > 0.5 | y[x=0] > 1, x < 0)", ("m", {"x": 1.0}), 0.5,
         [(("y", {"x": 0.0}), 1.0, 1), (("x", {}), 0.0, -1)]),
        ("E[y[x=1, m=m[x=-1]] | z > 0]", ("y", {"x": 1.0, "m": ("m", {"x": -1.0})}), None,
         [(("z", {}), 0.0, 1)]),
        ("E[y[m=m[x=2]] | y[x=0.5] > 1]", ("y", {"m": ("m", {"x": 2.0})}), None,
         [(("y", {"x": 0.5}), 1.0, 1)]),
    ],
)  # fmt: skip
def test_units_run_one_by_one_agree(query, target, above, conditions):
    """Counterfactuals from partial evidence agree with counting units that meet it."""
    n = 200_000
    noise = WORLD.draw_noise(n, rng=generator(11, query))
    kept = np.ones(n, dtype=bool)
    for term, bound, sign in conditions:
        kept &= sign * (forced(noise, term) - bound) > 0
    values = np.broadcast_to(forced(noise, target), (n,))[kept]
    counted = values if above is None else (values > above).astype(float)
    found = truth(WORLD, query)
    spread = math.hypot(float(counted.std()) / math.sqrt(len(counted)), found.error)
    assert abs(found.value - float(counted.mean())) < 4 * spread


def test_evidence_apart_from_the_target_is_no_noise():
    """A condition that the target shares no chance with leaves the answer exact."""
    world = additive(a=("0", UNIT), b=("a ** 2", UNIT), x=("0", UNIT), y=("x ** 3", UNIT))
    found = truth(world, "P(y > 1 | do(x=1), b > 0.5)")
    assert (found.value, found.error) == (pytest.approx(0.5, abs=1e-14), 0.0)


def linear_twin(scm):
    """Return a linear-Gaussian world written as one of additive noise."""
    mechanisms = {}
    for name, each in scm.mechanisms.items():
        pairs = zip(each.weights.tolist(), each.parents, strict=True)
        text = " + ".join([repr(each.intercept), *(f"{w!r} * {p}" for w, p in pairs)])
        noise = Noise("normal", (each.std,)) if each.std > 0 else Noise()
        mechanisms[name] = AdditiveMechanism(each.parents, text, noise)
    return SCM(scm.variables, mechanisms)


def random_query(scm, rng):
    """Return a random query with up to two conditions near a unit that can occur."""
    units, names = scm.draw(3, rng=rng), list(scm.names)

    def subscript():
        if rng.random() < 0.5:
            return ""
        name = rng.choice(names)
        return f"[{name}={units[name][1]:.3f}]"

    given_ = []
    for name in rng.choice(names, rng.integers(0, 3), replace=False):
        op, off = [("=", 0.0), (">", -1.0), ("<", 1.0)][rng.integers(3)]
        given_.append(f"{name}{subscript()} {op} {units[name][0] + off:.3f}")
    condition = f" | {', '.join(given_)}" if given_ else ""
    target = rng.choice(names)
    if rng.random() < 0.5:
        return f"E[{target}{subscript()}{condition}]"
    return f"P({target}{subscript()} > {units[target][2]:.3f}{condition})"


@pytest.mark.slow
def test_simulation_agrees_with_the_closed_form():
    """Linear-Gaussian worlds written as equations: within four standard errors of the truth.

    Among 80 questions some must be exact and some simulated; the deviations in standard errors
    have a spread near 1, so the errors are neither too small nor too large.
    """
    rng = np.random.default_rng(7)
    exact, deviations = 0, []
    for seed in range(80):
        scm = random_linear(rng=generator(seed, "conjugate"), n=4, hidden=1)
        query = random_query(scm, rng)
        try:
            expected = value(scm, query)
        except ZeroProbabilityError:
            with pytest.raises(ZeroProbabilityError):
                value(linear_twin(scm), query)
            continue
        judge, parsed = prepare(linear_twin(scm), query)
        found, error = judge.quantity(parsed.terms[0][1])
        if error == 0.0:
            exact += 1
            assert (query, found) == (query, pytest.approx(expected, rel=1e-7, abs=1e-9))
        else:
            deviations.append((found - expected) / error)
    assert (exact > 15, len(deviations) > 30) == (True, True)
    assert max(map(abs, deviations)) <= 4
    assert 0.6 < float(np.std(deviations)) < 1.5


NATURAL = "E[y[x=1, m=m[x=0]]] - E[y[x=0]]"


@pytest.mark.parametrize(
    "query", ["P(y > 1)", "E[y | do(x=1)]", "P(y > 1 | x=0.5, m < 1)", NATURAL]
)
def test_a_query_is_its_own_reading(query):
    """From its rung on a reading is the truth itself, to the last bit."""
    found = truth(WORLD, query)
    kinds = {1: ("see", "do"), 2: ("do",), 3: ()}[found.rung]
    assert [found.readings[kind] for kind in (*kinds, "imagine")] == [found.value] * (
        len(kinds) + 1
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    ["E[y | do(t=1)]", "E[y[t=1] | t=0, y=2]", "P(y[t=1] > 1 | t=0, m > 0)",
     "E[y[t=1, m=m[t=0]]] - E[y[t=0]]"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["marginal", "see", "do"])
def test_readings_agree_with_the_closed_form(query, kind):
    """The readings of a linear-Gaussian world do not hang on how it is written down."""
    scm = SCM.from_dict(
        {
            "schema": 1,
            "variables": {n: {"kind": "real"} for n in "utmy"},
            "mechanisms": {
                "u": {"linear": {}, "std": 1.0},
                "t": {"linear": {"u": 0.8}, "std": 1.0},
                "m": {"linear": {"t": 1.2}, "std": 0.5},
                "y": {"linear": {"t": -0.6, "m": 0.9, "u": 1.0}, "std": 0.5},
            },
        }
    )
    # A nested value is a mean over 64 quantiles; what they leave out of the tails bounds the rest.
    close = 0.02 if "m[t=0]" in query else 1e-3
    assert reading(linear_twin(scm), query, kind) == pytest.approx(
        reading(scm, query, kind), abs=close
    )


def test_the_same_question_gives_the_same_bytes():
    """Draws come from the world alone: again, and in another order of declaration, alike."""
    query = "P(y[x=0] > 1 | y > 2)"
    again = WORLD.reorder(["y", "m", "x", "z"])
    assert truth(again, query) == truth(WORLD, query)


def test_numbers_are_not_taken_for_nodes():
    """y[x=0] and y of the first node's x are two things, though 0 and 0.0 are equal."""
    assert 0 < value(SQUARE, "P(y[x=0] < 1, y > 3)") < value(SQUARE, "P(y > 3)") < 1
    assert value(SQUARE, "E[y[x=0]]") == 0.0


def test_choices_take_the_best_action():
    """A choice is its best option, with the largest error of all."""
    found = truth(SQUARE, "argmax a in {x=0, x=2, pass}: E[y | do(a)]")
    assert (found.value, found.error > 0) == ("x=2", True)
    expected = {"x=0": 0.0, "x=2": 4.0, "pass": pytest.approx(1.0, abs=1e-3)}
    assert option_values(SQUARE, "argmax a in {x=0, x=2, pass}: E[y | do(a)]") == expected


def test_deterministic_variables_pass_values_on():
    """A variable without noise is a function: what it tells is told of its parents."""
    world = additive(x=("0", UNIT), d="2 * x + 1", y=("d ** 2", UNIT))
    assert truth(world, "E[y[x=1] | x=0, y=3]").value == pytest.approx(11.0, abs=1e-12)
    assert truth(world, "E[y | do(d=3)]").error == 0.0
    assert truth(world, "P(d > 4 | x=2)").value == 1.0


@pytest.mark.parametrize(
    "query",
    ["E[y | x=1, x=2]", "E[y | x=1, x > 3]", "E[y | do(x=1), x=2]", "P(y > 0 | m > 3)",
     "P(y > 0 | m=3)", "P(y > 0 | x=0, m=3)", "E[y[x=0] | x=1, y=2, y=3]",
     "E[y | m[x=1]=0.1, m[x=1] < 0]"],
)  # fmt: skip
def test_impossible_conditions_are_found(query):
    """What bounded noise, or the condition itself, rules out is a `ZeroProbabilityError`."""
    with pytest.raises(ZeroProbabilityError):
        value(WORLD, query)


def test_two_copies_that_disagree_are_impossible():
    """One noise cannot have two values: y[x=1] - y[x=0] is 1 in every unit."""
    assert value(SQUARE, "E[y | y[x=1]=3, y[x=0]=2, x=4]") == pytest.approx(18.0)
    with pytest.raises(ZeroProbabilityError):
        value(SQUARE, "E[y | y[x=1]=3, y[x=0]=1]")


def test_rare_conditions_are_refused():
    """Too small an effective sample size is one line: what, why, what to do."""
    world = additive(x=("0", UNIT), y=("x", {"normal": 1e-7}))
    with pytest.raises(SimulationError, match="too rare to answer from draws") as caught:
        value(world, "E[x | y=3]")
    assert (f"{MOST_DRAWS:,}" in str(caught.value), f"{LEAST_CASES:,}" in str(caught.value)) == (
        True,
        True,
    )


def test_rare_conditions_leave_a_readings_action_out():
    """Setting x far beyond what is ever seen has an answer; its see reading drops the condition."""
    found = truth(WORLD, "E[y | do(x=30)]")
    assert found.value == pytest.approx(900 + 1, abs=1e-2)
    assert found.readings["see"] == found.readings["marginal"]


def test_readings_within_the_error_count_as_right():
    """Seeing x and setting x, both simulated, are one where nothing confounds them."""
    world = additive(x=("0", UNIT), m=("x", UNIT), y=("m ** 2", UNIT))
    told = explain(world, "E[y | do(x=2)]")
    assert told.splitlines()[-1].endswith("marginal; right: see, do, imagine.")


def test_equalities_without_noise_are_refused():
    """Draws never meet an equality on a function of what is drawn."""
    world = additive(x=("0", UNIT), z=("0", UNIT), d="x + z")
    with pytest.raises(SimulationError, match="an equality on 'd' finds no noise"):
        value(world, "E[x | d=1]")


def test_heavy_tails_are_refused():
    """A mean without a variance has no standard error."""
    world = additive(x=("0", {"laplace": 2}), y=("exp(x)", UNIT))
    with pytest.raises(SimulationError, match="no finite variance"):
        value(world, "E[y]")


def test_single_numbers_have_no_probability():
    """P(y = 2) is refused as in linear-Gaussian worlds."""
    with pytest.raises(QueryError, match="'y' is real, so P"):
        value(WORLD, "P(y = 2)")


def test_domain_errors_name_the_variable():
    """A logarithm of a negative is a `WorldError`, never NaN."""
    world = additive(x=("0", UNIT), y=("log(x)", UNIT))
    with pytest.raises(WorldError, match=r"'y' = log\(x\): log\(-"):
        value(world, "E[y]")
    assert value(world, "E[y | do(x=1)]") == 0.0


def test_names_are_checked_without_a_vocabulary():
    """A query made by hand cannot name what is not there."""
    _, parsed = prepare(WORLD, "E[y]")
    with pytest.raises(UnknownNameError, match="no variable 'y'"):
        value(additive(x=("0", UNIT)), parsed)


@settings(max_examples=25, deadline=None)
@given(st.floats(-2, 2, width=16), st.floats(-2, 2, width=16))
def test_consistency(x, y):
    """Where x was x, y[x] is y: the counterfactual merges with what happened."""
    judge, parsed = prepare(SQUARE, f"E[y[x={x!r}] | x={x!r}, y={y!r}]")
    assert judge.quantity(parsed.terms[0][1]) == (y, 0.0)


@settings(max_examples=5, deadline=None)
@given(st.floats(-2, 2, width=16), st.floats(-2, 2, width=16))
def test_probabilities_add_up(x, c):
    """P(y > c) and P(y <= c) come from the same draws and sum to 1."""
    above, below = (value(WORLD, f"P(y {op} {c!r} | do(x={x!r}))") for op in (">", "<="))
    assert above + below == pytest.approx(1.0, abs=1e-12)


def test_worlds_merge_in_a_plan():
    """Evidence turns its node into a number, and worlds that read the same share nodes."""
    _, parsed = prepare(WORLD, "E[y[x=1] | x=1, z=0]")
    quantity = parsed.terms[0][1]
    plan = Plan(WORLD, quantity.given, [quantity.term])
    assert [node.variable for node in plan.nodes] == ["z", "x", "m", "y"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + y", (-1.0, 5.0)),
        ("x - y", (-4.0, 2.0)),
        ("x * y", (-3.0, 6.0)),
        ("x ** 2", (0.0, 4.0)),
        ("x ** 3", (-1.0, 8.0)),
        ("1 / x", (-math.inf, math.inf)),
        ("1 / (y + 1)", (0.25, 1.0)),
        ("-abs(x)", (-2.0, 0.0)),
        ("sqrt(y)", (0.0, math.sqrt(3))),
        ("log(y)", (-math.inf, math.log(3))),
        ("max(x, 1) + min(y, 2)", (1.0, 4.0)),
        ("sin(x)", (-1.0, 1.0)),
        ("exp(x) * (x > 0)", (0.0, math.exp(2))),
    ],
)
def test_intervals_hold_every_value(text, expected):
    """Interval arithmetic bounds an expression over x in [-1, 2] and y in [0, 3]."""
    formula = AdditiveMechanism(
        tuple(n for n in ("x", "y") if n in text.replace("exp", "").replace("max", "")), text
    ).formula
    found = range_of(formula, {"x": (-1.0, 2.0), "y": (0.0, 3.0)})
    assert found == pytest.approx(expected)


def test_possible_conditions_are_not_called_impossible():
    """What a unit shows is never ruled out."""
    for seed in range(20):
        unit = WORLD.draw(1, rng=generator(seed, "possible"))
        given_ = ", ".join(f"{name}={float(v[0])!r}" for name, v in unit.items())
        _, parsed = prepare(WORLD, f"E[y | {given_}]")
        assert not impossible(Plan(WORLD, parsed.terms[0][1].given, []))


def test_points_are_fixed_and_fill_the_square():
    """The lattice of a key is the same every time, and each axis is uniform."""
    first, again = (lattice(5, {"a": 0, "b": 3})(1, 1025) for _ in range(2))
    assert np.array_equal(first["a"], again["a"])
    for axis in first.values():
        assert (axis.shape, axis.min() > 0, axis.max() < 1) == ((REPEATS, 1024), True, True)
        assert float(axis.mean()) == pytest.approx(0.5, abs=1e-3)
    assert abs(float(np.corrcoef(first["a"].ravel(), first["b"].ravel())[0, 1])) < 0.02


def test_a_tally_rescales_as_weights_grow():
    """Weights are kept relative to the largest: their sums do not overflow."""
    tally = Tally()
    ones = np.zeros((REPEATS, 4))
    tally.add(ones + 10.0, 1.0, 4)
    tally.add(ones + 2000.0, 3.0, 4)
    assert (tally.mean, tally.effective) == (3.0, pytest.approx(4 * REPEATS))
