"""Bounds with the diagram shown: tight against a second way, attained by checked worlds."""

from __future__ import annotations

import numpy as np
import pytest
from bounds_builders import (
    DO,
    SEE,
    Naive,
    bow,
    chain,
    draw,
    ends,
    instrument,
    mediator,
    permitted_gap,
)
from oracle import brute
from truth_builders import random_query, random_world

import causalbench as cb
from causalbench.errors import TooWideError, ZeroProbabilityError
from causalbench.query import parse, variables
from causalbench.scm.couplings import couple
from causalbench.truth import Knowledge, law, value
from causalbench.truth.bounds import bounds
from causalbench.truth.permitted import Permitted

SAME = 1e-9
LAWS = 1e-12  # what the witnesses' laws are built to


def checked(scm, query, found, knowledge, together=9):
    """Check both witnesses by walking over their units."""
    asked = parse(query, scm.vocabulary)
    for witness, end in zip(found.witnesses, (found.inner_lower, found.inner_upper), strict=True):
        made = witness.scm
        assert made.diagram == scm.diagram
        assert made.visible == scm.visible
        assert [made.variable(n) for n in made.visible] == [scm.variable(n) for n in scm.visible]
        experiments = knowledge.regime == "do"
        assert permitted_gap(scm, made, experiments=experiments, together=together) < LAWS
        assert brute(made, asked) == pytest.approx(end, abs=SAME)
        assert witness.value == end


@pytest.mark.parametrize("seed", range(6))
def test_bow_effect(seed):
    """P(y, x) <= P(y | do(x)) <= P(y, x) + 1 - P(x), and the ATE has width one."""
    scm = bow(np.random.default_rng(seed))
    joint = law(scm, ["x", "y"])
    found = ends(scm, "P(y=b | do(x=b))", SEE)
    assert (found.lower, found.upper) == pytest.approx((joint[1, 1], joint[1, 1] + joint[0].sum()))
    effect = ends(scm, "ATE(x: a -> b; y=b)", SEE)
    below = -joint[0, 1] - joint[1, 0]
    assert (effect.lower, effect.upper) == pytest.approx((below, below + 1))
    assert found.sharp
    assert effect.sharp


CASES = {
    "effect on the treated": (
        lambda rng: bow(rng, card=3),
        ("x", "y"),
        {"x": (), "y": ("x",)},
        "P(y[x=b]=b, x=a)",
        lambda run: run({"x": "b"})["y"] == "b" and run({})["x"] == "a",
    ),
    "two worlds at once": (
        lambda rng: bow(rng, card=3),
        ("x", "y"),
        {"x": (), "y": ("x",)},
        "P(y[x=a]=b, y[x=b]=a, y[x=c]=b)",
        lambda run: [run({"x": v})["y"] for v in "abc"] == ["b", "a", "b"],
    ),
    "natural direct effect": (
        mediator,
        ("m", "y"),
        {"m": ("x",), "y": ("x", "m")},
        "NDE(x: a -> b; y=b; m)",
        lambda run: (
            (run({"x": "b", "m": run({"x": "a"})["m"]})["y"] == "b") - (run({"x": "a"})["y"] == "b")
        ),
    ),
}


@pytest.mark.parametrize("knowledge", [SEE, DO], ids=["see", "do"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", range(3))
def test_ends_are_those_of_a_second_way(case, knowledge, seed):
    """Ends equal those of response functions written out, and hold random compatible laws."""
    build, members, parents, query, number = CASES[case]
    rng = np.random.default_rng(seed)
    scm = build(rng)
    found = ends(scm, query, knowledge)
    naive = Naive(scm, members, parents, experiments=knowledge.regime == "do")
    cost = naive.form(number)
    assert found.sharp
    assert (found.lower, found.upper) == pytest.approx(naive.ends(cost), abs=SAME)
    values = [cost @ each for each in naive.laws(rng, 5)]
    assert min(values) >= found.lower - SAME
    assert max(values) <= found.upper + SAME
    checked(scm, query, found, knowledge)


@pytest.mark.parametrize("knowledge", [SEE, DO], ids=["see", "do"])
@pytest.mark.parametrize("seed", range(3))
def test_ratio_with_an_open_condition(seed, knowledge):
    """A conditional whose condition is open holds every compatible law, and attains its ends."""
    rng = np.random.default_rng(seed)
    scm = bow(rng, card=3)
    query = "P(y[x=a]=b | y[x=b]=b, x!=c)"
    found = ends(scm, query, knowledge)
    naive = Naive(scm, ("x", "y"), {"x": (), "y": ("x",)}, experiments=knowledge.regime == "do")
    given = naive.form(lambda run: run({"x": "b"})["y"] == "b" and run({})["x"] != "c")
    both = given * naive.form(lambda run: run({"x": "a"})["y"] == "b")
    for sign, end in ((1, found.lower), (-1, found.upper)):
        # No compatible law passes the end, and one meets it: the best of both - end x given is 0.
        cost = sign * (both - end * given)
        assert cost @ naive.solve(cost) == pytest.approx(0.0, abs=1e-8)
    assert found.sharp
    checked(scm, query, found, knowledge)


@pytest.mark.parametrize("seed", range(4))
def test_binary_effect_on_the_treated_is_a_point(seed):
    """Experiments settle the binary ETT, in a bow and with an instrument."""
    for scm in (bow(np.random.default_rng(seed)), instrument(np.random.default_rng(seed))):
        found = ends(scm, "ETT(x: a -> b; y=b)", DO)
        exact = value(scm, "ETT(x: a -> b; y=b)")
        assert (found.lower, found.upper) == pytest.approx((exact, exact), abs=SAME)


def test_ternary_effect_on_the_treated_is_open():
    """Experiments leave the ternary ETT open: witnesses agree on all of them and differ."""
    scm = bow(np.random.default_rng(1), card=3)
    found = ends(scm, "ETT(x: a -> b; y=b)", DO)
    assert found.upper - found.lower > 0.1
    checked(scm, "ETT(x: a -> b; y=b)", found, DO)


@pytest.mark.parametrize("seed", range(4))
def test_monotone_outcome_settles_pns(seed):
    """Under monotonicity PNS is the difference of the effects (Pearl 2009, theorem 9.2.15)."""
    rng = np.random.default_rng(seed)
    scm = draw(rng, {"u": 4, "x": 2, "y": 2}, [("u", "x"), ("u", "y"), ("x", "y")])
    table = np.sort(scm.mechanism("y").table, axis=2)
    mechanism = scm.mechanism("y")
    rising = scm.replace(mechanisms={"y": type(mechanism)(("u", "x"), mechanism.noise, table)})
    known = Knowledge("do", "diagram", ("monotone: x -> y",))
    found = ends(rising, "PNS(x: a -> b; y=b)", known)
    effect = value(rising, "ATE(x: a -> b; y=b)")
    assert (found.lower, found.upper) == pytest.approx((effect, effect), abs=SAME)
    falling = Knowledge("do", "diagram", ("antitone: x -> y",))
    turned = ends(rising.relabel({"x": (1, 0)}), "PNS(x: a -> b; y=b)", falling)
    assert (turned.lower, turned.upper) == pytest.approx((effect, effect), abs=SAME)


@pytest.mark.parametrize("query", ["PNS(x: a -> b; y=b)", "PN(x: a -> b; y=b)"])
@pytest.mark.parametrize("seed", range(3))
def test_products_of_open_laws(seed, query):
    """Two open mechanisms: inner within outer, and random couplings of both within outer."""
    rng = np.random.default_rng(seed)
    scm = chain(rng)
    found = ends(scm, query, DO)
    assert found.lower - SAME <= found.inner_lower <= found.inner_upper <= found.upper + SAME
    checked(scm, query, found, DO)
    m, y = (Naive(scm, (n,), {n: (p,)}, experiments=False) for n, p in (("m", "x"), ("y", "m")))
    for first, second in zip(m.laws(rng, 4), y.laws(rng, 4), strict=True):
        both = one = 0.0
        for mass, unit in zip(first, m.units, strict=True):
            for weight, other in zip(second, y.units, strict=True):
                low = other["y"][unit["m"]["a",],]
                high = other["y"][unit["m"]["b",],]
                both += mass * weight * (low == "a" and high == "b")
                one += mass * weight * (high == "b")
        number = both if query.startswith("PNS") else both / one
        assert found.lower - SAME <= number <= found.upper + SAME


@pytest.mark.parametrize("knowledge", [SEE, DO], ids=["see", "do"])
def test_component_that_is_no_clique(knowledge):
    """The napkin's two hidden causes stay two in the witnesses; inner ends lie within outer."""
    scm = cb.load_world("napkin").scm
    query = "P(fit[walking=no]=yes | walking=yes, fit=yes)"
    found = ends(scm, query, knowledge)
    assert found.lower <= found.inner_lower < found.inner_upper <= found.upper
    checked(scm, query, found, knowledge, together=1)


def test_joint_program_alone_misses_independence():
    """The napkin's effect is identified by a ratio; the joint program's ends must hold it."""
    scm = cb.load_world("napkin").scm
    found = ends(scm, "P(fit=yes | do(walking=yes))", SEE)
    assert found.lower <= 0.825 <= found.upper
    assert (found.inner_lower, found.inner_upper) == pytest.approx((0.825, 0.825), abs=SAME)


def test_values_that_never_occur():
    """A value of x that is never seen leaves its effect free, with what is seen kept."""
    rng = np.random.default_rng(0)
    scm = draw(rng, {"x": 2, "y": 2}, [("x", "y")])
    never = scm.replace(mechanisms={"x": type(scm.mechanism("x"))((), [1.0, 0.0], [0, 1])})
    found = ends(never, "P(y=b | do(x=b))", SEE)
    assert (found.lower, found.upper) == (0.0, 1.0)
    assert found.sharp
    known = ends(never, "P(y=b | do(x=a))", SEE)
    assert known.upper - known.lower < SAME


def test_some_experiments():
    """What may be set matters: experiments on the instrument add nothing, on x they settle it."""
    scm = instrument(np.random.default_rng(2))
    query = "ATE(x: a -> b; y=b)"
    seen = ends(scm, query, SEE)
    offered = ends(scm, query, Knowledge("do", "diagram", manipulable=("z",)))
    forced = ends(scm, query, Knowledge("do", "diagram", manipulable=("x",)))
    assert (offered.lower, offered.upper) == pytest.approx((seen.lower, seen.upper), abs=SAME)
    assert (forced.lower, forced.upper) == pytest.approx((value(scm, query),) * 2, abs=SAME)


def test_hidden_names_do_not_clash():
    """A visible variable may have the name that a hidden one would get."""
    scm = bow(np.random.default_rng(3)).rename({"x": "u_0"})
    found = ends(scm, "P(y=b | do(u_0=b))", SEE)
    assert found.sharp
    assert all(w.scm.visible == scm.visible for w in found.witnesses)


def test_too_many_types_are_refused():
    """A mechanism with too many response types is refused in one line with their number."""
    rng = np.random.default_rng(4)
    above = [f"a{i}" for i in range(5)]
    edges = [(a, "y") for a in (*above, "u")] + [("u", "a0")]
    scm = draw(rng, dict.fromkeys([*above, "y"], 2) | {"u": 2}, edges)
    with pytest.raises(TooWideError, match="e\\+09"):
        ends(scm, "PNS(a0: a -> b; y=b)", DO)


def test_condition_that_never_happens():
    """A condition of probability zero is refused."""
    scm = bow(np.random.default_rng(5))
    with pytest.raises(ZeroProbabilityError, match="never happens"):
        ends(scm, "P(y[x=a]=b | x=a, x[y=b]=b)", DO)


def test_rows_that_no_event_joins_are_parts():
    """A wide lone mechanism is bounded by the rows asked: monty-hall's win has 2^18 types."""
    scm = cb.load_world("monty-hall").scm
    query = "P(win[switch=yes]=yes | switch=no, win=no)"
    found = ends(scm, query, SEE)
    assert (found.lower, found.upper) == pytest.approx((1.0, 1.0), abs=SAME)
    assert found.sharp
    checked(scm, query, found, SEE, together=1)


@pytest.mark.parametrize("seed", range(3))
def test_rows_apart_and_together_agree(seed):
    """Two pairs of rows of one mechanism: the ends are those of all its rows at once."""
    rng = np.random.default_rng(seed)
    scm = draw(rng, {"z": 2, "x": 2, "y": 2}, [("z", "y"), ("x", "y")], noise=6)
    query = "P(y[x=a, z=a]=b, y[x=b, z=a]=a) + 2*P(y[x=a, z=b]=a, y[x=b, z=b]=b)"
    found = ends(scm, query, DO)
    naive = Naive(scm, ("y",), {"y": ("x", "z")}, experiments=False)

    def number(run):
        done = {x + z: run({"x": x, "z": z})["y"] for x in "ab" for z in "ab"}
        return (done["aa"] == "b" and done["ba"] == "a") + 2 * (
            done["ab"] == "a" and done["bb"] == "b"
        )

    assert found.sharp
    assert (found.lower, found.upper) == pytest.approx(naive.ends(naive.form(number)), abs=SAME)
    checked(scm, query, found, DO)


def test_told_coupling_settles_a_mechanism():
    """Where one of two couplings is told, only the other is open, and the told one is kept."""
    rng = np.random.default_rng(9)
    scm = chain(rng)
    cpt = scm.mechanism("m").cpt(2)
    scm = scm.replace(mechanisms={"m": couple(cpt, "monotone", ("x",))})
    query = "PNS(x: a -> b; y=b)"
    told = ends(scm, query, Knowledge("do", "diagram", ("coupling:m=monotone",)))
    free = ends(scm, query, DO)
    assert free.lower - SAME <= told.lower <= told.upper <= free.upper + SAME
    assert told.sharp
    naive = Naive(scm, ("y",), {"y": ("m",)}, experiments=False)
    move = float(cpt[1, 1] - cpt[0, 1])  # a monotone m moves one way only, this much
    first, second = ("a", "b") if move > 0 else ("b", "a")
    cost = naive.form(lambda run: [run({"m": v})["y"] for v in (first, second)] == ["a", "b"])
    expected = [abs(move) * each for each in naive.ends(cost)]
    assert (told.lower, told.upper) == pytest.approx(expected, abs=SAME)
    assert all(w.scm.mechanism("m") == scm.mechanism("m") for w in told.witnesses)


def test_experiments_reach_what_never_occurs():
    """A value of x that is never seen, but follows where z is set, is told by that experiment."""
    rng = np.random.default_rng(11)
    scm = draw(rng, {"z": 2, "x": 2, "y": 2}, [("z", "x"), ("x", "y")])
    kind = type(scm.mechanism("z"))
    scm = scm.replace(
        mechanisms={
            "z": kind((), np.array([1.0, 0.0]), np.array([0, 1])),
            "x": kind(("z",), np.ones(1), np.array([[0, 1]])),
        }
    )
    query = "P(y=b | do(x=b))"
    seen = ends(scm, query, SEE)
    assert (seen.lower, seen.upper) == (0.0, 1.0)
    known = ends(scm, query, Knowledge("do", "diagram", manipulable=("z",)))
    assert (known.lower, known.upper) == pytest.approx((value(scm, query),) * 2, abs=SAME)


@pytest.mark.parametrize("knowledge", [SEE, DO], ids=["see", "do"])
def test_random_worlds_and_queries(knowledge):
    """In random worlds the ends hold the truth, and the witnesses lie between them."""
    found = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        scm = random_world(rng, n=4, hidden=int(rng.integers(2)), cards=(2, 2, 3))
        asked = random_query(rng, scm, depth=1)
        if variables(asked) & set(scm.hidden):
            continue
        try:
            truth = value(scm, asked)
        except ZeroProbabilityError:
            continue
        limits = bounds(Permitted(scm, knowledge), asked)
        slack = SAME * max(1.0, sum(3 * abs(weight) for weight, _ in asked.terms))
        assert limits.lower - slack <= truth <= limits.upper + slack
        assert limits.lower - slack <= limits.inner_lower
        assert limits.inner_upper <= limits.upper + slack
        found += 1
    assert found > 15
