"""A dossier's three forms say the same: JSON, tensors and text each give it back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from read_text import read_dossier
from told_builders import PLACES, linear_world

from causalbench.scm import SCM, AdditiveMechanism, LinearMechanism, Mechanism, TableMechanism
from causalbench.task.dressing import exact_laws, sample_rows
from causalbench.task.encode import canonical_json, dossier_from_dict, dossier_to_dict
from causalbench.task.strata import SURFACES
from causalbench.task.suite import make
from causalbench.task.types import Dossier
from causalbench.task.world import load_world
from causalbench.truth.knowledge import Budget, Knowledge

HALF = 5e-12  # relative: half a unit of the last of 12 significant digits
"""How far a number of the text may lie from the dossier's."""


def near(left, right):
    """Say whether numbers agree to the digits that the text states."""
    left, right = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    return left.shape == right.shape and bool((np.abs(left - right) <= HALF * np.abs(left)).all())


def same_mechanism(left, right):
    """Compare two mechanisms to the digits stated."""
    if left.parents != right.parents or type(left) is not type(right):
        return False
    if isinstance(left, Mechanism):
        return np.array_equal(left.table, right.table) and near(left.noise, right.noise)
    if isinstance(left, TableMechanism):
        return near(left.cpt, right.cpt)
    if isinstance(left, LinearMechanism):
        return near(
            [*left.weights, left.intercept, left.std], [*right.weights, right.intercept, right.std]
        )
    assert isinstance(left, AdditiveMechanism)
    return left.expression == right.expression and near(
        left.noise.parameters, right.noise.parameters
    )


def same_scm(left, right):
    """Compare two worlds, or two absences of one."""
    if left is None or right is None:
        return left is right
    return (
        left.names == right.names
        and left.variables == right.variables
        and all(same_mechanism(left.mechanism(n), right.mechanism(n)) for n in left.names)
    )


def entries(log):
    """Return the rows of a log in one order, whatever order they came in."""
    fields = (log["obs"].tolist(), *(log[n].tolist() for n in ("action", "reward", "terminal")))
    rows = zip(*fields, log["source"].tolist(), strict=True)
    return sorted((tuple(seen), *rest) for seen, *rest in rows)


def told_alike(dossier, back):
    """Say which parts of a dossier its text does not give back."""
    whole = ("variables", "knowledge", "budget", "diagram", "couplings", "decisions", "story")
    wrong = [name for name in whole if getattr(dossier, name) != getattr(back, name)]
    if not same_scm(dossier.mechanisms, back.mechanisms):
        wrong.append("mechanisms")
    laws = zip(dossier.laws, back.laws, strict=True)
    if not all(a.do == b.do and near(a.table, b.table) for a, b in laws):
        wrong.append("laws")
    if dossier.rows.dtype == np.int64:  # told as counts: units have no order
        rows = [sorted(map(tuple, each.rows.tolist())) for each in (dossier, back)]
        if rows[0] != rows[1]:
            wrong.append("rows")
    elif not near(dossier.rows, back.rows):
        wrong.append("rows")
    logs = {name: entries(log) for name, log in dossier.logs.items()}
    if logs != {name: entries(log) for name, log in back.logs.items()}:
        wrong.append("logs")
    return wrong


def umbrella_dossier():
    """Return a dossier of umbrella-rain in which every part holds something."""
    world = load_world("umbrella-rain")
    scm = world.scm
    log = {
        "obs": np.array([[-1, -1, -1, -1], [0, 1, -1, 1], [0, 1, -1, 1], [0, 1, -1, 1]]),
        "action": np.array([0, 2, 2, 1]),
        "reward": np.array([0.5, 0.125, 0.125, 0.0]),
        "terminal": np.array([True, True, True, False]),
        "source": np.array(["town", "town", "town", "sailor"]),
    }
    mixture = {"mixture": {"of": ["monotone", {"antitone": {"in": "seed"}}], "weights": [0.5, 0.5]}}
    coupling = json.dumps(mixture, sort_keys=True)
    return Dossier(
        id="d7",
        cell="mechanisms",
        variables=tuple(scm.variable(name) for name in scm.visible),
        knowledge=Knowledge(
            "replay",
            "mechanisms",
            ("coupling:rain=monotone", f"coupling:wet={coupling}", "monotone: rain -> wet"),
            ("seed", "umbrella"),
        ),
        budget=Budget(3, 2, 1),
        diagram=scm.diagram,
        mechanisms=scm,
        laws=exact_laws(scm, interventions=True),
        couplings=(("rain", "independent"), ("wet", coupling)),
        rows=sample_rows(scm, 40, np.random.default_rng(1)),
        logs={"act-cheap": log},
        decisions=world.decisions,
        story="A town wants less rain.",
    )


def real_dossier(name):
    """Return a dossier of a world of real variables, with rows."""
    scm = load_world(name).scm
    rows = np.stack(list(scm.draw(20, rng=np.random.default_rng(2)).values()), axis=1)
    return Dossier(
        id="d1",
        cell="mechanisms",
        variables=tuple(scm.variable(each) for each in scm.names),
        knowledge=Knowledge("see", "mechanisms"),
        diagram=scm.diagram,
        mechanisms=scm,
        rows=rows,
    )


def network_dossier():
    """Return a dossier of a network: tables without couplings, and a lab of many rows."""
    scm = load_world("bnlearn/asia").scm
    scm = scm.rename({name: f"v_{name}" for name in scm.names})
    return Dossier(
        id="n",
        cell="diagram",
        variables=tuple(scm.variable(each) for each in scm.names),
        knowledge=Knowledge("do", "mechanisms", (), ()),
        diagram=scm.diagram,
        mechanisms=scm,
        rows=sample_rows(scm, 3000, np.random.default_rng(4)),
    )


def hidden_linear():
    """Return a dossier of a linear world with a hidden variable."""
    scm = linear_world(hidden=("x",))
    return Dossier(
        "l",
        "mechanisms",
        tuple(scm.variable(each) for each in scm.visible),
        Knowledge("see", "mechanisms"),
        diagram=scm.diagram,
        mechanisms=scm,
    )


VARIED = {
    "umbrella-rain": umbrella_dossier,
    "salary": lambda: real_dossier("salary"),
    "dose-response": lambda: real_dossier("dose-response"),
    "braking": lambda: real_dossier("braking"),
    "asia": network_dossier,
    "hidden linear": hidden_linear,
}


@pytest.fixture(scope="session")
def mini():
    """A few dossiers of every part of ladder-mini."""
    return [case.dossier for case in make("ladder-mini", seed=1, limit=18)]


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_text_gives_a_told_dossier_back(cases, place, surface):
    """Whatever the surface, all that a dossier holds can be read from its text."""
    dossier = cases[place, surface].dossier
    assert told_alike(dossier, read_dossier(dossier.text)) == []


@pytest.mark.parametrize("name", VARIED)
def test_text_gives_any_dossier_back(name):
    """Logs, tables without couplings, real variables and their rows are told in full."""
    dossier = VARIED[name]()
    assert told_alike(dossier, read_dossier(dossier.text)) == []


def test_text_gives_ladder_mini_back(mini):
    """The texts of ladder-mini are complete, but for labs with very many combinations."""
    full = [dossier for dossier in mini if "not listed" not in dossier.text]
    assert len(full) > 0.9 * len(mini)
    for dossier in full:
        assert told_alike(dossier, read_dossier(dossier.text)) == []


def test_a_changed_dossier_is_told_otherwise():
    """The comparison sees every part: a dossier without it is told in other words."""
    dossier = umbrella_dossier()
    back = read_dossier(dossier.text)
    changes = {
        "variables": dossier.variables[::-1],
        "knowledge": Knowledge("do", "mechanisms"),
        "budget": Budget(3, 2, 2),
        "diagram": None,
        "mechanisms": None,
        "laws": dossier.laws[::-1],
        "couplings": (),
        "rows": dossier.rows[1:],
        "logs": {},
        "decisions": dossier.decisions[1:],
        "story": "A town wants more rain.",
    }
    for name, value in changes.items():
        if name == "laws":
            laws = tuple(replace(law, table=law.table[::-1]) for law in dossier.laws)
            assert told_alike(replace(dossier, laws=laws), back) == ["laws"]
        else:
            assert name in told_alike(replace(dossier, **{name: value}), back)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_json_gives_a_told_dossier_back(cases, place, surface):
    """The JSON form gives back the same bytes."""
    text = canonical_json(dossier_to_dict(cases[place, surface].dossier))
    assert canonical_json(dossier_to_dict(dossier_from_dict(json.loads(text)))) == text


def test_scm_is_compared_by_parts():
    """A world with one other probability is not the same."""
    scm = load_world("umbrella-rain").scm
    other = scm.replace(
        mechanisms={"umbrella": Mechanism(("rain",), [0.5, 0.5], np.array([[0, 1], [1, 1]]))}
    )
    assert same_scm(scm, SCM.from_dict(scm.to_dict()))
    assert not same_scm(scm, other)
