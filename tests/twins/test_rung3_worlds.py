"""Several courses of one unit, in many worlds at once: against the truth engine, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.errors import TooWideError
from causalbench.query.ast import Term
from causalbench.rng import generator
from causalbench.scm.couplings import couple
from causalbench.task.construct.batch import draw_batch
from causalbench.task.construct.draft import world_of
from causalbench.task.construct.rung3_mixed import HIDDEN, Joined, mixed_sides
from causalbench.task.construct.rung3_tables import ruled, suited
from causalbench.task.construct.rung3_worlds import NATURAL, Copies, joint_law, unrolled
from causalbench.truth import table

SHAPE = {"u": (), "x": ("u",), "m": ("x", "u"), "w": (), "y": ("m", "x", "w")}
CARDS = {"u": 2, "x": 3, "m": 3, "w": 2, "y": 2}
COURSES = {NATURAL: {}, "set": {"x": 1}, "held": {"x": 1, "m": NATURAL}}
ASKED = [("x", NATURAL), ("y", NATURAL), ("m", "set"), ("y", "set"), ("y", "held")]
TERMS = [
    Term("x"),
    Term("y"),
    Term("m", (("x", "1"),)),
    Term("y", (("x", "1"),)),
    Term("y", (("m", Term("m")), ("x", "1"))),
]
OPPOSED = {"antitone": {"in": "x"}}
COUPLINGS = [
    "monotone",
    "independent",
    OPPOSED,
    {"mixture": {"of": ["monotone", {"antitone": {"in": "m"}}], "weights": [0.25, 0.75]}},
]


def worlds(batch, couplings):
    """Return the candidates as worlds."""
    nets = [batch.pick(place) for place in range(len(batch))]
    return [
        world_of(
            {
                name: couple(net.cpts[name], couplings.get(name, "monotone"), net.parents[name])
                for name in net.cards
            },
            net,
        )
        for net in nets
    ]


@pytest.mark.parametrize("coupling", COUPLINGS, ids=str)
@pytest.mark.parametrize("mediator", ["monotone", "independent"])
def test_joint_laws_are_those_of_the_engine(coupling, mediator):
    """Three copies of y, nested values, a hidden cause: 1e-12 in every candidate."""
    batch = draw_batch(generator(0, "courses"), SHAPE, CARDS, 4)
    if coupling == "independent":
        batch = draw_batch(generator(0, "few"), SHAPE, {**CARDS, "x": 2, "m": 2}, 4)
    couplings = {"m": mediator, "y": coupling}
    copies = Copies.of(batch.parents, COURSES, ASKED)
    laws = unrolled(batch, copies, couplings).law([copies.places[each] for each in ASKED])
    for law, scm in zip(laws, worlds(batch, couplings), strict=True):
        np.testing.assert_allclose(law, table(scm, TERMS), atol=1e-12)


def test_equal_copies_and_settings_have_an_axis_each():
    """What is set has its code, what no setting reaches is what it was: zero elsewhere."""
    batch = draw_batch(generator(4, "twice"), SHAPE, CARDS, 4)
    asked = [("w", NATURAL), ("x", "set"), ("y", "set"), ("w", "set"), ("x", NATURAL)]
    couplings = {"m": "monotone", "y": OPPOSED}
    copies = Copies.of(batch.parents, COURSES, asked)
    laws = joint_law(batch, couplings, copies, asked)
    terms = [Term(n) if c == NATURAL else Term(n, (("x", "1"),)) for n, c in asked]
    for law, scm in zip(laws, worlds(batch, couplings), strict=True):
        np.testing.assert_allclose(law, table(scm, terms), atol=1e-12)


def test_copies_with_the_same_causes_are_one():
    """Composition: what no setting reaches is the same in every course."""
    copies = Copies.of(SHAPE, COURSES, ASKED)
    assert copies.places["w", "set"] == copies.places["w", NATURAL] == "w"
    assert copies.places["m", "held"] == copies.places["m", NATURAL]
    assert copies.places["x", "set"] == 1
    assert copies.twice == ["m", "y"]


def test_what_bears_on_nothing_is_left_out():
    """Asked of m alone, y has no copies."""
    copies = Copies.of(SHAPE, COURSES, [("m", "set")])
    assert {name: len(each) for name, each in copies.rows.items()} == {
        "u": 1,
        "x": 0,
        "m": 1,
        "w": 0,
        "y": 0,
    }


def test_too_large_a_table_is_refused():
    """Another shape is drawn then."""
    batch = draw_batch(generator(0, "wide"), SHAPE, dict.fromkeys(SHAPE, 4), 256)
    with pytest.raises(TooWideError, match="the copies of 'y'"):
        unrolled(batch, Copies.of(batch.parents, COURSES, ASKED), {})


CHAIN = {"z": (), "x": ("z",), "y": ("x", "z")}
MEDIATED = {"x": (), "m": ("x",), "y": ("x", "m")}
JOINED = [
    ({"x": (), "y": ("x",)}, {"x": 3, "y": 2}, Joined("x", "y", "", (0, 1))),
    (CHAIN, {"z": 2, "x": 3, "y": 3}, Joined("x", "y", "", (2, 0))),
    (MEDIATED, {"x": 2, "m": 2, "y": 2}, Joined("m", "y", "x", (0, 1))),
    (
        {"u": (), "z": ("u",), "x": ("z",), "m": ("x", "z"), "y": ("x", "m"), "s": ("y", "u")},
        {"u": 2, "z": 2, "x": 3, "m": 2, "y": 2, "s": 2},
        Joined("m", "y", "x", (0, 2)),
    ),
]


@pytest.mark.parametrize(("shape", "cards", "joined"), JOINED)
def test_a_hidden_cause_moves_nothing_that_experiments_show(shape, cards, joined):
    """Every law under every intervention on visible variables, to 1e-12; and the tables differ."""
    rng = generator(1, "mixed")
    sides = mixed_sides(rng, draw_batch(rng, shape, cards, 5), joined)
    names = sides[0].visible
    for number in range(2 ** len(names)):
        forced = [name for place, name in enumerate(names) if number >> place & 1]
        for code in range(2):
            do = dict.fromkeys(forced, code)
            rest = [name for name in names if name not in do]
            first, second = (each.law(rest, do) for each in sides)
            np.testing.assert_allclose(first, second, atol=1e-12)
    moved = np.abs(sides[0].cpts[joined.last] - sides[1].cpts[joined.last])
    assert (moved.reshape(len(moved), -1).max(axis=1) > 0.02).all()
    assert all(table.min() >= 0.0 for side in sides for table in side.cpts.values())
    for side in sides:
        np.testing.assert_allclose(side.cpts[joined.last].sum(axis=-1), 1.0, atol=1e-12)
        assert HIDDEN in side.hidden


def test_with_two_values_of_x_nothing_is_left_open():
    """P(y[x=1] | x=0) follows from experiments where x is binary, so nothing moves it."""
    rng = generator(2, "binary")
    batch = draw_batch(rng, {"x": (), "y": ("x",)}, {"x": 2, "y": 2}, 5)
    sides = mixed_sides(rng, batch, Joined("x", "y", "", (0, 1)))
    asked = [("x", NATURAL), ("y", "set")]
    copies = Copies.of(sides[0].parents, {NATURAL: {}, "set": {"x": 1}}, asked)
    laws = [unrolled(each, copies, {}).law([copies.places[a] for a in asked]) for each in sides]
    np.testing.assert_allclose(*laws, atol=1e-9)


def test_tables_that_follow_a_rule_stay_on_the_grid():
    """Multiples of 1/1024 that sum to 1; the whole of a part goes to the rule's value."""
    batch = draw_batch(generator(3, "rule"), SHAPE, CARDS, 6)
    other = suited(generator(3, "suited"), batch, "y", 0.05)
    for cpt in other.cpts.values():
        np.testing.assert_array_equal(cpt * 1024, np.round(cpt * 1024))
        np.testing.assert_array_equal(cpt.sum(axis=-1), 1.0)
        assert cpt.min() >= 0.0
    whole = ruled(batch.cpts["x"], np.zeros((6, 2), dtype=np.int64), np.ones(6))
    np.testing.assert_array_equal(whole[..., 0], 1.0)
