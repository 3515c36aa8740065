"""certify holds stated assumptions against the world: what is false or unreadable is refused."""

from __future__ import annotations

from itertools import product

import pytest
from oracle import evaluate, units
from second_path import brute_value, every_law

import causalbench as cb
from causalbench.errors import CertificateError, QueryError, WorldError
from causalbench.rng import generator
from causalbench.scm import SCM
from causalbench.scm.random import random_scm

PNS = "P(y[x=1]=1, y[x=0]=0)"


def world(coupling="monotone", hidden=None):
    """An arrow x -> y with a stated coupling; y may have a hidden parent of its own."""
    data = {
        "schema": 1,
        "variables": {"x": {"values": ["0", "1"]}, "y": {"values": ["0", "1"]}},
        "mechanisms": {
            "x": {"parents": [], "cpt": [0.5, 0.5], "coupling": "monotone"},
            "y": {"parents": ["x"], "cpt": [[0.7, 0.3], [0.4, 0.6]], "coupling": coupling},
        },
    }
    if hidden:
        data["variables"][hidden] = {"values": ["0", "1"], "hidden": True}
        data["mechanisms"][hidden] = {"parents": [], "cpt": [0.5, 0.5], "coupling": "monotone"}
        data["mechanisms"]["y"] = {
            "parents": ["x", hidden],
            "cpt": [[[0.7, 0.3], [0.2, 0.8]], [[0.4, 0.6], [0.9, 0.1]]],
            "coupling": coupling,
        }
    return SCM.from_dict(data)


@pytest.mark.parametrize("shown", ["none", "diagram"])
@pytest.mark.parametrize("regime", ["see", "do"])
@pytest.mark.parametrize("told", ["monotone: x -> y", "antitone: x -> y"])
def test_a_false_sign_is_refused_by_name(told, regime, shown):
    """With independent noise y both rises and falls with x, so neither sign holds."""
    known = cb.Knowledge(regime, shown, (told,))
    with pytest.raises(CertificateError, match=f"'{told}' is false in this world"):
        cb.certify(world("independent"), PNS, known)


def test_a_false_coupling_is_refused_even_where_the_query_does_not_need_it():
    """The class of worlds that the certificate speaks of must hold the world itself."""
    known = cb.Knowledge("do", "diagram", ("coupling:y=independent",))
    with pytest.raises(CertificateError, match="is false in this world"):
        cb.certify(world(), "P(y[x=1]=1)", known)


def test_a_coupling_by_a_hidden_parent_that_is_not_drawn_is_refused():
    """Read on the diagram, it would speak of another table, and give another number."""
    told = ("coupling:x=monotone", "coupling:y=monotone")
    with pytest.raises(CertificateError, match="hidden 'u'"):
        cb.certify(world(hidden="u"), PNS, cb.Knowledge("do", "diagram", told))


@pytest.mark.parametrize(
    ("told", "error", "says"),
    [
        ("monoton: x -> y", QueryError, "no assumption"),
        ("monotone: x - y", QueryError, "no assumption"),
        ("monotone: x -> x", QueryError, "names 'x' twice"),
        ("monotone: x -> yy", QueryError, "Did you mean 'y'"),
        ("coupling:y", QueryError, "no assumption"),
        ("coupling:y={bad", QueryError, "neither a name nor JSON"),
        ("coupling:y=mono", WorldError, "Did you mean 'monotone'"),
    ],
)
def test_what_cannot_be_read_is_never_passed_over(told, error, says):
    """A misspelt assumption would otherwise change nothing, in silence."""
    with pytest.raises(error, match=says) as caught:
        cb.certify(world(), "P(y=1)", cb.Knowledge("do", "none", (told,)))
    assert "\n" not in str(caught.value)


def _signs(scm):
    """Every (cause, effect, sign) among drawn arrows that holds in each unit, counted by hand."""
    for effect, sign in product(scm.visible, (1, -1)):
        parents = scm.diagram.parents(effect)
        for cause in parents:
            others = [name for name in parents if name != cause]
            every = list(product(*(scm.variable(name).labels for name in others)))
            ok = True
            for (_, unit), held in product(units(scm), every):
                codes = [
                    int(evaluate(scm, unit, effect,
                                 (*zip(others, held, strict=True), (cause, label))))
                    for label in scm.variable(cause).labels
                ]  # fmt: skip
                ok = ok and codes == sorted(codes, reverse=sign < 0)
            yield f"{'monotone' if sign > 0 else 'antitone'}: {cause} -> {effect}", ok


def test_signs_are_accepted_exactly_where_every_unit_keeps_them():
    """Random worlds with hidden confounders; what is open keeps the sign too."""
    seen = {True: 0, False: 0, "open": 0}
    for number in range(40):
        scm = random_scm(
            rng=generator(number, "signs"), n=2, hidden=1, cards=(2, 3), coupling="any", edge=1
        )
        for told, holds in _signs(scm):
            seen[holds] += 1
            cause, effect = told.split(": ")[1].split(" -> ")
            query = f"P({effect}[{cause}=1]=1, {effect}[{cause}=0]=0)"
            known = cb.Knowledge("see", "diagram", (told,))
            if not holds:
                with pytest.raises(CertificateError, match="is false"):
                    cb.certify(scm, query, known)
                continue
            found = cb.certify(scm, query, known)
            if found.identified:
                assert found.value == pytest.approx(brute_value(scm, query), abs=1e-9)
                continue
            seen["open"] += 1
            own = every_law(scm)
            for witness in found.witnesses:
                other = every_law(witness.scm)
                assert max(abs(own.get(k, 0) - other.get(k, 0)) for k in {*own, *other}) < 1e-9
                assert dict(_signs(witness.scm))[told]
                assert brute_value(witness.scm, query) == pytest.approx(witness.value, abs=1e-9)
    assert min(seen.values()) >= 3, seen
