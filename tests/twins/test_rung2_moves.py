"""Moves on batches and on the worlds that are told have one law under every intervention."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from causalbench import rng as draws
from causalbench.rng import generator
from causalbench.task.construct.batch import draw_batch
from causalbench.task.construct.draft import functions_of, world_of
from causalbench.task.construct.order import Order
from causalbench.task.construct.orders import arrows
from causalbench.task.construct.rung2 import guarded
from causalbench.task.construct.rung2_moves import Move, apply, diagram_of, made
from causalbench.task.construct.rung2_shapes import ancestors, prepared, ways
from causalbench.task.construct.rung2_sides import draw_kept, draw_sides
from causalbench.task.construct.rung2_spots import targets
from causalbench.task.construct.shapes import MOTIFS, draw_cards, draw_shape
from causalbench.task.construct.sharpen import sharpened
from causalbench.task.terms import terms
from causalbench.truth import Knowledge, certify
from causalbench.truth.certificate import Identified

SHAPE = {
    "u": (),
    "z": ("u",),
    "x": ("u", "z"),
    "m": ("x",),
    "n": ("x", "z"),
    "y": ("x", "m", "n"),
}
CARDS = {"u": 2, "z": 2, "x": 3, "m": 2, "n": 2, "y": 2}
ROWS = {
    "turned, a hidden parent counted": (Move("turn", "z", ("x",)),),
    "one edge confounded": (Move("confound", "x", ("y",)),),
    "two edges out of one cause confounded": (Move("confound", "x", ("y", "n")),),
    "turned, then confounded": (Move("turn", "z", ("x",)), Move("confound", "x", ("m",))),
    "two causes confounded": (Move("confound", "x", ("y",)), Move("confound", "z", ("n",))),
}


@pytest.fixture(scope="module")
def base():
    """Two candidates of a shape with a hidden cause of z and x."""
    return draw_batch(generator(1, "moves"), SHAPE, CARDS, 2)


@pytest.mark.parametrize("name", ROWS)
def test_a_move_leaves_the_seen_law(base, name):
    """The joint law of the visible variables is the base's, to rounding."""
    moved = apply(base, ROWS[name])
    np.testing.assert_allclose(moved.law(base.visible), base.law(base.visible), atol=1e-12)


@pytest.mark.parametrize("name", ROWS)
def test_told_worlds_have_the_laws_of_the_batch(base, name):
    """Under every intervention on up to two variables the told network agrees with the batch."""
    moved = apply(base, ROWS[name])
    net = made(base.pick(1), ROWS[name], ("h0", "h1"), rng=generator(0, "told"))
    for count in (0, 1, 2):
        for group in itertools.combinations(base.visible, count):
            do = {name: (place + 1) % CARDS[name] for place, name in enumerate(group)}
            rest = [name for name in base.visible if name not in group]
            np.testing.assert_allclose(net.law(rest, do), moved.law(rest, do)[1], atol=1e-12)


@pytest.mark.parametrize("name", ROWS)
def test_the_diagram_of_a_batch_is_that_of_the_told_world(base, name):
    """Projecting natural values away gives the edges that the world's own diagram has."""
    net = made(base.pick(0), ROWS[name], ("h0", "h1"), rng=generator(0, "told"))
    assert diagram_of(apply(base, ROWS[name])) == world_of(functions_of(net), net).diagram


def test_an_edge_into_confounding_takes_the_effect_away(base):
    """With x -> y confounded, setting x moves y no longer but through m and n."""
    moved = apply(base, ROWS["two edges out of one cause confounded"])
    diagram = diagram_of(moved)
    assert {("x", "m"), ("m", "y")} <= diagram.directed
    assert not {("x", "y"), ("x", "n")} & diagram.directed
    assert {("x", "y"), ("n", "x")} <= diagram.bidirected


@pytest.mark.parametrize("motif", MOTIFS)
@pytest.mark.parametrize("seed", range(3))
def test_drawn_sides_of_any_motif_have_one_seen_law(motif, seed):
    """Whatever moves are drawn, on whatever shape, both sides have the base's law."""
    rng = generator(seed, f"test-sides-{motif}")
    met = 0
    for turn in range(12):
        shape, pair = draw_shape(rng, motif, 4), None
        if turn % 2:
            room = prepared(rng, shape, 5)
            if room is None:
                continue
            shape, *pair = room
        batch = draw_batch(rng, shape, draw_cards(rng, list(shape), cells=64), 2)
        sides = draw_kept(rng, batch, *pair) if pair else draw_sides(rng, batch)
        if sides is None:
            continue
        met += 1
        for side in sides.batches:
            np.testing.assert_allclose(
                side.law(batch.visible), batch.law(batch.visible), atol=1e-12
            )
    assert met >= 3


def test_two_orders_have_as_many_arrows():
    """A pair of two orders alone differs in two arrows or more, and has as many on either side."""
    rng, met = generator(0, "test-orders"), 0
    while met < 5:
        batch = draw_batch(
            rng,
            draw_shape(rng, "free", 4, hidden=False),
            dict.fromkeys(("e0", "e1", "e2", "e3"), 2),
            2,
        )
        sides = draw_sides(rng, batch)
        if sides is None or sides.construction != "other-order":
            continue
        first, second = (arrows(side.parents) for side in sides.batches)
        assert len(first) == len(second)
        assert len(first - second) >= 2
        met += 1


@pytest.mark.parametrize("motif", MOTIFS)
def test_prepared_shapes_hold_their_motif_and_a_way_round(motif):
    """No arrow of the motif goes; the cause gets a direct effect and one more way to it."""
    rng = generator(0, f"test-prepared-{motif}")
    met = 0
    for _ in range(60):  # feedback fills four of the five places, and few of its shapes have room
        room = prepared(rng, draw_shape(rng, motif, 4), 5, before=True)
        if room is None:
            continue
        met += 1
        shape, cause, effect = room
        assert all(set(above) <= set(shape[name]) for name, above in MOTIFS[motif].items())
        assert cause in shape[effect]
        assert len(ways(shape, cause, effect)) > 1
        free = [name for name in shape if not name.startswith("u")]
        assert any(n != cause and cause not in ancestors(shape, n) for n in free)
    assert met >= 5


@pytest.mark.parametrize("form", ["interventional", "CATE", "CDE", "soft-intervention"])
def test_targets_are_identified_by_the_certifier_too(form):
    """What the structural test lets pass is certified in both diagrams by ID or IDC."""
    rng, met = generator(0, f"test-targets-{form}"), 0
    order = Order(form, terms("diagram-see-exact"))
    while met < 4:
        room = prepared(rng, draw_shape(rng, "free", 4), 5, before=True)
        if room is None:
            continue
        shape, cause, effect = room
        batch = draw_batch(rng, shape, dict.fromkeys(shape, 2), 1)
        sides = draw_kept(rng, batch, cause, effect)
        if sides is None:
            continue
        for target in itertools.islice(targets(rng, order, sides.diagrams, (cause, effect)), 2):
            met += 1
            do = ", ".join(f"{x}=0" for x in target.xs)
            given = "".join(f", {z}=0" for z in target.seen)
            for side in sides.batches:
                net = side.pick(0)
                world = world_of(functions_of(net), net)
                text = f"P({target.y}=1 | do({do}){given})"
                known = Knowledge("see", "diagram")
                assert isinstance(certify(world, text, known), Identified)


def test_sharpened_tables_stay_on_the_grid(base):
    """Every row sums to 1 in multiples of 1/1024, no less than 26 of them anywhere."""
    tables = sharpened(generator(0, "sharp"), base).cpts
    for name, table in tables.items():
        units = table * draws.GRID
        np.testing.assert_array_equal(units, np.rint(units))
        np.testing.assert_array_equal(table.sum(axis=-1), 1.0)
        assert name in base.hidden or table.min() >= 26 / 1024


def test_sharpening_makes_tables_more_decided():
    """On average the largest probability of a row grows."""
    sharp = sharpened(generator(0, "sharp"), draw_batch(generator(4, "m"), SHAPE, CARDS, 64))
    plain = draw_batch(generator(4, "m"), SHAPE, CARDS, 64)
    assert sharp.cpts["y"].max(axis=-1).mean() > plain.cpts["y"].max(axis=-1).mean() + 0.1


@pytest.mark.parametrize(
    ("pair", "wide", "good"),
    [
        ((0.4, 0.6), 1.0, True),  # a guess is .26 off on either, .32 more than the gap in all
        ((0.37, 0.66), 1.0, False),  # .27 and .28: too little more than .29
        ((0.1, 0.9), 1.0, True),  # far apart, where no guess gains in expectation
        ((-0.15, 0.14), 2.0, True),
    ],
)
def test_guessing_stays_below_nothing_where_answers_are_near(pair, wide, good):
    """Pairs with near answers are kept only if a guess loses clearly more than the floor."""
    assert guarded(pair, wide) is good
