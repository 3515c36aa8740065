"""Estimands: their text, their LaTeX, their value, and how they are simplified."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

import causalbench as cb
from causalbench.errors import AccessError, PositivityError, QueryError, TooWideError
from causalbench.scm import SCM, Variable
from causalbench.scm.couplings import monotone
from causalbench.truth.identify.estimand import Index, Law, Linear, Product, Ratio, Sum
from causalbench.truth.identify.simplify import simplify
from causalbench.truth.knowledge import Knowledge
from causalbench.truth.permitted import Permitted

X, X2, Y, Y2, Z = Index("x"), Index("x", 1), Index("y"), Index("y", 1), Index("z")
SEE, DO = Knowledge("see", "diagram"), Knowledge("do", "diagram")


def at(**labels):
    """Return settings."""
    return tuple(labels.items())


BACK_DOOR = Sum((Z,), Product((Law(at(y="1"), at(x="1", z=Z)), Law(at(z=Z)))))


def confounded(z=(0.25, 0.75), x=((0.5, 0.5), (0.25, 0.75))):
    """Return z -> x -> y <- z with labels 0 and 1."""
    y = np.array([[[0.875, 0.125], [0.25, 0.75]], [[0.625, 0.375], [0.125, 0.875]]])
    return model({"z": ((), z), "x": (("z",), x), "y": (("x", "z"), y)})


def model(tables):
    """Return a model with independent noise from name -> (parents, CPT)."""
    variables, mechanisms = {}, {}
    for name, (parents, table) in tables.items():
        array = np.array(table)
        labels = tuple(map(str, range(array.shape[-1])))
        variables[name] = Variable(name, labels)
        mechanisms[name] = monotone(array, parents)
    return SCM(variables, mechanisms)


def seen(scm):
    """Return what is seen of a world."""
    return Permitted(scm, SEE)


def test_the_back_door_prints_as_a_textbook_does():
    """Indices print as the variable's name, fixed values with their label."""
    assert str(BACK_DOOR) == "sum_{z} P(y=1 | x=1, z) P(z)"


def test_latex_of_the_back_door():
    """The same in LaTeX."""
    assert BACK_DOOR.latex() == r"\sum_{z} P(y=1 \mid x=1, z) P(z)"


def test_marks_do_and_subsets_print():
    """A mark is a prime, `do` stands first behind the bar, a narrowed sum says its values."""
    among = Index("y", 0, ("1", "2"))
    law = Law((("y", among),), at(z="0"), at(x=X2))
    assert str(Sum((X2, among), law)) == "sum_{x', y in {1, 2}} P(y | do(x'), z=0)"


def test_odd_names_and_labels_are_quoted():
    """Names and labels follow the quoting rule of queries."""
    assert str(Law((("Lower Body", "<5"),))) == 'P("Lower Body"="<5")'


def test_brackets_keep_sums_ratios_and_differences_apart():
    """A sum in front of other factors, a ratio's compound parts, and inner sums get brackets."""
    law = Law(at(x="1"))
    both = Product((BACK_DOOR, law))
    assert str(both) == "(sum_{z} P(y=1 | x=1, z) P(z)) P(x=1)"
    assert str(Ratio(both, law)) == f"({both}) / P(x=1)"
    assert str(Product((Ratio(law, law), law))) == "(P(x=1) / P(x=1)) P(x=1)"
    assert str(Product((law, Linear(((1.0, law),), 1.0)))) == "P(x=1) (P(x=1) + 1)"


def test_a_linear_combination_prints_with_signs():
    """Weights of 1 are not written, minus signs stand between terms."""
    law = Law(at(x="1"))
    assert str(Linear(((-1.0, law), (0.5, BACK_DOOR)), -0.25)) == (
        "-P(x=1) + 0.5*sum_{z} P(y=1 | x=1, z) P(z) - 0.25"
    )
    assert (str(Linear(())), str(Product(()))) == ("0", "1")


def test_latex_of_a_ratio_and_long_names():
    """A ratio is a fraction, a long name stands upright."""
    law = Law(at(tar="yes"))
    assert Ratio(law, law).latex() == (
        r"\frac{P(\mathrm{tar}=\mathrm{yes})}{P(\mathrm{tar}=\mathrm{yes})}"
    )


def test_the_back_door_evaluates_to_the_truth():
    """The adjustment formula on the seen law is the interventional probability."""
    scm = confounded()
    truth = cb.truth(scm, "P(y=1 | do(x=1))").value
    assert BACK_DOOR.evaluate(seen(scm)) == pytest.approx(truth, abs=1e-15)


def test_hand_computed_back_door():
    """By hand: .25 * .375 + .75 * .875 = .75."""
    assert BACK_DOOR.evaluate(seen(confounded())) == pytest.approx(0.75, abs=1e-15)


def test_an_index_under_do_runs_over_experiments():
    """Experiments at each value of x, weighted."""
    estimand = Sum((X2,), Product((Law(at(y="1"), (), at(x=X2)), Law(at(x=X2)))))
    scm = confounded()
    wanted = sum(
        cb.truth(scm, f"P(y=1 | do(x={x}))").value * cb.truth(scm, f"P(x={x})").value for x in "01"
    )
    assert estimand.evaluate(Permitted(scm, DO)) == pytest.approx(wanted, abs=1e-15)


def test_a_narrowed_index_sums_over_its_labels_alone():
    """P(y in {1}) by a sum."""
    among = Index("y", 0, ("1",))
    scm = confounded()
    value = Sum((among,), Law((("y", among),), at(x="0"))).evaluate(seen(scm))
    assert value == pytest.approx(cb.truth(scm, "P(y=1 | x=0)").value, abs=1e-15)


def test_an_index_that_nothing_depends_on_counts_its_values():
    """A sum of a constant is the constant times the number of values."""
    law = Law(at(x="1"))
    once = law.evaluate(seen(confounded()))
    assert Sum((Z, Y), law).evaluate(seen(confounded())) == pytest.approx(4 * once, abs=1e-15)


def test_wide_sums_agree_with_narrow_ones():
    """A chain of 17 binary variables, summed index by index, gives the law of its end."""
    names = [f"v{i}" for i in range(17)]
    step = ((0.75, 0.25), (0.375, 0.625))
    tables = {
        name: ((names[i - 1],), step) if i else ((), (0.5, 0.5)) for i, name in enumerate(names)
    }
    scm = model(tables)
    over = tuple(Index(name) for name in names[:-1])
    points = [*zip(names[:-1], over, strict=True), (names[-1], "1")]
    factors = [Law((points[0],))]
    factors += [Law((now,), (before,)) for before, now in pairwise(points)]
    value = Sum(over, Product(tuple(factors))).evaluate(seen(scm))
    assert value == pytest.approx(cb.truth(scm, "P(v16=1)").value, abs=1e-13)


def test_a_sum_that_needs_too_large_a_table_is_refused():
    """All pairs of 28 binary variables: summing one out leaves a table of the 27 others."""
    names = [f"v{i}" for i in range(28)]
    scm = model(dict.fromkeys(names, ((), (0.5, 0.5))))
    over = {name: Index(name) for name in names}
    pairs = [Law(((a, over[a]), (b, over[b]))) for a, b in combinations(names, 2)]
    with pytest.raises(TooWideError, match="limit"):
        Sum(tuple(over.values()), Product(tuple(pairs))).evaluate(seen(scm))


def test_a_sum_over_more_variables_than_arrays_have_axes_is_refused():
    """As of every variable between the ends of a long chain."""
    tables = {"v0": ((), (0.5, 0.5))}
    for i in range(1, 80):
        tables[f"v{i}"] = ((f"v{i - 1}",), ((0.5, 0.5), (0.25, 0.75)))
    permitted = Permitted(model(tables), SEE)
    over = [Index(f"v{i}") for i in range(79)]
    factors = [Law(((f"v{i + 1}", "1"),), ((f"v{i}", over[i]),)) for i in range(79)]
    with pytest.raises(TooWideError, match=r"sums over 79 variables and arrays have 64 axes"):
        Sum(tuple(over), Product(tuple(factors))).evaluate(permitted)


def test_an_experiment_that_is_not_permitted_is_refused():
    """Whoever may only watch gets no law under do."""
    law = Law(at(y="1"), (), at(x="1"))
    with pytest.raises(AccessError, match="do"):
        law.evaluate(seen(confounded()))


def test_a_hidden_variable_is_refused():
    """Laws are over visible variables."""
    with pytest.raises(AccessError, match="hidden"):
        Law(at(u="1")).evaluate(seen(confounded()))


def test_a_free_index_is_refused():
    """A law at no point is no number."""
    with pytest.raises(QueryError, match="sum"):
        Law((("y", Y),)).evaluate(seen(confounded()))


def test_a_variable_twice_in_a_law_is_refused():
    """A law has one value for each variable."""
    for law in (Law(at(y="1"), at(y="1")), Law(at(x="1"), (), at(x="1"))):
        with pytest.raises(QueryError, match="twice"):
            law.evaluate(Permitted(confounded(), DO))


def test_a_condition_that_never_happens_makes_the_estimand_say_nothing():
    """Where z = 1 always has x = 0, P(y | x=1, z=1) is undefined, and z = 1 has weight."""
    scm = confounded(x=((0.5, 0.5), (1.0, 0.0)))
    with pytest.raises(PositivityError, match="zero"):
        BACK_DOOR.evaluate(seen(scm))


def test_undefined_times_zero_is_zero():
    """Where z = 1 never happens, P(y | x=1, z=1) is undefined, but has no weight."""
    scm = confounded(z=(1.0, 0.0))
    truth = cb.truth(scm, "P(y=1 | do(x=1))").value
    assert BACK_DOOR.evaluate(seen(scm)) == pytest.approx(truth, abs=1e-15)


def test_a_ratio_over_zero_is_undefined_even_under_a_ratio():
    """One over one over zero is not zero."""
    never = Law(at(z="1"))
    inner = Ratio(Law(at(z="0")), never)
    with pytest.raises(PositivityError):
        Ratio(Law(at(x="1")), inner).evaluate(seen(confounded(z=(1.0, 0.0))))


def test_chains_become_joint_laws_and_sums_drop_variables():
    """The sum over z of P(z) P(x | z) P(y | z, x) is P(x, y)."""
    chain = (Law(at(z=Z)), Law(at(x="1"), at(z=Z)), Law(at(y="1"), at(z=Z, x="1")))
    assert str(simplify(Sum((Z,), Product(chain)))) == "P(x=1, y=1)"


def test_a_ratio_of_a_law_and_its_margin_is_a_conditional():
    """P(x, y | z) / P(x | z) is P(y | x, z)."""
    ratio = Ratio(Law(at(x="1", y="1"), at(z="0")), Law(at(x="1"), at(z="0")))
    assert str(simplify(ratio)) == "P(y=1 | x=1, z=0)"


def test_a_law_summed_over_its_outcome_is_one():
    """The sum over y of P(y | x) is 1 and goes."""
    law = Law(at(x="1"))
    both = Product((Sum((Y,), Law((("y", Y),), at(z="0"))), law))
    assert simplify(both) == law


def test_common_factors_cancel():
    """P(x) P(y | z) / P(x) is P(y | z)."""
    ratio = Ratio(Product((Law(at(x="1")), Law(at(y="1"), at(z="0")))), Law(at(x="1")))
    assert str(simplify(ratio)) == "P(y=1 | z=0)"


def test_what_a_sum_does_not_touch_moves_in_front():
    """P(x) does not hang on z."""
    estimand = Sum((Z,), Product((Law(at(y="1"), at(x="1", z=Z)), Law(at(x="1")), Law(at(z=Z)))))
    assert str(simplify(estimand)) == "P(x=1) sum_{z} P(y=1 | x=1, z) P(z)"


def test_a_narrowed_sum_is_kept():
    """A sum over some values of y is not 1."""
    among = Index("y", 0, ("1", "2"))
    estimand = Sum((among,), Law((("y", among),), at(x="1")))
    assert simplify(estimand) == estimand


def test_the_back_door_stays_as_it_is():
    """Nothing is shorter."""
    assert simplify(BACK_DOOR) == BACK_DOOR
