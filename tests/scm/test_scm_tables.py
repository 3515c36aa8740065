"""Tables without a coupling: what they settle, what they refuse, and how they get one."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest

from causalbench.errors import CouplingError, WorldError
from causalbench.scm import SCM, Mechanism, TableMechanism, Variable, random_scm

CPT = np.array([[0.75, 0.25], [0.125, 0.875]])
WIDE = np.array([[[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]], [[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]])


def small(**mechanisms):
    """Build x -> y with a table at y."""
    variables = {name: Variable(name, ("no", "yes")) for name in ("x", "y")}
    parts = {"x": TableMechanism((), [0.5, 0.5]), "y": TableMechanism(("x",), CPT), **mechanisms}
    return SCM(variables, parts)


def stripped(scm):
    """Return a world with its couplings taken away."""
    tables = {name: TableMechanism(scm.parents(name), scm.cpt(name)) for name in scm.names}
    return SCM(scm.variables, tables)


def test_a_table_is_frozen_and_hashes_by_value():
    """Arrays are read-only, equal tables are equal, and pickling keeps both."""
    table = TableMechanism(("x",), CPT)
    with pytest.raises(ValueError, match="read-only"):
        table.cpt[0, 0] = 1.0
    again = pickle.loads(pickle.dumps(table))  # noqa: S301
    assert again == table
    assert hash(again) == hash(table)
    assert not again.cpt.flags.writeable
    assert table != TableMechanism(("x",), CPT[::-1])
    assert table != TableMechanism(("z",), CPT)


@pytest.mark.parametrize(
    ("parents", "cpt", "why"),
    [
        (("x",), [0.5, 0.5], "1 axes for 1 parents"),
        ((), [0.5, 0.6], "sum to 1.1"),
        (("x",), [[0.5, 0.5], [-0.1, 1.1]], r"cpt\[1\]\[0\]: -0.1 is no probability"),
        (("x", "x"), np.full((2, 2, 2), 0.5), "'x' is a duplicate"),
        (("x",), np.zeros((10**7, 2)), "over 1e7"),
    ],
)
def test_tables_that_are_none_are_refused(parents, cpt, why):
    """Axes, sums, signs, names and sizes are checked, and the message names the place."""
    with pytest.raises(WorldError, match=why):
        TableMechanism(parents, cpt)


def test_a_table_must_fit_its_variable():
    """The rows have an entry for each value, and an axis entry for each value of a parent."""
    with pytest.raises(WorldError, match="rows have 3 entries"):
        small(y=TableMechanism(("x",), np.full((2, 3), 1 / 3)))
    with pytest.raises(WorldError, match="mechanism of 'y'"):
        small(y=TableMechanism(("x",), np.full((3, 2), 0.5)))


@pytest.mark.parametrize("cpt", [np.eye(2), [[1.0, 0.0], [0.5, 0.5]]])
def test_one_coupling_alone_is_known(cpt):
    """A root, a function, and a table with one random row have a single coupling, and get it."""
    world = small(y=TableMechanism(("x",), cpt))
    assert world.couplings_known
    assert isinstance(world.mechanism("x"), Mechanism)
    assert isinstance(world.mechanism("y"), Mechanism)
    assert np.array_equal(world.cpt("y"), cpt)


def test_couplings_known_follows_the_mechanisms():
    """It is False while a table is left, and True when every coupling is named."""
    world = small()
    assert not world.couplings_known
    assert world.uncoupled == ("y",)
    assert world.coupled("monotone").couplings_known
    assert world.coupled({"y": "independent"}).uncoupled == ()
    assert not SCM(world.variables, world.mechanisms, couplings_known=True).couplings_known


def test_forcing_needs_no_coupling():
    """Under do the variable is constant; forced everywhere, no table is left."""
    forced = small().do(y="yes")
    assert forced.uncoupled == ()
    assert forced.cpt("y").tolist() == [0.0, 1.0]


@pytest.mark.parametrize("coupling", ["independent", "monotone", {"antitone": {"in": "x"}}])
def test_a_named_coupling_keeps_the_table(coupling):
    """Whatever is named, P(value | parents) stays."""
    assert small().coupled({"y": coupling}).cpt("y") == pytest.approx(CPT, abs=1e-15)
    assert small().coupled(coupling).cpt("y") == pytest.approx(CPT, abs=1e-15)


def test_couplings_that_make_no_sense_are_refused():
    """Names without a table, unknown names and unknown couplings are said."""
    with pytest.raises(WorldError, match="coupling of 'x' is known already"):
        small().coupled({"x": "monotone"})
    with pytest.raises(WorldError, match="no variable 'yy'"):
        small().coupled({"yy": "monotone"})
    with pytest.raises(WorldError, match=r"mechanism of 'y': coupling: no 'monotne'.*monotone"):
        small().coupled("monotne")
    with pytest.raises(WorldError, match="no mechanism of this world lacks a coupling"):
        small().coupled("monotone").coupled("monotone")


def test_a_coupling_too_fine_names_the_variable_and_the_way_out():
    """Over 4096 noise values the message names the variable and what else to do."""
    rng = np.random.default_rng(5)
    cpt = rng.dirichlet(np.ones(4), size=(4, 4))
    variables = {name: Variable(name, tuple("abcd")) for name in ("u", "v", "y")}
    root = TableMechanism((), np.full(4, 0.25))
    world = SCM(variables, {"u": root, "v": root, "y": TableMechanism(("u", "v"), cpt)})
    with pytest.raises(WorldError, match=r"mechanism of 'y': .*over 4096.*use 'monotone'"):
        world.coupled("independent")


def test_a_count_too_large_for_a_float_is_still_said():
    """Four values at 1,024 rows make 4^1024 response functions."""
    names = tuple("abcde")
    cpt = np.tile(np.full(4, 0.25), (*[4] * 5, 1))
    with pytest.raises(WorldError, match=r"independent needs about 1e616 noise values, over 4096"):
        TableMechanism(names, cpt).coupled("independent")


@pytest.mark.parametrize("seed", range(3))
def test_json_and_back(seed):
    """Tables survive JSON, with the coupling "unknown", and stay tables."""
    world = stripped(random_scm(n=5, rng=np.random.default_rng(seed)))
    data = world.to_dict()
    assert data["couplings_known"] is False
    name = world.uncoupled[0]
    assert data["mechanisms"][name]["coupling"] == "unknown"
    again = SCM.from_dict(json.loads(json.dumps(data)))
    assert again == world
    assert again.uncoupled == world.uncoupled
    assert again != world.coupled("monotone")


def test_a_cpt_without_a_word_on_coupling_is_independent():
    """Files that name no coupling mean the independent one."""
    data = small().to_dict()
    del data["mechanisms"]["y"]["coupling"]
    del data["couplings_known"]
    world = SCM.from_dict(data)
    assert world.couplings_known
    assert world == small().coupled("independent")


@pytest.mark.parametrize("seed", range(3))
def test_bif_and_pgmpy_and_back(seed):
    """Networks keep their tables through both formats, and gain no coupling."""
    world = stripped(random_scm(n=5, rng=np.random.default_rng(seed)))
    assert SCM.from_bif(world.to_bif(), renormalise=True).uncoupled == world.uncoupled
    assert set(SCM.from_pgmpy(world.to_pgmpy()).uncoupled) == set(world.uncoupled)


def test_a_fit_has_tables_alone():
    """Counts say nothing of couplings."""
    frame = pd.DataFrame({"x": ["a", "b"] * 4, "y": ["c", "d", "d", "c"] * 2})
    assert SCM.from_frame(frame, "x -> y").uncoupled == ("y",)


def test_relabel_and_rename_turn_the_table():
    """Other orders of values and other names are the same world told otherwise."""
    labels = ("a", "b", "c")
    variables = {"u": Variable("u", ("0", "1")), "v": Variable("v", ("0", "1"))}
    variables["y"] = Variable("y", labels)
    root = TableMechanism((), [0.25, 0.75])
    world = SCM(variables, {"u": root, "v": root, "y": TableMechanism(("u", "v"), WIDE)})
    turned = world.relabel({"v": [1, 0], "y": [2, 0, 1]})
    assert np.array_equal(turned.cpt("y"), WIDE[:, [1, 0]][..., [2, 0, 1]])
    assert turned.relabel({"v": [1, 0], "y": [1, 2, 0]}) == world
    assert world.rename({"u": "w"}).parents("y") == ("w", "v")


@pytest.mark.parametrize("seed", range(4))
def test_draws_are_those_of_the_monotone_coupling(seed):
    """The same generator draws the same units as from the quantile, under do as well."""
    known = random_scm(n=6, rng=np.random.default_rng(seed))
    world = stripped(known)
    tied = world.coupled("monotone") if world.uncoupled else world
    name = known.names[0]
    for do in (None, {name: 0}, {name: np.array([-1, 0] * 500)}):
        drawn = world.draw(1000, rng=np.random.default_rng(7), do=do)
        again = tied.draw(1000, rng=np.random.default_rng(7), do=do)
        assert all(np.array_equal(drawn[each], again[each]) for each in world.names)


def test_a_value_of_probability_zero_is_never_drawn():
    """Rounding in the cumulative sums does not reach impossible values."""
    row = [0.1] * 3 + [0.7, 0.0]
    thresholds = TableMechanism(("x",), [row, row[::-1]]).thresholds
    assert np.isinf(thresholds[0, 3])
    assert thresholds[1, 0] == 0.0


def test_units_are_not_defined_without_couplings():
    """Noise cannot be drawn, and a unit not solved: that would take a coupling for granted."""
    world = small()
    line = "what a unit does depends on the coupling of 'y', which the world does not give"
    with pytest.raises(CouplingError, match=line):
        world.draw_noise(3, rng=np.random.default_rng(0))
    with pytest.raises(CouplingError, match=line):
        world.solve({"x": 0, "y": 0})
    with pytest.raises(CouplingError, match="to_dowhy: the model depends on the coupling of 'y'"):
        world.to_dowhy()
    assert len(world.sample(5, rng=np.random.default_rng(0))) == 5
