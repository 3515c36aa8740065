"""Effects along one path of several: values nested two deep, in form, in value, in readings."""

from __future__ import annotations

import pytest
from unit_table import AllUnits

from causalbench.query import parse
from causalbench.query.algebra import normalise
from causalbench.rng import generator
from causalbench.scm.couplings import couple
from causalbench.task.construct.draft import world_of
from causalbench.task.construct.motifs import draw_net
from causalbench.truth import Knowledge, certify, truth

SHAPE = {"x": [], "w": ["x"], "z": ["x", "w"], "y": ["x", "w", "z"]}
PASSED = "P(y[x=0, z=z[x=0, w=w[x=1]]]=1)"  # along x -> w -> z -> y alone
BESIDE = "P(y[x=0, w=w[x=1], z=z[x=0]]=1)"  # along x -> w -> y alone
OPPOSED = {"antitone": {"in": "x"}}


def world(seed, coupling):
    """Return a world in which w passes a change on twice."""
    net = draw_net(generator(seed, "paths"), SHAPE, cards=dict.fromkeys(SHAPE, 2) | {"w": 3})
    told = dict.fromkeys(SHAPE, "monotone") | {"w": coupling}
    functions = {
        name: couple(net.cpts[name], each, net.parents[name]) for name, each in told.items()
    }
    return world_of(functions, net)


@pytest.mark.parametrize("query", [PASSED, BESIDE])
def test_it_reads_back_and_is_of_rung_3(query):
    """Nested two deep, written and read."""
    found = parse(query)
    assert found.rung == 3
    assert parse(str(found)) == found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("query", [PASSED, BESIDE, f"{PASSED} - P(y[x=0]=1 | w=1, y=0)"])
@pytest.mark.parametrize("coupling", ["monotone", OPPOSED, "independent"], ids=str)
def test_values_by_adding_up_units(seed, query, coupling):
    """The engine and all units agree."""
    scm = world(seed, coupling)
    assert truth(scm, query).value == pytest.approx(AllUnits(scm).value(query), abs=1e-12)


def test_the_coupling_of_the_witness_decides():
    """With w read at both values of x in one unit, its coupling moves the answer."""
    values = [truth(world(0, each), PASSED).value for each in ("monotone", OPPOSED)]
    assert abs(values[0] - values[1]) > 0.01


def test_the_do_reading_draws_nested_values_apart():
    """By hand: w for z from the experiment x=1, then z, then y, each from its own experiment."""
    scm = world(1, OPPOSED)
    units = AllUnits(scm)
    moved = units.joint(("w",), {"x": 1})
    total = sum(
        moved[w]
        * units.joint(("z",), {"x": 0, "w": w})[z]
        * units.joint(("y",), {"x": 0, "z": z})[1]
        for w in range(3)
        for z in range(2)
    )
    assert truth(scm, PASSED).readings["do"] == pytest.approx(total, abs=1e-12)


def test_the_do_reading_of_values_from_two_worlds():
    """By hand: w from the experiment x=1 and z from the experiment x=0, apart."""
    scm = world(1, OPPOSED)
    units = AllUnits(scm)
    moved, stayed = units.joint(("w",), {"x": 1}), units.joint(("z",), {"x": 0})
    total = sum(
        moved[w] * stayed[z] * units.joint(("y",), {"x": 0, "w": w, "z": z})[1]
        for w in range(3)
        for z in range(2)
    )
    assert truth(scm, BESIDE).readings["do"] == pytest.approx(total, abs=1e-12)


def test_without_a_change_it_is_the_plain_outcome():
    """Composition, twice: w as under x=0, so z as under x=0, so y as under x=0."""
    same = parse("P(y[x=0, z=z[x=0, w=w[x=0]]]=1)")
    assert normalise(same) == normalise(parse("P(y=1 | do(x=0))"))
    assert same.rung == 2


def test_mechanisms_and_replays_settle_it_and_experiments_do_not():
    """The recanting witness of Avin, Shpitser and Pearl (2005)."""
    scm = world(2, "monotone")
    for known in (Knowledge("see", "mechanisms"), Knowledge("replay", "none")):
        assert certify(scm, PASSED, known).identified
    shape = {"x": [], "w": ["x"], "z": ["w"], "y": ["w", "z"]}
    net = draw_net(generator(3, "paths"), shape, cards=dict.fromkeys(shape, 2))
    functions = {name: couple(net.cpts[name], "monotone", net.parents[name]) for name in shape}
    query = "P(y[x=0, z=z[w=w[x=1]]]=1)"
    assert not certify(world_of(functions, net), query, Knowledge("do", "diagram")).identified
