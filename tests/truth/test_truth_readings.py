"""The readings, each against the lower-rung quantities that it is said to be."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import brute
from truth_builders import bern, cpt, random_world, umbrella_rain, world

from causalbench.errors import QueryError, ZeroProbabilityError
from causalbench.query import parse
from causalbench.scm.random import random_scm
from causalbench.truth import reading, truth, value

BIT = ["0", "1"]

# z confounds x and y, m mediates, w follows y; every table is positive and hand-made.
FULL = world(
    {"u_c": BIT, "z": BIT, "x": BIT, "m": BIT, "y": BIT, "w": BIT},
    {
        "u_c": cpt([], [0.4, 0.6]),
        "z": cpt(["u_c"], bern(0.3, 0.7)),
        "x": cpt(["z", "u_c"], bern([0.2, 0.4], [0.6, 0.9])),
        "m": cpt(["x"], bern(0.25, 0.85)),
        "y": cpt(
            ["x", "m", "z", "u_c"],
            bern(
                [[[0.1, 0.3], [0.2, 0.5]], [[0.4, 0.6], [0.3, 0.7]]],
                [[[0.5, 0.2], [0.6, 0.4]], [[0.9, 0.7], [0.8, 0.95]]],
            ),
            "monotone",
        ),
        "w": cpt(["y"], bern(0.15, 0.75)),
    },
)


def oracle(text):
    """Return the brute-force value of a query in the full world."""
    return brute(FULL, parse(text, FULL.vocabulary))


CASES = [
    # the named quantities
    ("PN(x: 0 -> 1; y=1)", "do", "P(y=0 | do(x=0))"),
    ("PN(x: 0 -> 1; y=1)", "see", "P(y=0 | x=0)"),
    ("PS(x: 0 -> 1; y=1)", "do", "P(y=1 | do(x=1))"),
    ("PS(x: 0 -> 1; y=1)", "see", "P(y=1 | x=1)"),
    ("ETT(x: 0 -> 1; y=1)", "do", "ATE(x: 0 -> 1; y=1)"),
    ("ETT(x: 0 -> 1; y=1)", "see", "P(y=1 | x=1) - P(y=1 | x=0)"),
    ("ETU(x: 0 -> 1; y=1)", "do", "ATE(x: 0 -> 1; y=1)"),
    ("CDE(x: 0 -> 1; y=1; m=0)", "see", "P(y=1 | x=1, m=0) - P(y=1 | x=0, m=0)"),
    # rung 2 is its own do reading
    ("CATE(x: 0 -> 1; y=1 | z=1)", "do", "CATE(x: 0 -> 1; y=1 | z=1)"),
    ("P(y=1 | do(x=1), w=0)", "do", "P(y=1 | do(x=1), w=0)"),
    ("P(y=1 | do(x=1), w=0)", "see", "P(y=1 | x=1, w=0)"),
    # rung 1 is its own see and do reading, even where composition alone shows it
    ("P(y[x=1]=1 | x=1)", "see", "P(y=1 | x=1)"),
    ("P(y[x=1]=1 | x=1)", "do", "P(y=1 | x=1)"),
    # evidence that no intervention reaches moves; the rest is dropped (do), or kept (see)
    ("P(y[x=1]=1 | x=0, z=1)", "do", "P(y=1 | do(x=1), z=1)"),
    ("P(y[x=1]=1 | z=1, m=0)", "do", "P(y=1 | do(x=1), z=1)"),
    ("P(y[x=1]=1 | z=1, m=0)", "see", "P(y=1 | x=1, z=1, m=0)"),
    ("P(y[x=1]=1 | x=0, y=0, w=1)", "see", "P(y=1 | x=1, w=1)"),
    ("P(y[x=1]=1 | z[x=0]=1)", "do", "P(y=1 | do(x=1), z=1)"),
    ("P(y[x=1]=1 | y[x=0]=1)", "do", "P(y=1 | do(x=1))"),
    ("P(y[x=1]=1 | m[x=1]=0, y=0)", "do", "P(y=1 | do(x=1), m=0)"),
    ("P(w[x=1]=1 | y[m=0]=1, z=0)", "do", "P(w=1 | do(x=1), z=0)"),
    ("P(w[x=1]=1 | y[m=0]=1, z=0)", "see", "P(w=1 | x=1, y=1, z=0)"),
    # the mean, and one world for a natural target
    ("P(z=1 | y[x=1]=0)", "do", "P(z=1)"),
    ("P(z=1 | y[x=1]=0)", "see", "P(z=1 | y=0)"),
]


@pytest.mark.parametrize(("query", "kind", "same_as"), CASES)
def test_reading_is_a_lower_quantity(query, kind, same_as):
    """A reading equals the lower-rung quantity that the rule names."""
    assert oracle(same_as) == pytest.approx(reading(FULL, query, kind), abs=1e-12)


@pytest.mark.parametrize("kind", ["see", "do"])
def test_worlds_multiply(kind):
    """PNS and joint events are products over worlds; within a world they stay joint."""
    forced = {"see": "{0} | x={1}", "do": "{0} | do(x={1})"}[kind]
    first = oracle(f"P({forced.format('y=1, w=1', 1)})")
    second = oracle(f"P({forced.format('y=0', 0)})")
    actual = reading(FULL, "P(y[x=1]=1, y[x=0]=0, w[x=1]=1)", kind)
    assert first * second == pytest.approx(actual, abs=1e-12)


@pytest.mark.parametrize("kind", ["see", "do"])
def test_nested_values_are_drawn_on_their_own(kind):
    """NDE: sum_m P(m | x=0) P(y | x=1, m) - P(y | x=0), with do or with seeing throughout."""
    bar = {"see": "{0} | {1}", "do": "{0} | do({1})"}[kind]
    expected = -oracle(f"P({bar.format('y=1', 'x=0')})")
    for m in BIT:
        drawn = oracle(f"P({bar.format(f'm={m}', 'x=0')})")
        expected += drawn * oracle(f"P({bar.format('y=1', f'x=1, m={m}')})")
    assert expected == pytest.approx(reading(FULL, "NDE(x: 0 -> 1; y=1; m)", kind), abs=1e-12)


def test_nested_evidence_conditions_every_draw():
    """Evidence on z moves into the nested world and into the outer one."""
    expected = 0.0
    for m in BIT:
        drawn = oracle(f"P(m={m} | do(x=0), z=1)")
        expected += drawn * oracle(f"P(y=1 | do(x=1, m={m}), z=1)")
    actual = reading(FULL, "P(y[x=1, m=m[x=0]]=1 | z=1, w=0)", "do")
    assert expected == pytest.approx(actual, abs=1e-12)


def test_marginal_multiplies_single_variables():
    """Rung 0 knows no condition: the product of one-variable laws, in the form asked."""
    expected = oracle("P(y=1)") * oracle("P(y=0)")
    assert expected == pytest.approx(reading(FULL, "PNS(x: 0 -> 1; y=1)", "marginal"), abs=1e-12)


def test_marginal_of_a_mean():
    """Rung 0 of E[y | ...] is the plain mean."""
    scm = random_scm(rng=np.random.default_rng(3), n=4, cards=(3,))
    query = "E[v1 | v2=0, v3=1]"
    assert reading(scm, query, "marginal") == value(scm, "E[v1]")


def test_readings_are_linear():
    """The reading of a combination is the combination of readings."""
    joint = reading(FULL, "2*PNS(x: 0 -> 1; y=1) - 0.5*PN(x: 0 -> 1; y=1) + 1", "do")
    parts = [reading(FULL, f"{name}(x: 0 -> 1; y=1)", "do") for name in ("PNS", "PN")]
    assert 2 * parts[0] - 0.5 * parts[1] + 1 == pytest.approx(joint, abs=1e-12)


# x copies z, so x=1 never goes with z=0; y is a noisy copy of x.
COPY = world(
    {"z": BIT, "x": BIT, "y": BIT, "w": BIT},
    {
        "z": cpt([], [0.7, 0.3]),
        "x": {"parents": ["z"], "noise": [1], "table": [[0, 1]]},
        "y": cpt(["x"], bern(0.1, 0.8)),
        "w": cpt([], [0.5, 0.5]),
    },
)


def test_see_keeps_the_action_and_what_goes_with_it():
    """z=0 is impossible with x=1 and is dropped; w=1, stated later, is kept."""
    expected = value(COPY, "P(y=1 | x=1, w=1)")
    assert expected == reading(COPY, "P(y[x=1]=1 | x=0, z=0, w=1)", "see")


def test_see_keeps_evidence_in_stated_order():
    """Of two parts that exclude each other under do, the first stated stays."""
    scm = world(
        {"a": BIT, "b": BIT, "x": BIT, "y": BIT},
        {
            "a": cpt([], [0.5, 0.5]),
            "x": cpt(["a"], bern(0.3, 0.6)),
            "b": {"parents": ["a", "x"], "noise": [1], "table": [[[0, 1], [1, 1]]]},
            "y": cpt(["x", "a"], bern([0.2, 0.3], [0.4, 0.9])),
        },
    )
    query = "P(y[x=1]=1 | b=0, a=0)"  # b=0 needs x=0, so it goes; a=0 stays
    assert value(scm, "P(y=1 | x=1, a=0)") == reading(scm, query, "see")


def test_see_of_an_action_never_seen():
    """An action that never happens is dropped with the evidence: the plain probability."""
    scm = world(
        {"x": BIT, "y": BIT, "w": BIT},
        {
            "x": cpt([], [1.0, 0.0]),
            "y": cpt(["x"], bern(0.1, 0.8)),
            "w": cpt(["y"], bern(0.3, 0.6)),
        },
    )
    assert value(scm, "P(y=1)") == reading(scm, "P(y=1 | do(x=1), w=1)", "see")


def test_truth_of_an_impossible_condition_raises_with_its_readings():
    """A condition of probability zero is an error before any reading is looked at."""
    with pytest.raises(ZeroProbabilityError, match=r"P\(x=1, z=0\) = 0"):
        truth(COPY, "P(y[x=0]=1 | x=1, z=0)")


def test_unknown_reading():
    """A reading that does not exist is refused by name."""
    with pytest.raises(QueryError, match="'guess' is no reading"):
        reading(COPY, "P(y=1)", "guess")


@pytest.mark.parametrize("seed", range(6))
def test_see_reading_depends_on_the_joint_alone(seed):
    """The coupling twins share L1 and L2, so every reading below rung 3 agrees."""
    left, right = umbrella_rain(), umbrella_rain("antitone")
    rng = np.random.default_rng([seed, 20])
    checked = 0
    for _ in range(40):
        text = _random_redo(rng)
        try:
            found = [truth(scm, text) for scm in (left, right)]
        except ZeroProbabilityError:
            continue
        for kind in ("marginal", "see", "do"):
            assert found[0].readings[kind] == pytest.approx(found[1].readings[kind], abs=1e-12)
        checked += 1
    assert checked >= 20


def _random_redo(rng):
    """Write a random redo query about the umbrella world."""
    names = ["seed", "rain", "umbrella", "wet"]
    label = lambda: str(rng.choice(["no", "yes"]))  # noqa: E731
    forced, target = rng.choice(names, size=2, replace=False)
    seen = rng.choice(names, size=int(rng.integers(1, 4)), replace=False)
    given = ", ".join(f"{name}={label()}" for name in seen)
    return f"P({target}[{forced}={label()}]={label()} | {given})"


@pytest.mark.parametrize("seed", range(3))
def test_do_reading_of_rung_two_in_random_worlds(seed):
    """P(y | do(x), z) is its own do reading and P(y | x, z) its see reading, where possible."""
    rng = np.random.default_rng([seed, 21])
    scm = random_world(rng, n=5, noises=(4,), cards=(2, 3))
    names = list(scm.names)
    for _ in range(20):
        x, y, z = rng.choice(names, size=3, replace=False)
        text = f"P({y}=a | do({x}=a), {z}=b)"
        seen = brute(scm, parse(f"P({y}=a | {x}=a, {z}=b)", scm.vocabulary))
        done = brute(scm, parse(text, scm.vocabulary))
        if seen is None or done is None:
            continue
        assert done == pytest.approx(reading(scm, text, "do"), abs=1e-12)
        assert seen == pytest.approx(reading(scm, text, "see"), abs=1e-12)
