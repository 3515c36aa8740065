"""Answers for a family equal those for its worlds, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from family_builders import random_family
from truth_builders import bern, cpt, random_query, world

from causalbench.errors import (
    CausalBenchError,
    CouplingError,
    QueryError,
    TooWideError,
    ZeroProbabilityError,
)
from causalbench.query import Query
from causalbench.truth import Family, family_query, family_run, truth_many, value

SEEDS = range(8)


def one_by_one(family, query):
    """Return the values of a query in every world, NaN where it has none."""
    found = []
    for scm in family:
        try:
            found.append(value(scm, query))
        except CausalBenchError:
            found.append(np.nan)
    return np.array(found)


def assert_agrees(family, query, **options):
    """Check a family's answers against its worlds', relative to the query's weights."""
    scale = 1 + sum(abs(weight) for weight, _ in query.terms)
    expected = one_by_one(family, query)
    actual = truth_many(family, query, "nan", **options)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=4e-12 * scale)


@pytest.mark.parametrize("form", ["noise", "tables", "cpt", "any"])
@pytest.mark.parametrize("seed", SEEDS)
def test_answers_equal_those_of_the_worlds(seed, form):
    """Nested terms, evidence in any world, expectations, comparisons, two to four values."""
    rng = np.random.default_rng([seed, 40])
    family = random_family(rng, form=form)
    for _ in range(5):
        assert_agrees(family, random_query(rng, family.template))


@pytest.mark.parametrize("seed", range(6))
def test_torch_gives_the_same_answers(seed):
    """The same program on torch, on the CPU, agrees to 1e-12."""
    rng = np.random.default_rng([seed, 41])
    family = random_family(rng, sets=130)
    for _ in range(4):
        query = random_query(rng, family.template)
        ours = truth_many(family, query, "nan")
        torch = truth_many(family, query, "nan", device="cpu")
        np.testing.assert_allclose(torch, ours, rtol=0, atol=1e-12)


def confounded(sets=300, seed=0):
    """Return a family of a confounded treatment, all CPTs given, and its arrays."""
    rng = np.random.default_rng(seed)
    scm = world(
        {"u_a": ["0", "1"], "x": ["0", "1"], "y": ["0", "1"]},
        {
            "u_a": cpt([], bern(0.5)),
            "x": cpt(["u_a"], bern(0.3, 0.6)),
            "y": cpt(["u_a", "x"], bern([0.2, 0.4], [0.5, 0.9])),
        },
    )
    arrays = {name: rng.random((sets, *scm.mechanisms[name].shape)) for name in scm.names}
    given = {
        name: {"cpt": np.stack([1 - p, p], axis=-1), "coupling": "monotone"}
        for name, p in arrays.items()
    }
    return Family(scm, given), arrays


def test_back_door_formula_by_hand():
    """P(y | do(x)) is the sum over the confounder, for each set."""
    family, p = confounded()
    expected = (1 - p["u_a"]) * p["y"][:, 0, 1] + p["u_a"] * p["y"][:, 1, 1]
    np.testing.assert_allclose(truth_many(family, "P(y=1 | do(x=1))"), expected, atol=1e-15)


def test_monotone_pairs_by_hand():
    """Under the monotone coupling P(y[x=1]=1, y[x=0]=0) is the positive part of a difference."""
    family, p = confounded()
    gain = np.maximum(p["y"][:, :, 1] - p["y"][:, :, 0], 0.0)
    expected = (1 - p["u_a"]) * gain[:, 0] + p["u_a"] * gain[:, 1]
    actual = truth_many(family, "P(y[x=1]=1, y[x=0]=0)")
    np.testing.assert_allclose(actual, expected, atol=1e-15)


def test_stacked_worlds_answer_as_before():
    """Stacking random worlds of one shape, and asking, gives each world's own answer."""
    rng = np.random.default_rng(42)
    worlds = list(random_family(rng, sets=6, form="cpt"))
    family = Family.stack(worlds)
    query = random_query(rng, worlds[0])
    np.testing.assert_allclose(
        truth_many(family, query, "nan"), truth_many(worlds, query, "nan"), atol=1e-12
    )


def test_condition_that_never_happens_gives_nan_or_raises():
    """One set of three rules the condition out: NaN there, or an error that names the set."""
    family, _ = confounded(sets=3)
    fields = family.fields("x")
    fields["cpt"][1] = [[1.0, 0.0], [1.0, 0.0]]
    sick = Family(family.template, {"x": fields})
    answers = truth_many(sick, "P(y=1 | x=1)", errors="nan")
    assert np.isnan(answers).tolist() == [False, True, False]
    with pytest.raises(ZeroProbabilityError, match=r"^set 1: .*P\(x=1\) = 0"):
        truth_many(sick, "P(y=1 | x=1)")


def test_rare_evidence_is_rescaled():
    """A condition rarer than a float can hold is answered as `truth` answers it."""
    names = [f"e{i}" for i in range(8)]
    scm = world(
        {"x": ["0", "1"], **{name: ["0", "1"] for name in names}},
        {"x": cpt([], bern(0.5)), **{name: cpt(["x"], bern(0.5, 0.5)) for name in names}},
    )
    rows = np.array([[[1 - 1e-60, 1e-60], [1 - 2e-60, 2e-60]]] * 2)
    family = Family(scm, {name: {"cpt": rows, "coupling": "independent"} for name in names})
    query = f"P(x=1 | {', '.join(f'{name}=1' for name in names)})"
    expected = 2.0**8 / (2.0**8 + 1)
    np.testing.assert_allclose(truth_many(family, query), [expected] * 2, rtol=1e-12)


def test_queries_pair_up_with_sets():
    """N sets and N queries pair up; one query is asked of all; one set takes any number."""
    family, _ = confounded(sets=3)
    queries = ["P(y=1)", "P(y=1 | x=1)", "P(y=1)"]
    paired = truth_many(family, queries)
    expected = [value(scm, query) for scm, query in zip(family, queries, strict=True)]
    np.testing.assert_allclose(paired, expected, atol=1e-15)
    single = truth_many(family[:1], queries)
    np.testing.assert_allclose(single, [value(family[0], q) for q in queries], atol=1e-15)


@pytest.mark.parametrize(
    ("queries", "options", "message"),
    [
        (["P(y=1)", "P(x=1)"], {}, "3 sets and 2 queries do not pair up"),
        ("argmax a in {x=0, x=1}: P(y=1 | do(a))", {}, "a choice has a label"),
        ("P(z=1)", {}, "unknown variable 'z'"),
        ("P(y=1)", {"device": "tpu"}, "device='tpu' does not exist"),
        ([["P(y=1)"]] * 3, {}, "a query is text, a Query or a Choice, not list"),
        ("P(y=1)", {"errors": ["nan"]}, "choose 'raise' or 'nan'"),
    ],
)
def test_what_cannot_be_asked_is_refused(queries, options, message):
    """Lengths that do not fit, choices, unknown names and devices: one line that says so."""
    family, _ = confounded(sets=3)
    with pytest.raises(QueryError, match=message):
        truth_many(family, queries, **options)


def test_a_missing_gpu_is_an_error():
    """Asking for a GPU where there is none says what to do instead."""
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    family, _ = confounded(sets=3)
    with pytest.raises(QueryError, match=r"take device='cpu'"):
        truth_many(family, "P(y=1)", device="cuda")


def test_a_device_is_for_families():
    """Worlds that are not stacked take no device."""
    family, _ = confounded(sets=1)
    with pytest.raises(QueryError, match=r"Family\.stack"):
        truth_many(family[0], "P(y=1)", device="cpu")


def test_worlds_far_too_many_are_refused_before_they_are_ordered():
    """Sixty-four worlds of eighty variables take no minute to be refused."""
    rows = [[bern(0.1), bern(0.6)], [bern(0.7), bern(0.9)]]
    mechanisms = {f"v{i}": cpt([], bern(0.5)) for i in range(41)}
    for i in range(41, 80):
        mechanisms[f"v{i}"] = cpt([f"v{i - 40}", f"v{i - 1}"], rows)
    scm = world({name: ["0", "1"] for name in mechanisms}, mechanisms)
    event = ", ".join(f"v{79 - i % 10}[v{i % 40}={i // 40}]=0" for i in range(64))
    with pytest.raises(TooWideError, match="cells and the limit is"):
        truth_many(Family.stack([scm, scm]), f"P({event})")


def test_threads_change_no_bit(monkeypatch):
    """The answers with a second thread are the bits without it."""
    family, _ = confounded(sets=5000)
    query = "P(y[x=1]=1 | x=0, y=0)"
    alone = truth_many(family, query)
    monkeypatch.setattr(family_run, "_WORTH", 0)
    np.testing.assert_array_equal(truth_many(family, query), alone)


def test_place_among_the_sets_changes_no_bit():
    """A set's answer does not depend on the sets around it."""
    family, _ = confounded(sets=300)
    query = "P(y[x=1]=1 | x=0, y=0)"
    np.testing.assert_array_equal(truth_many(family[130:], query), truth_many(family, query)[130:])


def test_tables_too_large_for_a_program_are_answered_one_by_one(monkeypatch):
    """Where a program would be too long to write the sets are asked in turn."""
    family, _ = confounded(sets=4, seed=1)
    query = "P(y[x=1]=1 | x=0, y=0)"
    expected = truth_many(family, query)
    monkeypatch.setattr(family_query, "_CELLS", 0)
    monkeypatch.setattr(family_query, "_works", {})
    np.testing.assert_allclose(truth_many(family, query), expected, atol=1e-15)


def test_nothing_asked_gives_nothing():
    """No queries, no answers."""
    family, _ = confounded(sets=3)
    assert truth_many(family, []).shape == (0,)


def test_constant_queries_are_answered():
    """A query without quantities is its constant in every set."""
    family, _ = confounded(sets=3)
    assert truth_many(family, Query((), 0.5)).tolist() == [0.5] * 3


def uncoupled():
    """Return a family of CPTs without couplings, and the same with one named."""
    family, _ = confounded(sets=3)
    fields = {name: family.fields(name) for name in family.parts}
    return Family(family.template, {n: {"cpt": f["cpt"]} for n, f in fields.items()}), family


def test_cpts_alone_settle_what_is_seen_and_done():
    """Without couplings the answers on rungs 1 and 2 are the same as with any."""
    bare, coupled = uncoupled()
    for query in ("P(y=1 | x=1)", "P(y=1 | do(x=1))", "P(y[x=1]=1 | x=0)"):
        np.testing.assert_array_equal(truth_many(bare, query), truth_many(coupled, query))


def test_what_hangs_on_a_coupling_is_refused():
    """One unit at two rows of a CPT without a coupling: refused, or NaN, as for single worlds."""
    bare, _ = uncoupled()
    query = "P(y[x=1]=1, y[x=0]=0)"
    with pytest.raises(CouplingError, match="'y'"):
        truth_many(bare, query)
    with pytest.raises(CouplingError, match="'y'"):
        truth_many(Family(bare[0], {"u_a": bare.fields("u_a")}), query)
    assert np.isnan(truth_many(bare, query, errors="nan")).all()
    assert np.isnan(one_by_one(bare, query)).all()


def test_stacked_cpts_stay_cpts():
    """Worlds without couplings stack, and answer as before."""
    bare, _ = uncoupled()
    again = Family.stack(bare)
    np.testing.assert_array_equal(again.numbers, bare.numbers)
