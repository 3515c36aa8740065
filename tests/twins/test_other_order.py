"""Two causal orders of one law: minimal maps, as many arrows, and every row of every table used."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from causalbench.errors import TwinError
from causalbench.rng import generator
from causalbench.task.construct.edges import edge_to_confounder
from causalbench.task.construct.motifs import draw_net
from causalbench.task.construct.orders import (
    LEAST_ROW,
    arrows,
    least_row,
    minimal_map,
    reordered,
    two_orders,
)
from causalbench.task.construct.sparse import sparse_behind, sparse_kept, sparse_world

SEEDS = range(12)
KINDS = ("other-order", "other-order-behind-confounder")


def product_of(parents, law, names):
    """Multiply P(v | parents), read off the law row by row: what a network makes of it."""
    total = np.ones(law.shape)
    for codes in np.ndindex(law.shape):
        value = dict(zip(names, codes, strict=True))
        for name in names:
            row = tuple(value[n] if n in parents[name] else slice(None) for n in names)
            both = tuple(value[n] if n in {*parents[name], name} else slice(None) for n in names)
            total[codes] *= law[both].sum() / law[row].sum()
    return total


@pytest.mark.parametrize("seed", range(6))
def test_the_map_of_any_order_makes_the_law_and_needs_all_its_arrows(seed):
    """With all parents the product is the law to 1e-12; without any one of them it is not."""
    rng = generator(seed, "test-maps")
    net = sparse_kept(rng)
    law = net.law(net.visible)
    orders = list(itertools.permutations(net.visible))
    parents = minimal_map(law, net.visible, orders[seed * 4])
    np.testing.assert_allclose(product_of(parents, law, net.visible), law, atol=1e-12)
    for cause, effect in arrows(parents):
        fewer = {**parents, effect: tuple(n for n in parents[effect] if n != cause)}
        assert np.abs(product_of(fewer, law, net.visible) - law).max() > 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_a_net_gives_back_its_own_arrows(seed):
    """Tables drawn at random hide no independence, so the map of the causal order is the net."""
    net = sparse_world(generator(seed, "test-own"))
    parents = minimal_map(net.law(net.visible), net.visible, net.order())
    assert arrows(parents) == arrows(net.parents)


def test_a_collider_drawn_from_its_effect_is_a_triangle():
    """By hand: x -> z <- y, with z first, needs all three arrows; x and y are tied given z."""
    net = draw_net(generator(0, "collider"), {"x": [], "y": [], "z": ["x", "y"]})
    law = net.law(["x", "y", "z"])
    parents = minimal_map(law, ["x", "y", "z"], ["z", "x", "y"])
    assert parents == {"x": ("z",), "y": ("x", "z"), "z": ()}


def test_a_chain_drawn_backwards_is_a_chain():
    """By hand: x -> m -> y read from the end is y -> m -> x."""
    net = draw_net(generator(0, "chain"), {"x": [], "m": ["x"], "y": ["m"]})
    law = net.law(["x", "m", "y"])
    parents = minimal_map(law, ["x", "m", "y"], ["y", "m", "x"])
    assert parents == {"x": ("m",), "m": ("y",), "y": ()}


def test_a_chain_has_two_orders():
    """Both x -> m -> y and y -> m -> x: two arrows each, none of them shared."""
    net = draw_net(generator(0, "chain"), {"x": [], "m": ["x"], "y": ["m"]})
    first, second = two_orders(generator(1, "orders"), net)
    found = {arrows(first.parents), arrows(second.parents)}
    assert found == {frozenset({("x", "m"), ("m", "y")}), frozenset({("m", "x"), ("y", "m")})}


def test_a_law_with_a_zero_is_refused():
    """Where something never happens an order may have several minimal maps."""
    law = np.array([[0.5, 0.0], [0.25, 0.25]])
    with pytest.raises(TwinError, match="has a zero"):
        minimal_map(law, ["x", "y"], ["y", "x"])


def test_a_complete_law_has_no_two_orders():
    """Where every order needs every arrow nothing is left to tell, and none are given."""
    shape = {"x": [], "m": ["x"], "y": ["x", "m"]}
    assert two_orders(generator(0, "o"), draw_net(generator(0, "complete"), shape)) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_two_orders_keep_the_law_and_differ_in_two_arrows(seed):
    """One law to 1e-12, equally many arrows, some missing, two or more elsewhere, no rare row."""
    rng = generator(seed, "test-two")
    net = sparse_world(rng)
    found = two_orders(rng, net)
    if found is None:  # this net has no such orders: a chain of colliders, or all arrows
        return
    sets = [arrows(each.parents) for each in found]
    assert len(sets[0]) == len(sets[1]) < len(net.visible) * (len(net.visible) - 1) / 2
    assert len(sets[0] - sets[1]) >= 2
    for each in found:
        np.testing.assert_allclose(each.law(net.visible), net.law(net.visible), atol=1e-12)
        assert least_row(each) >= LEAST_ROW


def test_most_nets_have_two_orders():
    """So that the test before is not empty: at least half of its nets."""
    found = 0
    for seed in SEEDS:
        rng = generator(seed, "test-two")
        found += two_orders(rng, sparse_world(rng)) is not None
    assert found * 2 >= len(SEEDS)


@pytest.mark.parametrize("seed", range(4))
def test_orders_behind_a_confounder_keep_the_law_and_the_drawn_paths(seed):
    """The arrows of x -> m -> y stay, x <-> y comes in both, and the seen law is one to 1e-12."""
    rng = generator(seed, "test-behind")
    kept = [("x", "y"), ("x", "m"), ("m", "y")]
    found = None
    while found is None:
        net = sparse_behind(rng)
        found = two_orders(rng, net, kept=kept)
    sides = [edge_to_confounder(each, "x", "y", "h", rng=rng) for each in found]
    for side in sides:
        assert {("x", "m"), ("m", "y")} <= arrows(side.parents)
        assert "x" not in side.parents["y"]
        np.testing.assert_allclose(side.law(net.visible), net.law(net.visible), atol=1e-12)


def test_a_network_of_a_law_is_the_law_where_its_parents_are_a_map():
    """Tables are the law's conditionals: multiplied they give it back."""
    net = sparse_world(generator(2, "test-tables"))
    law = net.law(net.visible)
    made = reordered(net, minimal_map(law, net.visible, net.visible))
    np.testing.assert_allclose(made.law(net.visible), law, atol=1e-12)


@pytest.fixture(scope="module")
def ordered(pairs):
    """The pairs of two orders in ladder-mini."""
    return [pair for pair in pairs if pair[0].placement.construction in KINDS]


def test_two_orders_are_in_every_cell_of_rung_two(ordered):
    """Plain ones in the lab and wherever a diagram is shown, half of them behind a confounder."""
    found = {(p[0].placement.cell, p[0].placement.construction) for p in ordered}
    assert found == {
        ("lab", KINDS[0]),
        ("diagram", KINDS[0]),
        ("diagram", KINDS[1]),
        ("mechanisms", KINDS[0]),
        ("mechanisms", KINDS[1]),
    }


def test_both_orders_are_drawn_with_equally_many_edges(ordered):
    """Counting edges tells nothing, and more than one arrow differs."""
    for pair in ordered:
        first, second = (case.scm.diagram for case in pair)
        assert len(first.directed) == len(second.directed)
        assert len(first.bidirected) == len(second.bidirected)
        assert len(set(first.directed) - set(second.directed)) >= 2


def test_every_row_of_every_shown_table_is_used(ordered):
    """Visible parents take every combination of values with probability 0.001 or more."""
    from causalbench.truth import law

    for pair in ordered:
        for case in pair:
            for name in case.scm.visible:
                above = [n for n in case.scm.parents(name) if n not in case.scm.hidden]
                if above:
                    assert law(case.scm, above).min() >= LEAST_ROW
