"""A dossier's three forms say the same: JSON, tensors and text each give it back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from read_text import read_dossier
from told_builders import PLACES
from told_dossiers import VARIED, umbrella_dossier

from causalbench.scm import SCM, AdditiveMechanism, LinearMechanism, Mechanism, TableMechanism
from causalbench.task.encode import canonical_json, dossier_from_dict, dossier_to_dict
from causalbench.task.strata import SURFACES
from causalbench.task.world import load_world
from causalbench.truth.knowledge import REGIMES, SHOWN, Budget, Knowledge

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
    full = [case.dossier for case in mini if "not listed" not in case.dossier.text]
    assert len(full) > 0.9 * len(mini)
    for dossier in full:
        assert told_alike(dossier, read_dossier(dossier.text)) == []


def test_text_gives_umbrella_rain_back(umbrellas):
    """Every dossier of the named world's suite is told in full."""
    for case in umbrellas:
        assert told_alike(case.dossier, read_dossier(case.dossier.text)) == []


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("shown", SHOWN)
def test_text_tells_regime_and_what_is_shown(regime, shown):
    """Each regime has its sentence, and what is not shown is not told."""
    full = umbrella_dossier()
    dossier = replace(
        full,
        cell={"none": "lab"}.get(shown, shown),
        knowledge=Knowledge(regime, shown),
        diagram=None if shown == "none" else full.diagram,
        mechanisms=full.mechanisms if shown == "mechanisms" else None,
    )
    back = read_dossier(dossier.text)
    assert told_alike(dossier, back) == []
    assert back.cell == dossier.cell


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
