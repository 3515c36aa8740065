"""certify's witnesses: found where bounds alone find none, and true to single units as well."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from oracle import evaluate, units
from second_path import brute_value, every_law

import causalbench as cb
from causalbench.errors import CertificateError
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.truth.bounds.nearby import nearby_witnesses
from causalbench.truth.permitted import Permitted


def _agree(scm, other, manipulable=()):
    own, made = every_law(scm, manipulable), every_law(other, manipulable)
    return max(abs(own.get(k, 0.0) - made.get(k, 0.0)) for k in {*own, *made}) < 1e-9


@pytest.mark.parametrize(
    ("regime", "settable"), [("see", ()), ("do", ("leaflet",)), ("do", ("district",))]
)
def test_an_effect_in_a_subgroup_of_the_napkin_is_open(regime, settable):
    """P(fit | do(walking), leaflet) has no estimand: two worlds near the napkin differ in it."""
    world = cb.load_world("napkin").scm
    query = "P(fit=yes | do(walking=yes), leaflet=yes)"
    found = cb.certify(world, query, cb.Knowledge(regime, "diagram", (), settable or None))
    assert not found.identified
    assert not found.sharp
    low, high = found.witnesses
    assert found.lower <= low.value < brute_value(world, query) < high.value <= found.upper
    assert high.value - low.value > 1e-3
    for witness in found.witnesses:
        assert witness.scm.diagram == world.diagram
        assert _agree(world, witness.scm, settable)
        assert brute_value(witness.scm, query) == pytest.approx(witness.value, abs=1e-9)


@pytest.mark.parametrize(
    "query",
    ["P(fit=yes | do(walking=yes))", "P(fit=yes | do(leaflet=yes))", "P(walking=yes | leaflet=no)"],
)
def test_what_is_settled_does_not_move(query):
    """No step changes a query that ID identifies, however the hidden values are split."""
    world = cb.load_world("napkin").scm
    permitted = Permitted(world, cb.Knowledge("see", "diagram"))
    assert nearby_witnesses(permitted, world, cb.parse(query, world)) is None


@pytest.mark.parametrize(
    ("regime", "query"),
    [
        ("do", "P(v1[v3=1]=0 | v3=0, v1=1)"),
        ("do", "P(v1[v3=1]=0, v1[v3=0]=1)"),
        ("see", "P(v1[v3=1, v2=v2[v3=0]]=1)"),
    ],
)
def test_without_a_diagram_arrows_that_are_idle_here_need_not_be(regime, query):
    """v1 does not answer to v3 here, but in a world of the same laws it does."""
    data = {
        "schema": 1,
        "variables": {name: {"values": ["0", "1"]} for name in ("v1", "v2", "v3", "v4")},
        "mechanisms": {
            "v1": {"parents": [], "cpt": [0.4, 0.6]},
            "v2": {"parents": [], "cpt": [0.3, 0.7]},
            "v3": {"parents": ["v2"], "cpt": [[0.2, 0.8], [0.7, 0.3]]},
            "v4": {
                "parents": ["v1", "v2"],
                "cpt": [[[0.5, 0.5], [0.1, 0.9]], [[0.8, 0.2], [0.4, 0.6]]],
            },
        },
    }
    for each in data["mechanisms"].values():
        each["coupling"] = "independent"
    world = SCM.from_dict(data)
    found = cb.certify(world, query, cb.Knowledge(regime, "none"))
    assert not found.identified
    low, high = found.witnesses
    assert high.value - low.value > 1e-3
    for witness in found.witnesses:
        assert _agree(world, witness.scm, world.visible if regime == "do" else ())
        assert brute_value(witness.scm, query) == pytest.approx(witness.value, abs=1e-9)


def test_without_a_diagram_another_order_is_as_good():
    """Where z -> x, z -> y, an effect of x by way of z is one that a world of another order has."""
    data = {
        "schema": 1,
        "variables": {name: {"values": ["0", "1"]} for name in "wxyz"},
        "mechanisms": {
            "z": {"parents": [], "cpt": [0.4, 0.6]},
            "y": {"parents": ["z"], "cpt": [[0.9, 0.1], [0.3, 0.7]]},
            "x": {"parents": ["z"], "cpt": [[0.2, 0.8], [0.7, 0.3]]},
            "w": {"parents": ["y", "z"], "cpt": [[[0.5, 0.5], [0.1, 0.9]], [[0.8, 0.2], [1, 0]]]},
        },
    }
    for each in data["mechanisms"].values():
        each["coupling"] = "independent"
    world, query = SCM.from_dict(data), "NIE(x: 0 -> 1; y=0; z)"
    found = cb.certify(world, query, cb.Knowledge("see", "none"))
    assert not found.identified
    low, high = found.witnesses
    assert high.value - low.value > 1e-3
    for each in found.witnesses:
        assert _agree(world, each.scm)
        assert brute_value(each.scm, query) == pytest.approx(each.value, abs=1e-9)


def _chosen():
    """A choice of three values and its outcome have a cause in common."""
    variables = {
        "u": Variable("u", ("0", "1", "2"), hidden=True),
        "x": Variable("x", ("0", "1", "2")),
        "y": Variable("y", ("0", "1")),
    }
    answers = np.array([[[0, 1, 0], [1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1], [1, 1, 1]]])
    mechanisms = {
        "u": Mechanism((), np.array([0.3, 0.3, 0.4]), np.arange(3)),
        "x": Mechanism(("u",), np.array([0.6, 0.4]), np.array([[0, 1, 2], [1, 2, 0]])),
        "y": Mechanism(("u", "x"), np.array([0.7, 0.3]), answers),
    }
    return SCM(variables, mechanisms)


def _intended(scm):
    """P(x, y[x=label]) for every label, by walking over units."""
    found = Counter()
    for chance, unit in units(scm):
        for label in scm.variable("x").labels:
            after = evaluate(scm, unit, "y", (("x", label),))
            found[label, evaluate(scm, unit, "x", ()), after] += chance
    return found


@pytest.mark.parametrize("shown", ["none", "diagram"])
def test_witnesses_keep_what_acting_against_a_choice_tells(shown):
    """With intent, P(y[x] | x') is known for three values; experiments alone leave it open.

    A world that agrees on experiments alone is then no witness: none is claimed, or both agree.
    """
    world = _chosen()
    settled = cb.certify(world, "P(y[x=0]=1 | x=2)", cb.Knowledge("intent", shown))
    assert settled.identified
    assert not cb.certify(world, "P(y[x=0]=1 | x=2)", cb.Knowledge("do", shown)).identified
    own, tried = _intended(world), 0
    for one, two in product("01", repeat=2):
        query = f"P(y[x=0]={one}, y[x=1]={two})"
        try:
            found = cb.certify(world, query, cb.Knowledge("intent", shown))
        except CertificateError as error:
            assert str(error).startswith("not decided")  # noqa: PT017
            tried += 1
            continue
        for witness in found.witnesses:
            tried += 1
            other = _intended(witness.scm)
            assert max(abs(own[k] - other[k]) for k in {*own, *other}) < 1e-9
    assert tried >= 4


@pytest.mark.parametrize("query", ["P(y[z=1]=1)", "P(y[x=0]=1, y[z=1]=0)"])
def test_witnesses_keep_what_replays_tell(query):
    """Replays that set x alone leave P(y[z]) open, but not what y does under x, unit by unit."""
    data = {
        "schema": 1,
        "variables": {name: {"values": ["0", "1"]} for name in "xyz"},
        "mechanisms": {
            "x": {"parents": [], "cpt": [0.5, 0.5], "coupling": "monotone"},
            "z": {"parents": ["x"], "cpt": [[0.7, 0.3], [0.4, 0.6]], "coupling": "independent"},
            "y": {
                "parents": ["x", "z"],
                "cpt": [[[0.5, 0.5], [0.1, 0.9]], [[0.8, 0.2], [0.4, 0.6]]],
                "coupling": "independent",
            },
        },
    }
    world = SCM.from_dict(data)
    known = cb.Knowledge("replay", "none", (), ("x",))

    def units_of(scm):
        found = Counter()
        for chance, unit in units(scm):
            told = [evaluate(scm, unit, name, s) for s in ((), (("x", "0"),), (("x", "1"),))
                    for name in "xyz"]  # fmt: skip
            found[tuple(told)] += chance
        return found

    own = units_of(world)
    found = cb.certify(world, query, known)
    assert not found.identified
    for witness in found.witnesses:
        other = units_of(witness.scm)
        assert max(abs(own[k] - other[k]) for k in {*own, *other}) < 1e-9
        assert brute_value(witness.scm, query) == pytest.approx(witness.value, abs=1e-9)
