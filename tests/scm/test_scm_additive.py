"""Mechanisms with an expression and additive noise: reading, laws, drawing, exchange."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from causalbench.errors import WorldError
from causalbench.rng import generator
from causalbench.scm import SCM, AdditiveMechanism, Noise
from causalbench.scm.expression import parse_expression

WORLD = {
    "schema": 1,
    "variables": {name: {"kind": "real"} for name in ("z", "x x", "m", "y")},
    "mechanisms": {
        "z": {"equation": "1", "noise": {"laplace": 0.7}},
        "x x": {"linear": {"z": 0.5}, "intercept": 0, "std": 1.5},
        "m": {"equation": "tanh(`x x`)", "noise": {"uniform": [-0.5, 0.25]}},
        "y": {"equation": "2 * m ** 2 + sin(z) - `x x`", "noise": {"student_t": [5, 0.5]}},
    },
}
LAWS = {
    "normal": (Noise("normal", (1.5,)), stats.norm(scale=1.5)),
    "uniform": (Noise("uniform", (-1.0, 3.0)), stats.uniform(-1, 4)),
    "laplace": (Noise("laplace", (0.5,)), stats.laplace(scale=0.5)),
    "logistic": (Noise("logistic", (2.0,)), stats.logistic(scale=2)),
    "student_t": (Noise("student_t", (4.0, 0.5)), stats.t(4, scale=0.5)),
}


@pytest.fixture
def world():
    """A world with linear and additive mechanisms."""
    return SCM.from_dict(WORLD)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7.0),
        ("-2 ** 2", -4.0),
        ("2 ** -1", 0.5),
        ("2 ** 3 ** 2", 512.0),
        ("10 - 4 - 3", 3.0),
        ("24 / 4 / 3", 2.0),
        ("(1 + 2) * -3", -9.0),
        ("2 * -x", -6.0),
        ("min(x, 5, 1) + max(x, 2)", 4.0),
        ("sin(x) ** 2 + cos(x) ** 2", 1.0),
        ("log(exp(x)) + sqrt(x * x) - abs(-x) + tanh(0)", 3.0),
        ("(x > 2) + 10 * (x <= 2)", 1.0),
        ("x + 1 > 3 + 1", 0.0),
        ("1.5e1 + .5 + 2.", 17.5),
        ("exp * 2", 8.0),
        ("`a b` - x", 7.0),
        ("--x", 3.0),
    ],
)
def test_expressions_mean_what_they_say(text, expected):
    """Precedence, signs, functions and comparisons are those of arithmetic."""
    found = parse_expression(text)({"x": 3.0, "exp": 4.0, "a b": 10.0})
    assert float(found) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "1 +", "* 2", "(1", "1)", "()", "1 2", "x y", "sin", "sin()", "sin(1, 2)",
        "min(1)", "foo(x)", "__import__('os')", "x.y", "x[0]", "x = 1", "x == 1", "1 < x < 2",
        "lambda: 1", "x if y else z", "'a'", '"a"', "1e999", "1_000", "0x10", "1if", "1j", "x; y",
        "x\n+", "`", "``", "x // 2", "x % 2", "x @ y", "x and y", "not x", "x ^ 2", "x,y", "é(1)",
        "2x", "1..2", "sin(1", "\\", "#", "x # y", "(" * 100 + "1" + ")" * 100, "-" * 500 + "1",
        "2" + "**2" * 500, "x" * 5000, "`x` (1)",
    ],
)  # fmt: skip
def test_garbage_is_refused_in_one_line(text):
    """What is no expression is a `WorldError` of one line, whatever it is."""
    with pytest.raises(WorldError) as caught:
        AdditiveMechanism(("x", "sin"), text)
    assert (len(str(caught.value).splitlines()), len(str(caught.value)) < 400) == (1, True)


def test_long_sums_do_not_recurse():
    """A sum of a thousand terms is read, printed and evaluated."""
    found = parse_expression(" + ".join(["x"] * 900))
    assert (float(found({"x": 1.0})), parse_expression(str(found))) == (900.0, found)


ATOMS = st.sampled_from(["x", "y", "1", "2.5", "`a b`"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**", "<"]), inner).map(
            lambda t: f"({t[0]}) {t[1]} ({t[2]})"
        ),
        inner.map(lambda t: f"-({t})"),
        st.tuples(st.sampled_from(["sin", "tanh", "abs"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS)
def test_normal_form_reads_back(text):
    """Printing leaves out brackets that are not needed, and none that are."""
    found = parse_expression(text)
    assert parse_expression(str(found)) == found


def test_normal_form_makes_equal_mechanisms():
    """Blanks and spare brackets are no part of a mechanism."""
    one = AdditiveMechanism(("x", "z"), "2*x**2+(sin(z))", Noise("normal", (1,)))
    two = AdditiveMechanism(("z", "x"), "2 * (x ** 2) + sin( z )", Noise("normal", (1.0,)))
    assert (one, one.parents, one.expression) == (two, ("x", "z"), "2 * x ** 2 + sin(z)")


@pytest.mark.parametrize("law", LAWS)
def test_laws_agree_with_scipy(law):
    """Quantiles, log density and mass, in both tails too, are scipy's."""
    ours, theirs = LAWS[law]
    u = np.array([1e-9, 0.01, 0.3, 0.5, 0.77, 0.999])
    assert ours.quantile(u) == pytest.approx(theirs.ppf(u), rel=1e-9)
    x = np.array([-0.9, 0.0, 0.4, 2.9])
    assert ours.density(x) == pytest.approx(theirs.logpdf(x), rel=1e-10)
    low, high = theirs.isf(1e-8), theirs.isf(1e-9)
    expected = theirs.sf(low) - theirs.sf(high)
    assert float(ours.mass(low, high)) == pytest.approx(expected, rel=1e-6)
    assert float(ours.mass(-math.inf, 0.3)) == pytest.approx(theirs.cdf(0.3), rel=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_draws_between_bounds_follow_the_law(law):
    """The u-quantile of the noise between two bounds leaves the share u of their mass below."""
    ours, theirs = LAWS[law]
    for low, high in [(-0.7, 0.1), (0.2, math.inf), (-math.inf, 0.9), (1.1, 2.3)]:
        for u in (0.001, 0.4, 0.97):
            x = float(ours.between(np.float64(u), low, high))
            share = float(ours.mass(low, x) / ours.mass(low, high))
            assert (low <= x <= high, share) == (True, pytest.approx(u, rel=1e-7))
    assert theirs.sf(float(ours.between(np.float64(0.5), 1.0, math.inf))) > 0


@pytest.mark.parametrize("law", LAWS)
def test_densities_integrate_to_masses(law):
    """The density is the derivative of the mass."""
    ours, _ = LAWS[law]
    found, _ = quad(lambda x: math.exp(float(ours.density(x))), -0.5, 1.25)
    assert found == pytest.approx(float(ours.mass(-0.5, 1.25)), rel=1e-10)


@pytest.mark.parametrize("df", [1e8, 1e12, 1e16, 1e308])
def test_student_t_of_very_many_degrees_is_normal(df):
    """Its constant is a difference of huge numbers, which must not lose its digits."""
    law, normal = Noise("student_t", (df, 1.0)), Noise("normal", (1.0,))
    assert law.density(0.7) == pytest.approx(normal.density(0.7), abs=1e-7)
    assert law.mass(-1.0, 1.0) == pytest.approx(normal.mass(-1.0, 1.0), abs=1e-7)


@pytest.mark.parametrize("law", [Noise("normal", (1e-320,)), Noise("uniform", (0.0, 5e-324))])
def test_scales_next_to_nothing_have_no_overflow(law):
    """Numbers of ordinary size lie where there is no density left."""
    assert law.density(1.0) == -np.inf
    assert law.mass(-1.0, 1.0) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"normal": 0}, "std is 0; give more than 0, or leave the noise out"),
        ({"normal": -1}, "std is -1"),
        ({"normal": math.nan}, "std is nan"),
        ({"normal": [1, 2]}, "'normal' takes std, not 2 numbers"),
        ({"uniform": [2, 1]}, "uniform from 2 to 1 is empty"),
        ({"uniform": 0}, "is empty"),
        ({"student_t": [2, 1]}, "df is 2; over 2"),
        ({"student_t": 3}, "takes df, scale, not 1 numbers"),
        ({"gauss": 1}, "there is no law 'gauss'"),
        ({}, "0 laws are given"),
        ({"normal": 1, "laplace": 1}, "2 laws are given"),
        ({"normal": "1"}, "noise"),
        ([0.5, 0.5], "name the law"),
    ],
)
def test_bad_noise_is_refused_with_its_place(form, message):
    """A malformed law names the variable and what is wrong."""
    data = {**WORLD, "mechanisms": {**WORLD["mechanisms"], "m": {"equation": "z", "noise": form}}}
    with pytest.raises(WorldError, match="mechanism of 'm'") as caught:
        SCM.from_dict(data)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"equation": "z + q"}, "there is no parent 'q'"),
        ({"equation": "z +"}, "equation 'z +' at column 4"),
        ({"equation": "z", "std": 1}, "'std' does not go with 'equation'"),
        ({"equation": "m + 1"}, "edge 'm -> m' joins a node to itself"),
        ({"parents": ["z"], "cpt": [[0.5, 0.5]]}, "needs 'linear' or 'equation'"),
    ],
)
def test_bad_equations_are_refused_with_their_place(entry, message):
    """A malformed equation names the variable and the column."""
    data = {**WORLD, "mechanisms": {**WORLD["mechanisms"], "m": entry}}
    with pytest.raises(WorldError, match="'m") as caught:
        SCM.from_dict(data)
    assert message in str(caught.value)


def test_noise_needs_a_real_variable():
    """A discrete variable's equation takes no noise."""
    data = {
        "schema": 1,
        "variables": {"a": {"values": ["0", "1"]}},
        "mechanisms": {"a": {"equation": "1", "noise": {"normal": 1}}},
    }
    with pytest.raises(WorldError, match="'noise' does not go with the 'equation'"):
        SCM.from_dict(data)


def test_parents_are_the_names_in_the_expression():
    """A parent that the expression leaves out would be lost on the way through JSON."""
    with pytest.raises(WorldError, match="the parent 'z' does not stand in it"):
        AdditiveMechanism(("x", "z"), "2 * x")


def test_json_round_trip(world):
    """A world with additive mechanisms survives JSON and pickling, digest and all."""
    again = SCM.from_dict(world.to_dict())
    assert (again, again.digest, pickle.loads(pickle.dumps(world))) == (world, world.digest, world)  # noqa: S301  (our own bytes)


def test_kinds(world):
    """Mixed worlds are real, and linear only if every mechanism is."""
    linear = world.replace(mechanisms={n: world.mechanism("x x").forced(0.0) for n in world.names})
    kinds = [(w.is_real, w.is_linear, w.is_discrete) for w in (world, linear)]
    assert (kinds, "additive-noise" in repr(world)) == (
        [(True, False, False), (True, True, False)],
        True,
    )


def test_rename_and_reorder(world):
    """The same units come out under new names, in another order of declaration."""
    noise = world.draw_noise(5, rng=generator(0, "units"))
    other = world.rename({"x x": "dose", "z": "an age"}).reorder(["y", "m", "dose", "an age"])
    renamed = {"an age": noise["z"], "dose": noise["x x"], "m": noise["m"], "y": noise["y"]}
    assert other.solve(renamed)["y"].tolist() == world.solve(noise)["y"].tolist()


def test_equal_worlds_draw_equal_units(world):
    """The order of declaration takes no part in the draws."""
    other = world.reorder(["y", "m", "x x", "z"])
    first, second = (w.draw(7, rng=generator(3, "draw")) for w in (world, other))
    assert {n: v.tolist() for n, v in first.items()} == {n: second[n].tolist() for n in first}


def test_draws_follow_the_laws(world):
    """Noise read off a sample passes a test of its law."""
    drawn = world.draw(4000, rng=generator(1, "sample"))
    rest = drawn["m"] - np.tanh(drawn["x x"])
    assert stats.kstest(rest, stats.uniform(-0.5, 0.75).cdf).pvalue > 1e-4
    rest = drawn["y"] - (2 * drawn["m"] ** 2 + np.sin(drawn["z"]) - drawn["x x"])
    assert stats.kstest(rest, stats.t(5, scale=0.5).cdf).pvalue > 1e-4


FORCED = st.dictionaries(
    st.sampled_from(["z", "x x", "m", "y"]), st.floats(-5, 5, width=32), max_size=3
)


@settings(max_examples=40, deadline=None)
@given(FORCED, st.integers(0, 1000))
def test_effectiveness_and_agreement_of_do(settings_, seed):
    """Forced variables are what they are forced to, and `do` is `solve` with do."""
    world = SCM.from_dict(WORLD)
    noise = world.draw_noise(3, rng=generator(seed, "laws"))
    solved, forced = world.solve(noise, settings_), world.do(settings_).solve(noise)
    for name in world.names:
        assert np.array_equal(solved[name], np.broadcast_to(forced[name], solved[name].shape))
    assert all(np.all(solved[name] == value) for name, value in settings_.items())


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["z", "x x", "m"]), st.integers(0, 1000))
def test_composition(name, seed):
    """Forcing what would have been so anyway changes nothing."""
    world = SCM.from_dict(WORLD)
    noise = world.draw_noise(3, rng=generator(seed, "laws"))
    natural = world.solve(noise)
    again = world.solve(noise, {name: natural[name]})
    assert {n: v.tolist() for n, v in again.items()} == {n: v.tolist() for n, v in natural.items()}


@pytest.mark.parametrize(
    ("equation", "forced", "why"),
    [
        ("log(x)", -1.0, "log(-1)"),
        ("sqrt(x)", -1.0, "sqrt(-1)"),
        ("1 / x", 0.0, "1 / 0"),
        ("x ** 0.5", -1.0, "-1 ** 0.5"),
        ("exp(x)", 1000.0, "exp(1000)"),
        ("tanh(exp(x))", 1000.0, "exp(1000)"),
        ("(log(x) > 0) + 1", -1.0, "log(-1)"),
    ],
)
def test_undefined_values_name_the_variable(equation, forced, why):
    """A step outside its domain is one clear line, and never NaN."""
    world = SCM.from_dict(
        {
            "schema": 1,
            "variables": {"x": {"kind": "real"}, "y": {"kind": "real"}},
            "mechanisms": {
                "x": {"equation": "5", "noise": {"uniform": 1}},
                "y": {"equation": equation, "noise": {"normal": 1}},
            },
        }
    )
    with pytest.raises(WorldError, match="'y' = ") as caught:
        world.do(x=forced).draw(2, rng=generator(0, "domain"))
    assert why in str(caught.value)


def test_dowhy_gives_the_same_counterfactuals(world):
    """An invertible model of dowhy.gcm abducts the same noise from full evidence."""
    from dowhy import gcm

    units = world.sample(6, rng=generator(0, "dowhy"))
    found = gcm.counterfactual_samples(
        world.to_dowhy(), {"x x": lambda _: 0.5}, observed_data=units
    )
    noise = world.draw_noise(6, rng=generator(0, "dowhy"))
    expected = world.solve(noise, {"x x": 0.5})
    for name in world.names:
        assert found[name].to_numpy(float) == pytest.approx(expected[name], abs=1e-9)


def test_dowhy_draws_interventions_from_the_same_law(world):
    """Means after an intervention agree within five standard errors."""
    from dowhy import gcm
    from dowhy.gcm.util.general import set_random_seed

    set_random_seed(0)
    n = 20_000
    found = gcm.interventional_samples(
        world.to_dowhy(), {"x x": lambda _: 0.5}, num_samples_to_draw=n
    )
    ours = world.draw(n, rng=generator(0, "means"), do={"x x": 0.5})
    for name in ("z", "m", "y"):
        error = math.sqrt((found[name].var() + ours[name].var()) / n)
        assert abs(found[name].mean() - ours[name].mean()) < 5 * error


def test_dowhy_has_no_way_back(world):
    """Reading additive models back is refused, with the node named."""
    with pytest.raises(WorldError, match="from_dowhy: the noise of 'z'"):
        SCM.from_dowhy(world.to_dowhy())
