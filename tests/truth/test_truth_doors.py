"""The doors of the truth room: what they take, return and refuse."""

from __future__ import annotations

import gc
import importlib
import pydoc
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from truth_builders import bern, cpt, umbrella_rain, world

import causalbench.truth
from causalbench.errors import (
    CausalBenchError,
    QueryError,
    QuerySyntaxError,
    TooWideError,
    UnknownNameError,
    ZeroProbabilityError,
)
from causalbench.query import Atom, Expectation, Probability, Query, Term, parse
from causalbench.scm import SCM, Variable
from causalbench.truth import (
    best,
    certify,
    certify_options,
    interventional_tables,
    law,
    option_values,
    structure,
    table,
    truth,
    truth_many,
    value,
)

M1 = umbrella_rain()
RAIN = "P(rain=yes | do(umbrella=no))"


def test_truth_of_a_number():
    """A number comes with four readings, error 0, its rung, and no options."""
    found = truth(M1, RAIN)
    assert (found.rung, found.error, found.values, found.option_readings) == (2, 0.0, None, None)
    assert list(found.readings) == ["marginal", "see", "do", "imagine"]


def test_text_query_and_parsed_query_agree():
    """A string works wherever a query does."""
    assert truth(M1, RAIN) == truth(M1, parse(RAIN, M1.vocabulary))


def test_a_world_with_an_scm_is_a_world():
    """Anything with an ``scm`` is asked through it."""
    assert value(SimpleNamespace(scm=M1), RAIN) == value(M1, RAIN)


@pytest.mark.parametrize("ask", [truth, truth_many, value, causalbench.truth])
def test_a_name_is_not_a_world(ask):
    """What turns a name into a world is said."""
    with pytest.raises(QueryError, match=r"not a world; give the world that load_world"):
        ask("umbrella-rain", RAIN)


@pytest.mark.parametrize("given", [None, 3, [], SCM, np.zeros(2)])
@pytest.mark.parametrize("ask", [truth, value, certify, certify_options])
def test_what_is_no_world_is_refused(ask, given):
    """The message says what it is instead."""
    with pytest.raises(QueryError, match=r"is no world; give the world that load_world"):
        ask(given, RAIN)


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), 1e308])
def test_sums_that_are_no_number_are_refused(weight):
    """Neither NaN nor infinity is an answer."""
    asked = Query(parse(RAIN, M1.vocabulary).terms * 4)
    asked = Query(tuple((weight, quantity) for _, quantity in asked.terms), 1e308)
    with pytest.raises(QueryError, match=r"adds up to (nan|inf); give weights"):
        truth(M1, asked)
    with pytest.raises(QueryError, match=r"adds up to (nan|inf); give weights"):
        truth_many(M1, [asked])
    assert np.isnan(truth_many(M1, [asked], errors="nan")).all()


def test_a_name_is_no_world_to_parse_for():
    """As with `truth`."""
    with pytest.raises(QueryError, match=r"not a world; give the world that load_world"):
        causalbench.parse(RAIN, "umbrella-rain")


def test_the_package_is_callable():
    """``causalbench.truth(...)`` works although the name is also that of this package."""
    assert causalbench.truth(M1, RAIN) == truth(M1, RAIN)


@pytest.mark.parametrize(
    ("name", "first"), [("truth", "Answer a query"), ("board", "Verify submissions")]
)
def test_help_starts_with_the_function(name, first):
    """Whether a name is bound to the function or to its package, help says what the call does."""
    assert pydoc.getdoc(importlib.import_module(f"causalbench.{name}")).startswith(first)
    assert pydoc.getdoc(getattr(causalbench, name)).startswith(first)


def test_linear_combinations_and_constants():
    """Weights and a constant are applied to the quantities."""
    expected = 0.5 * value(M1, "P(rain=yes)") - 2 * value(M1, "P(wet=yes)") + 1
    assert expected == pytest.approx(value(M1, "0.5*P(rain=yes) - 2*P(wet=yes) + 1"), abs=1e-15)


def test_a_choice_has_no_number():
    """`value` refuses a choice and says where to go."""
    with pytest.raises(QueryError, match="ask truth"):
        value(M1, "argmax a in {pass, umbrella=no}: P(rain=yes | do(a))")


def test_option_values_by_label():
    """The fast door for choices gives numbers by label."""
    text = "argmax a in {pass, seed=yes}: P(rain=yes | do(a))"
    assert option_values(M1, text) == dict(truth(M1, text).values)


def test_option_values_of_a_plain_query():
    """`option_values` refuses a query without actions."""
    with pytest.raises(QueryError, match="offers no actions"):
        option_values(M1, RAIN)


def test_bets_ask_for_events():
    """A bet puts each event in the place of the action."""
    found = truth(M1, "argmax b in {rain=yes, rain=no}: P(b | umbrella=no)")
    assert (found.value, found.rung) == ("rain=no", 1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": 0.1, "b": 0.1 + 1e-14}, "a"),
        ({"a": 0.1, "b": 0.1 + 1e-10}, "b"),
        ({"b": 0.3, "a": 0.3}, "b"),
    ],
)
def test_ties_go_to_the_action_stated_first(values, expected):
    """Values that agree to 12 decimals tie."""
    assert expected == best(values)


def test_truth_many_broadcasts():
    """One world or one query is paired with each of the others."""
    queries = ["P(rain=yes)", RAIN]
    assert truth_many(M1, queries).tolist() == [value(M1, q) for q in queries]
    assert truth_many([M1, M1], RAIN).tolist() == [value(M1, RAIN)] * 2
    assert truth_many([M1], []).shape == (0,)


def test_truth_many_refuses_lengths_that_do_not_pair():
    """Two worlds and three queries are a mistake."""
    with pytest.raises(QueryError, match="2 worlds and 3 queries"):
        truth_many([M1, M1], [RAIN] * 3)


def test_truth_many_nan_for_what_cannot_be_answered():
    """With errors='nan' the good answers survive the bad ones."""
    queries = [RAIN, "P(rain=yes | do(seed=yes), seed=no)", "P(snow=yes)"]
    assert np.isnan(truth_many(M1, queries, errors="nan")).tolist() == [False, True, True]


def test_truth_many_does_not_hide_bugs():
    """What is no world has no answer to leave out."""
    with pytest.raises(QueryError, match="object is no world"):
        truth_many([object()], [RAIN], errors="nan")


def test_truth_many_refuses_another_policy():
    """A misspelt policy is refused."""
    with pytest.raises(QueryError, match="errors='ignore'"):
        truth_many(M1, RAIN, errors="ignore")


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ("P(rain=yes | umbrella=no", QuerySyntaxError, "column"),
        ("P(rian=yes)", UnknownNameError, "rain"),
        ("E[rain]", QueryError, "numbers"),
        ("P(rain=yes | umbrella=yes, umbrella=no)", ZeroProbabilityError, "umbrella"),
    ],
)
def test_refusals_name_what_is_wrong(query, error, message):
    """Errors come from the tree and name the place."""
    with pytest.raises(error, match=message):
        value(M1, query)


@pytest.mark.parametrize(
    ("quantity", "error", "message"),
    [
        (Probability((Atom(Term("rian"), "=", "yes"),)), UnknownNameError, "mean 'rain'"),
        (Probability((Atom(Term("rain"), "=", "yse"),)), UnknownNameError, "mean 'yes'"),
        (Expectation(Term("rain")), QueryError, "add 'numbers' with 2 entries"),
        (Probability((Atom(Term("rain"), ">", 0.5),)), QueryError, "'>' needs numbers"),
        (
            Probability((Atom(Term("wet", (("rain", Term("seed")),)), "=", "yes"),)),
            QueryError,
            "'rain' cannot be forced to a value of 'seed'",
        ),
    ],
)
def test_queries_built_by_hand_are_checked(quantity, error, message):
    """Queries that never met the parser are refused as well."""
    with pytest.raises(error, match=message):
        value(M1, Query(((1.0, quantity),)))


def test_zero_probability_is_also_a_zero_division():
    """The error for impossible conditions is both kinds, and never a NaN."""
    with pytest.raises(ZeroDivisionError) as caught:
        value(M1, "P(rain=yes | do(umbrella=no), umbrella=yes)")
    assert isinstance(caught.value, CausalBenchError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tiny", [1e-10, 1e-100, 1e-160, 1e-300])
def test_rare_conditions_are_not_impossible(tiny):
    """A condition of probability 1e-600 is answered like any other, jointly too."""
    scm = world(
        {"a": ["0", "1"], "b": ["0", "1"], "c": ["0", "1"]},
        {
            "a": cpt([], [1 - tiny, tiny]),
            "b": cpt([], [1 - tiny, tiny]),
            "c": cpt(["a", "b"], bern([0.1, 0.2], [0.3, 0.7])),
        },
    )
    queries = ["P(c=1 | a=1, b=1)", "P(c=1, a=1 | a=1, b=1)", "P(c=1, a=0 | a=1, b=1)"]
    assert truth_many(scm, queries).tolist() == pytest.approx([0.7, 0.7, 0.0], abs=1e-15)
    assert truth(scm, "P(c[b=0]=1 | a=1, b=1)").readings["see"] == pytest.approx(0.3, abs=1e-15)


def test_much_evidence_is_not_impossible():
    """A thousand steps, all seen, are rarer than a float can hold."""
    scm = chain(1200)
    seen = tuple(Atom(Term(f"v{i}"), "=", "01"[i % 2]) for i in range(1199))
    query = Query(((1.0, Probability((Atom(Term("v1199"), "=", "1"),), seen)),))
    assert value(scm, query) == pytest.approx(0.2, abs=1e-12)


def chain(length):
    """Build a long chain of binary variables."""
    names = [f"v{i}" for i in range(length)]
    parts = {names[0]: cpt([], [0.4, 0.6])}
    parts |= {b: cpt([a], bern(0.2, 0.7)) for a, b in pairwise(names)}
    return world({name: ["0", "1"] for name in names}, parts)


def test_long_chains_stay_cheap():
    """A chain of 200 variables never needs a wide table, and tiny answers keep their digits.

    The worlds differ at a step with .8*.7 (same sides) or .2*.3 (sides swapped), so they still
    differ, on the side asked for, with (.62^199 + .50^199) / 2.
    """
    scm = chain(200)
    expected = (0.62**199 + 0.5**199) / 2 / value(scm, "P(v199=0 | v0=0)")
    assert expected == pytest.approx(value(scm, "P(v199[v0=1]=1 | v0=0, v199=0)"), rel=1e-10)


def test_too_wide_names_the_size():
    """A joint law of 30 binary variables is refused with the size that it needs."""
    scm = chain(30)
    with pytest.raises(TooWideError, match=str(2**30)):
        law(scm, scm.names)


def test_laws_of_more_variables_than_arrays_have_axes_are_refused():
    """Variables of one value make no cells, and axes all the same."""
    names = [f"v{i}" for i in range(65)]
    scm = world({name: ["a"] for name in names}, {name: cpt([], [1.0]) for name in names})
    with pytest.raises(TooWideError, match="65 variables is asked for and arrays have 64 axes"):
        law(scm, names)


def test_too_wide_kernel():
    """A variable in too many worlds at once is refused."""
    scm = world(
        {"x": [str(i) for i in range(30)], "y": [str(i) for i in range(3)]},
        {
            "x": cpt([], [1 / 30] * 30),
            "y": {"parents": ["x"], "noise": [0.5, 0.5], "table": [[0] * 30, [1, 2] * 15]},
        },
    )
    terms = [Term("y", (("x", str(i)),)) for i in range(20)]
    with pytest.raises(TooWideError, match="cells"):
        table(scm, terms)


def test_too_many_interventional_tables():
    """All tables of 20 variables are refused."""
    with pytest.raises(TooWideError, match="law"):
        interventional_tables(chain(20))


def test_variables_with_one_value():
    """A variable with a single value is a constant everywhere."""
    scm = world(
        {"c": ["only"], "y": ["0", "1"]},
        {"c": cpt([], [1.0]), "y": cpt(["c"], bern([0.3])[0:1])},
    )
    assert value(scm, "P(y=1 | c=only)") == pytest.approx(0.3, abs=1e-15)
    assert table(scm, [Term("c"), Term("y")]).tolist() == [pytest.approx([0.7, 0.3])]


def test_no_terms_and_no_evidence():
    """The table of nothing is 1."""
    assert float(table(M1, [])) == 1.0


def test_table_is_the_callers_own():
    """Writing into a table changes no later answer."""
    first = table(M1, [Term("seed"), Term("u_season")])
    first[:] = 7.0
    assert table(M1, [Term("seed"), Term("u_season")]).max() < 1


def test_order_comparisons_use_numbers():
    """P(dose > 1) adds up the values whose numbers are above 1."""
    scm = SCM.from_dict(
        {
            "schema": 1,
            "variables": {"dose": {"values": ["high", "low", "none"], "numbers": [5, 1, 0]}},
            "mechanisms": {"dose": cpt([], [0.2, 0.3, 0.5])},
        }
    )
    above = Query(((1.0, Probability((Atom(Term("dose"), ">", 1.0),))),))
    least = Query(((1.0, Probability((Atom(Term("dose"), ">=", "low"),))),))
    assert pytest.approx([value(scm, above), value(scm, least)], abs=1e-15) == [0.2, 0.5]
    assert value(scm, "E[dose]") == pytest.approx(1.3, abs=1e-15)


def test_tables_are_for_discrete_worlds():
    """A linear-Gaussian world has no table."""
    scm = SCM.from_dict(
        {
            "schema": 1,
            "variables": {"y": {"kind": "real"}},
            "mechanisms": {"y": {"linear": {}, "intercept": 0, "std": 1}},
        }
    )
    with pytest.raises(QueryError, match="not discrete"):
        table(scm, [Term("y")])


def test_worlds_of_one_shape_share_plans():
    """Plans depend on names, values and parents; numbers may differ."""
    left, right = umbrella_rain(), umbrella_rain("antitone")
    assert structure.structure_of(left) is structure.structure_of(right)


def test_answers_follow_the_world_not_its_address():
    """Compiled worlds are forgotten with their worlds."""
    kept = len(structure._compiled)
    for weight in (0.25, 0.5, 0.75):
        scm = SCM(
            {"x": Variable("x", ("0", "1"))},
            world({"x": ["0", "1"]}, {"x": cpt([], [1 - weight, weight])}).mechanisms,
        )
        assert value(scm, "P(x=1)") == weight
    del scm
    gc.collect()
    assert len(structure._compiled) <= kept


def test_a_query_of_another_type():
    """What is no query at all is refused by type."""
    with pytest.raises(QueryError, match="not int"):
        value(M1, 3)
