"""Effects in linear-Gaussian worlds from what is seen: which are found, and that they are right."""

from __future__ import annotations

from itertools import permutations

import pytest

from causalbench.graph import Diagram
from causalbench.query import parse
from causalbench.rng import generator
from causalbench.task.construct.linear_net import draw_linear
from causalbench.task.construct.shapes import MOTIFS, draw_shape
from causalbench.truth import Knowledge, truth
from causalbench.truth.identify.interventional import identify_effect
from causalbench.truth.linear import adjustment_set, linear_proof, route
from causalbench.truth.permitted import Ground


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("z -> x; z -> y; x -> y", ("z",)),
        ("x -> m -> y", ()),
        ("x -> y; x <-> y", None),
        ("x -> m; m -> y; x <-> y", None),
        ("x -> y; x <-> z; z <-> y", ()),
        ("x -> m; z -> m; m -> y; z -> y; x -> y", ("z",)),
    ],
    ids=["back door", "chain", "bow", "front door", "M", "a cause of a mediator"],
)
def test_adjustment_sets(text, kept):
    """The ancestors of x and y that no path to y leads to: enough, or nothing is."""
    assert adjustment_set(Diagram.parse(text), "y", ["x"]) == kept


def test_the_front_door_is_a_path():
    """One step for the mediator, one for y given x."""
    steps = route(Diagram.parse("x -> m; m -> y; x <-> y"), "y", ["x"])
    assert [(step.target, step.forced, step.kept) for step in steps] == [
        ("m", ("x",), ()),
        ("y", ("m",), ("x",)),
    ]


def test_lines_alone_settle_nothing():
    """Slopes multiply from x by y to w, but only lines make it so: there is no such effect else."""
    assert route(Diagram.parse("z -> w; x -> y; y -> w; z <-> x; z <-> y"), "w", ["x"]) is None


@pytest.mark.parametrize("motif", MOTIFS)
def test_what_is_found_is_identified_and_right(motif):
    """Whatever a route is found for, the ID algorithm identifies; regressions give the truth."""
    found = 0
    for seed in range(4):
        rng = generator(seed, f"test-routes/{motif}")
        shape = draw_shape(rng, motif, 4)
        net = draw_linear(rng, shape, 1)
        world = net.world(0, {name: name for name in shape}, dict.fromkeys(net.visible, 0.25))
        binary = dict.fromkeys(world.visible, ("0", "1"))
        ground = Ground(world.diagram, binary, dict.fromkeys(binary))
        for x, y in permutations(world.visible, 2):
            if route(world.diagram, y, [x]) is None:
                continue
            found += 1
            event = parse(f"P({y}=1 | do({x}=1))").terms[0][1]
            assert identify_effect(ground, event) is not None
            query = parse(f"E[{y} | do({x}=1)]", world.vocabulary)
            proof = linear_proof(world, query, Knowledge("see", "diagram"))
            assert proof.value == pytest.approx(float(truth(world, query).value), abs=1e-9)
    assert found > 10
