"""The compiled engine's doors: packing, threads, limits, rare evidence, machine code on disk."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
from pickle import UnpicklingError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from truth_builders import bern, cpt, random_query, random_world, umbrella_rain, world

from causalbench.errors import CouplingError, TooWideError
from causalbench.query import Atom, Probability, Query, Term, parse
from causalbench.scm import SCM, Variable
from causalbench.scm.tables import TableMechanism
from causalbench.truth import table, truth, truth_many, value
from causalbench.truth.compiled import doors
from causalbench.truth.compiled.layout import MORE_FLOATS, MORE_INTS, OK, TOO_WIDE
from causalbench.truth.compiled.names import names_of

TOLERANCE = 1e-12


def asked(event, given=()):
    """Ask for P(event | given)."""
    return Query(((1.0, Probability(tuple(event), tuple(given))),))


def clique(rng, n):
    """Build a world whose nodes all share hidden causes pairwise, so that tables get wide."""
    names = [f"v{i}" for i in range(n)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[:i]]
    roots = {f"u_{a}{b}": cpt([], rng.dirichlet([1, 1]).tolist()) for a, b in pairs}
    parts = dict(roots)
    for name in names:
        parents = [f"u_{a}{b}" for a, b in pairs if name in (a, b)]
        rows = rng.dirichlet([1, 1], size=(2,) * len(parents))
        parts[name] = {"parents": parents, "cpt": rows.tolist(), "coupling": "monotone"}
    return world({name: ["0", "1"] for name in parts}, parts)


@pytest.mark.parametrize("limit", [8, 32, 128])
def test_conditioning_where_tables_are_too_wide(limit):
    """Under a small limit the same answers come by conditioning on a few nodes."""
    rng = np.random.default_rng(41)
    scm = clique(rng, 5)
    packed = doors.packed(scm)
    seen = [Atom(Term(f"v{i}"), "=", "0") for i in range(1, 5)]
    several = [Atom(Term("v0", (("u_v2v1", "0"),)), "=", "1"), Atom(Term("v0"), "=", "0")]
    queries = [
        asked([Atom(Term("v0"), "=", "1")], seen),
        asked([Atom(Term("v0"), "=", "1"), *seen]),
        asked([Atom(Term("u_v1v0"), "=", "1"), seen[0]], seen[1:]),
        asked(several, seen[:2]),
    ]
    for query in queries:
        asked_for = packed.names.query(query, scm)
        wide, narrow = doors.answer(packed, asked_for), doors.answer(packed, asked_for, limit)
        assert (wide[1], narrow[1]) == (OK, OK)
        assert wide[0] == pytest.approx(narrow[0], abs=TOLERANCE)


def test_conditioning_minds_masks():
    """A node that is conditioned on keeps to the values that evidence leaves it."""
    rng = np.random.default_rng(42)
    scm = random_world(rng, n=8, hidden=1, cards=(3, 4), noises=(4, 6))
    packed, checked = doors.packed(scm), 0
    for name in scm.names:
        given = [Atom(Term(n), "!=", scm.variable(n).values[0]) for n in scm.names if n != name]
        query = asked([Atom(Term(name), "=", scm.variable(name).values[0])], given)
        asked_for = packed.names.query(query, scm)
        wide, narrow = doors.answer(packed, asked_for), doors.answer(packed, asked_for, 6)
        if wide[1] == OK:
            checked += 1
            assert narrow[1] == OK
            assert wide[0] == pytest.approx(narrow[0], abs=TOLERANCE)
    assert checked >= 3


def test_too_much_work_is_refused_with_the_size():
    """Where conditioning would look at too many cells, the needed size is named."""
    scm = clique(np.random.default_rng(43), 5)
    packed = doors.packed(scm)
    query = asked([Atom(Term(f"v{i}"), "=", "0") for i in range(5)])
    _, state, cells = doors.answer(packed, packed.names.query(query, scm), 8, 16)
    assert state == TOO_WIDE
    assert cells > 8
    error = doors.refusal(scm, state, cells, ())
    assert isinstance(error, TooWideError)
    assert str(cells) in str(error)


def test_a_query_that_no_memory_holds_is_refused():
    """Fourteen roots with 40 values each, joined by common effects that are seen."""
    names = [f"v{i}" for i in range(16)]
    parts = {f"u{i}": cpt([], [1 / 40] * 40) for i in range(14)}
    table_ = np.arange(40 * 40).reshape(1, 40, 40) % 2
    for i, name in enumerate(names):
        for j in range(3):
            parts[f"{name}_{j}"] = {
                "parents": [f"u{(i + j) % 14}", f"u{(i * 3 + 5 * j + 1) % 14}"],
                "noise": [1.0],
                "table": table_.tolist(),
            }
    parts = {k: v for k, v in parts.items() if len(set(v.get("parents", [k]))) == len(v["parents"])
             or not v["parents"]}  # fmt: skip
    scm = world({n: [str(i) for i in range(40 if n.startswith("u") else 2)] for n in parts}, parts)
    seen = [Atom(Term(n), "=", "0") for n in parts if n.startswith("v")]
    with pytest.raises(TooWideError, match="cells"):
        value(scm, asked([Atom(Term("u0"), "=", "1")], seen))


def test_threads_change_nothing():
    """One thread, two or three: the same bits, and the same as pair by pair."""
    rng = np.random.default_rng(44)
    worlds = [random_world(rng, n=5, cards=(2, 3)) for _ in range(60)]
    kept = [(doors.packed(s), doors.packed(s).names.query(random_query(rng, s), s)) for s in worlds]
    addresses = [a for packed, query in kept for a in (packed.address, query.address)] * 20
    single, states = doors.answers(addresses, 1)
    for threads in (2, 3):
        found, others = doors.answers(addresses, threads)
        assert single.tobytes() == found.tobytes()
        assert (states == others)[:, 0].all()
    apart = [doors.answer(packed, query)[0] for packed, query in kept]
    assert np.array(apart).tobytes() == single[: len(kept)].tobytes()


class Guarded:
    """A workspace that starts as small as can be, with a fence behind it."""

    fence = 512

    def __init__(self):
        self.sizes = {MORE_INTS: 8, MORE_FLOATS: 1}
        self.make()

    def make(self):
        """Allocate both parts, each with its fence."""
        self.ints = np.full(self.sizes[MORE_INTS] + self.fence, 77, np.int64)
        self.floats = np.full(self.sizes[MORE_FLOATS] + self.fence, 77.0)

    def answer(self, pair, limit):
        """Answer one pair, growing by exactly what the engine asks for."""
        run, value, state = doors._compiled()[0], np.zeros(1), np.zeros(2, np.int64)
        pairs = np.array(pair, np.int64)
        at = (pairs.ctypes.data, 0, 1, value.ctypes.data, state.ctypes.data)
        while True:
            ints, floats = self.sizes[MORE_INTS], self.sizes[MORE_FLOATS]
            places = (self.ints.ctypes.data, ints, self.floats.ctypes.data, floats)
            done = run(*at, *places, limit, 2**33)
            assert (self.ints[ints:] == 77).all()
            assert (self.floats[floats:] == 77.0).all()
            if done:
                return value[0], state[0]
            self.sizes[int(state[0])] = max(int(state[1]), self.sizes[int(state[0])] + 1)
            self.make()


@pytest.mark.parametrize("limit", [16, 2**26])
def test_nothing_is_written_outside_the_workspace(limit):
    """In a workspace that is only as large as the engine asks, it writes within it."""
    rng = np.random.default_rng(47)
    for _ in range(120):
        scm = random_world(rng, n=int(rng.integers(2, 7)))
        packed = doors.packed(scm)
        query = packed.names.query(random_query(rng, scm, forced=3), scm)
        expected, state, _ = doors.answer(packed, query)
        found, guarded = Guarded().answer((packed.address, query.address), limit)
        assert guarded in (state, TOO_WIDE)
        if guarded == OK:
            assert expected == pytest.approx(found, abs=TOLERANCE)


@pytest.mark.parametrize("tiny", [1e-10, 1e-100, 1e-160, 1e-300])
@pytest.mark.parametrize("limit", [2**26, 3])
def test_rare_evidence_keeps_its_digits(tiny, limit):
    """Evidence of probability 1e-600 is answered like any other, with conditioning too."""
    scm = world(
        {"a": ["0", "1"], "b": ["0", "1"], "m": ["0", "1"], "c": ["0", "1"]},
        {
            "a": cpt([], [1 - tiny, tiny]),
            "b": cpt([], [1 - tiny, tiny]),
            "m": cpt([], [0.5, 0.5]),
            "c": cpt(["a", "b", "m"], bern([[0.1, 0.1], [0.2, 0.2]], [[0.3, 0.3], [0.6, 0.8]])),
        },
    )
    packed = doors.packed(scm)
    for text, expected in (
        ("P(c=1 | a=1, b=1)", 0.7),
        ("P(c=1, m=1 | a=1, b=1)", 0.4),
        ("P(c=1, a=0 | a=1, b=1)", 0.0),
    ):
        query = packed.names.query(parse(text, scm.vocabulary), scm)
        found, state, _ = doors.answer(packed, query, limit)
        assert (state, found) == (OK, pytest.approx(expected, abs=1e-15))


def test_much_evidence_on_one_cause():
    """Three hundred rare signs of one cause, no table of which a float could hold the product."""
    names = [f"s{i}" for i in range(300)]
    parts = {name: cpt(["c"], bern(1e-5, 2e-5)) for name in names}
    scm = world(
        {"c": ["0", "1"]} | {n: ["0", "1"] for n in names}, {"c": cpt([], [0.5, 0.5]), **parts}
    )
    seen = [Atom(Term(name), "=", "1") for name in names[:8]]
    rest = [Atom(Term(name), "=", "1") for name in names]
    assert value(scm, asked([Atom(Term("c"), "=", "1")], seen)) == pytest.approx(2**8 / (2**8 + 1))
    assert value(scm, asked([Atom(Term("c"), "=", "0")], rest)) == pytest.approx(
        2.0**-300, rel=1e-9
    )


def test_packing_lives_and_dies_with_the_world():
    """A packed world is found again while its world lives, and forgotten with it."""
    scm = umbrella_rain()
    first = doors.packed(scm)
    assert doors.packed(scm) is first
    key = id(scm)
    assert key in doors._packed
    del scm
    gc.collect()
    assert key not in doors._packed


def test_a_query_is_packed_once_for_worlds_with_the_same_names():
    """Another graph, other numbers: the same packed query."""
    mechanisms = {"x": cpt([], [0.4, 0.6]), "y": cpt(["x"], bern(0.2, 0.7))}
    turned = {"y": cpt([], [0.4, 0.6]), "x": cpt(["y"], bern(0.1, 0.9))}
    names = {"x": ["0", "1"], "y": ["0", "1"]}
    one, other = world(names, mechanisms), world(names, turned)
    query = asked([Atom(Term("y"), "=", "1")], [Atom(Term("x"), "=", "0")])
    assert names_of(one) is names_of(other)
    assert names_of(one).query(query, one) is names_of(other).query(query, other)
    assert truth_many([one, other], query).tolist() == pytest.approx([0.2, 0.06 / 0.42], abs=1e-15)


def test_worlds_declared_in_another_order_answer_the_same():
    """Declared and causal order need not agree."""
    scm = umbrella_rain()
    turned = scm.reorder(scm.names[::-1])
    text = "P(wet[umbrella=no]=yes | umbrella=yes, wet=no)"
    assert value(scm, text) == pytest.approx(value(turned, text), abs=1e-15)


def test_a_table_alone_answers_up_to_its_coupling():
    """See, do, and imagine with one copy are answered; two rows of a table at once are refused."""
    scm = SCM(
        {name: Variable(name, ("0", "1")) for name in ("x", "y")},
        {
            "x": TableMechanism((), np.array([0.25, 0.75])),
            "y": TableMechanism(("x",), np.array([[0.5, 0.5], [0.125, 0.875]])),
        },
    )
    assert value(scm, "P(y=1 | do(x=0))") == 0.5
    assert value(scm, "P(x=1 | y=1)") == pytest.approx(0.65625 / 0.78125, abs=1e-15)
    with pytest.raises(CouplingError, match="'y'"):
        value(scm, "P(y[x=0]=1 | x=1, y=1)")


def test_errors_are_counted_pair_by_pair():
    """Good answers stand where others of the batch fail, and the first failure is raised."""
    scm = umbrella_rain()
    bad = "P(rain=yes | do(seed=yes), seed=no)"
    found = truth_many(scm, ["P(rain=yes)", bad, "P(wet=yes)"], errors="nan")
    assert np.isnan(found).tolist() == [False, True, False]
    with pytest.raises(ZeroDivisionError, match="never happens"):
        truth_many(scm, ["P(rain=yes)", bad])


@pytest.mark.parametrize("seed", range(6))
def test_probabilities_of_a_term_sum_to_one(seed):
    """Over its values, given anything possible, on every rung."""
    rng = np.random.default_rng([seed, 45])
    scm = random_world(rng, n=6, hidden=1)
    for _ in range(20):
        quantity = random_query(rng, scm).terms[0][1]
        term = quantity.term if hasattr(quantity, "term") else quantity.event[0].term
        if table(scm, [], quantity.given) <= 0.0:
            continue
        values = scm.variable(term.variable).values
        total = sum(value(scm, asked([Atom(term, "=", v)], quantity.given)) for v in values)
        assert total == pytest.approx(1.0, abs=TOLERANCE)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_consistency(seed):
    """Where x is seen to be a, y is what it would have been under do(x=a)."""
    rng = np.random.default_rng(seed)
    scm = random_world(rng, n=5)
    x, y, z = (str(name) for name in rng.choice(scm.names, size=3, replace=False))
    label, event = (str(rng.choice(scm.variable(name).values)) for name in (x, y))
    seen = (Atom(Term(x), "=", label), Atom(Term(z), "=", str(rng.choice(scm.variable(z).values))))
    would = asked([Atom(Term(y, ((x, label),)), "=", event)], seen)
    plain = asked([Atom(Term(y), "=", event)], seen)
    left, right = truth_many(scm, [would, plain], errors="nan")
    assert left == pytest.approx(right, abs=TOLERANCE, nan_ok=True)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_natural_values_change_nothing(seed):
    """Forcing m to what it is anyway leaves y as it is, in every world."""
    rng = np.random.default_rng(seed)
    scm = random_world(rng, n=5)
    m, x, y = (str(name) for name in rng.choice(scm.names, size=3, replace=False))
    world_ = ((x, str(rng.choice(scm.variable(x).values))),)
    event = str(rng.choice(scm.variable(y).values))
    nested = Term(y, tuple(sorted((*world_, (m, Term(m, world_))))))
    left = value(scm, asked([Atom(nested, "=", event)]))
    assert left == pytest.approx(
        value(scm, asked([Atom(Term(y, world_), "=", event)])), abs=TOLERANCE
    )


def test_truth_is_the_value_with_readings():
    """`truth`, `value` and `truth_many` give one number."""
    rng = np.random.default_rng(46)
    for _ in range(20):
        scm = random_world(rng, n=4)
        query = random_query(rng, scm)
        found = truth_many(scm, query, errors="nan")[0]
        if not np.isnan(found):
            assert truth(scm, query).value == found == value(scm, query)


def run_python(code, **settings):
    """Run a program in a fresh process."""
    return subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **settings},
    )


def test_importing_truth_does_not_import_numba():
    """Numba is loaded by the first question, not by the import."""
    code = "import sys, causalbench.truth; print('numba' in sys.modules)"
    assert run_python(code).stdout.strip() == "False"


@pytest.mark.parametrize(
    "problem",
    [
        RuntimeError("cannot cache function 'f': no locator available"),
        UnpicklingError("invalid load key"),
        EOFError("Ran out of input"),
    ],
)
def test_without_a_cache_that_works_it_compiles_anew(monkeypatch, caplog, problem):
    """Where machine code cannot be kept or read, that is said, and answers come all the same."""
    from causalbench import jit

    real = jit.njit

    def njit(*args, cache=False, **options):
        if cache:
            raise problem
        return real(*args, **options)

    monkeypatch.setattr(jit, "njit", njit)
    with caplog.at_level(logging.WARNING):
        twice = jit.entry("i8(i8)")(lambda x: 2 * x)
    assert twice(21) == 42
    assert "NUMBA_CACHE_DIR" in caplog.text


def test_compiling_is_said_once(monkeypatch, caplog):
    """Whoever waits for the compiler learns why, and that it won't be so again."""
    from causalbench import jit

    real = jit.njit

    def njit(*args, cache, **options):
        assert cache
        return real(*args, **options)

    monkeypatch.setattr(jit, "njit", njit)
    monkeypatch.setattr(jit._Notice, "said", False)
    with caplog.at_level(logging.INFO):
        assert jit.entry("i8(i8)")(lambda x: 2 * x)(7) == 14
        assert jit.entry("i8(i8)")(lambda x: 3 * x)(7) == 21
    assert [record.message for record in caplog.records if "compiling" in record.message] == [
        "compiling the engine, once for this installation: some ten seconds ..."
    ]
