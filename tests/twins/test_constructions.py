"""Each construction keeps what it promises to keep, and refuses what it cannot keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from causalbench.errors import TwinError
from causalbench.rng import generator
from causalbench.scm.couplings import coupling_from_text, coupling_text
from causalbench.task.construct.coupling import recouple, two_couplings
from causalbench.task.construct.dependence import dependence
from causalbench.task.construct.draft import functions_of, world_of
from causalbench.task.construct.edges import bow, covered, covered_reversal, edge_to_confounder
from causalbench.task.construct.motifs import draw_net, front_door, open_world, sink_world
from causalbench.task.construct.names import NAMES
from causalbench.task.construct.units import Engine, Units

if TYPE_CHECKING:
    from causalbench.task.construct.net import Net

SEEDS = range(12)


def _full(net: Net) -> np.ndarray:
    """Return the joint law of all variables, hidden ones too, in sorted order."""
    return net.law(sorted(net.cards))


@pytest.mark.parametrize("seed", SEEDS)
def test_dependence_keeps_every_variables_own_law(seed):
    """Both sides of a rung-1 pair have the base's one-variable laws; no probability is negative."""
    rng = generator(seed, "test-dependence")
    net = sink_world(rng, hidden=seed % 3)
    sides = dependence(net, "y", rng=rng, blend=(seed % 3) / 2)
    for side in sides:
        assert side.cpts["y"].min() > 0.0
        for name in net.visible:
            np.testing.assert_allclose(side.law([name]), net.law([name]), atol=1e-14)


def test_dependence_is_symmetric_about_the_base():
    """With no blend the two tables average to the base's: neither side is the original."""
    rng = generator(0, "test-symmetric")
    net = sink_world(rng)
    first, second = dependence(net, "y", rng=rng)
    np.testing.assert_allclose((first.cpts["y"] + second.cpts["y"]) / 2, net.cpts["y"], atol=1e-15)


def test_dependence_refuses_a_variable_with_children():
    """Bending a variable that has effects would change their laws."""
    net = draw_net(generator(0, "chain"), {"x": [], "m": ["x"], "y": ["m"]})
    with pytest.raises(TwinError, match="bend the dependence of a sink"):
        dependence(net, "m", rng=generator(0, "unused"))


@pytest.mark.parametrize("seed", SEEDS)
def test_covered_reversal_keeps_the_joint_of_all_variables(seed):
    """Turning a covered edge round changes no joint probability, hidden variables included."""
    net = open_world(generator(seed, "test-covered"), covered=True)
    turned = covered_reversal(net, "x", "y")
    assert "y" in turned.parents["x"]
    assert "x" not in turned.parents["y"]
    np.testing.assert_allclose(_full(turned), _full(net), atol=1e-15)


def test_covered_reversal_counts_hidden_parents():
    """Same visible parents are not enough: with a hidden parent of one end it is refused."""
    net = draw_net(generator(0, "hidden-parent"), {"u": [], "x": ["u"], "y": ["x"]})
    assert not covered(net, "x", "y")
    with pytest.raises(TwinError, match="not covered"):
        covered_reversal(net, "x", "y")


def test_reversal_of_an_edge_covered_by_visible_parents_alone_changes_the_law():
    """The rule about hidden parents is needed: by visible parents alone the seen law changes."""
    net = draw_net(generator(3, "needed"), {"u": [], "x": ["u"], "y": ["x"], "w": ["u", "y"]})
    joint = net.law(["x", "y"])
    head = joint.sum(axis=0)
    tail = (joint / head).T
    wrong = net.replace({"y": head, "x": tail}, {"y": (), "x": ("y",)})
    assert np.abs(wrong.law(["x", "y", "w"]) - net.law(["x", "y", "w"])).max() > 1e-3


@pytest.mark.parametrize("seed", SEEDS)
def test_edge_to_confounder_keeps_every_unit(seed):
    """With the hidden cause set to x's noise, every unit has the values it had before."""
    rng = generator(seed, "test-confounder")
    net = front_door(rng, confounded=seed % 2 == 0, open_only=False)
    other = edge_to_confounder(net, "x", "y", "h", rng=rng)
    before = world_of(functions_of(net), net)
    after = world_of(functions_of(other), other)
    # The hidden cause is x's noise in another order: its values are matched by what x becomes.
    rows = before.mechanism("x").table.reshape(len(before.mechanism("x").noise), -1)
    place = after.mechanism("x").parents.index("h")
    moved = np.moveaxis(after.mechanism("x").table[0], place, 0)
    follow = moved.reshape(moved.shape[0], -1)
    unit = before.draw_noise(400, rng=rng)
    natural = before.solve(unit)
    match = np.array([int(np.flatnonzero((follow == row).all(axis=1))[0]) for row in rows])
    same = {name: unit[name] for name in before.names if name != "x"}
    codes = after.solve({**same, "x": np.zeros(400, dtype=int), "h": _noise_of(after, unit, match)})
    for name in before.names:
        np.testing.assert_array_equal(codes[name], natural[name])


def _noise_of(after, unit, match):
    """Return noise codes that give the hidden cause the values matched to x's noise."""
    table = after.mechanism("h").table
    inverse = np.array([int(np.flatnonzero(table == value)[0]) for value in range(len(table))])
    return inverse[match[unit["x"]]]


@pytest.mark.parametrize("seed", SEEDS)
def test_edge_to_confounder_keeps_the_seen_law_and_moves_the_edge(seed):
    """X -> y becomes x <-> y, and the joint law of the visible variables stays."""
    rng = generator(seed, "test-moved")
    net = open_world(rng, covered=False)
    other = edge_to_confounder(net, "x", "y", "h", rng=rng)
    diagram = world_of(functions_of(other), other).diagram
    assert ("x", "y") not in diagram.directed
    assert {"x", "y"} in [set(edge) for edge in diagram.bidirected]
    np.testing.assert_allclose(other.law(net.visible), net.law(net.visible), atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_bow_keeps_law_and_diagram_whatever_the_share(seed):
    """Two shares of a bow are witnesses: one diagram, one seen law, two effects."""
    rng = generator(seed, "test-bow")
    net = open_world(rng, covered=True)
    sides = [bow(net, "x", "y", "h", share, rng=rng) for share in (0.2, 0.8)]
    worlds = [world_of(functions_of(side), side) for side in sides]
    assert worlds[0].diagram == worlds[1].diagram
    np.testing.assert_allclose(sides[0].law(net.visible), sides[1].law(net.visible), atol=1e-12)
    effects = [side.law(["y"], {"x": 0}) for side in sides]
    plain, seen = net.law(["y"], {"x": 0}), net.law(["y"])
    for share, effect in zip((0.2, 0.8), effects, strict=True):
        if not net.parents["x"]:  # unconfounded base: the effect is the mixture, by hand
            np.testing.assert_allclose(effect, (1 - share) * plain + share * seen, atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_recoupling_keeps_every_table(seed):
    """Two couplings of one mechanism have one table given all parents, hidden ones too."""
    rng = generator(seed, "test-recouple")
    net = sink_world(rng, hidden=seed % 3)
    pair = two_couplings(rng, net, "y", toward="x")
    sides, _ = recouple(rng, net, "y", pair)
    assert pair[0] != pair[1]
    for side in sides:
        for name in net.cards:
            np.testing.assert_allclose(side[name].cpt(net.cards[name]), net.cpts[name], atol=1e-14)


@pytest.mark.parametrize("seed", SEEDS)
def test_units_and_engine_give_the_same_tables(seed):
    """Listing all units and eliminating variables agree on both tables of one unit."""
    rng = generator(seed, "test-oracles")
    net = sink_world(rng, hidden=1, minimum=0.1)
    sides, _ = recouple(rng, net, "y", ("monotone", {"antitone": {"in": "x"}}))
    listed = Units(sides[1], net.cards, net.visible)
    engine = Engine(world_of(sides[1], net))
    np.testing.assert_allclose(
        listed.joint(["x", "y"], "y", {"x": 1}), engine.joint(["x", "y"], "y", {"x": 1}), atol=1e-12
    )
    np.testing.assert_allclose(
        listed.twice("y", {"x": 0}, {"x": 1}), engine.twice("y", {"x": 0}, {"x": 1}), atol=1e-12
    )


@pytest.mark.parametrize(
    "coupling",
    ["monotone", "independent", {"antitone": {"in": "x"}}],
)
def test_coupling_text_reads_back(coupling):
    """What a dossier calls a coupling is what `couple` takes."""
    assert coupling_from_text(coupling_text(coupling)) == coupling


def test_names_are_many_and_different():
    """There are at least 60 names, no two alike."""
    assert len(NAMES) == len(set(NAMES))
    assert len(NAMES) >= 60
